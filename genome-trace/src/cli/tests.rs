//! What clap makes of command lines.

use super::*;

#[test]
fn the_description_holds_together() {
    Cli::description().debug_assert();
}

fn parsed(line: &str) -> Result<Cli, ErrorKind> {
    let cli = Cli::try_parse_from(line.split(' ')).map_err(|error| error.kind())?;
    cli.contradiction().map_or(Ok(cli), |error| Err(error.kind()))
}

#[test]
fn there_is_one_view_or_an_action() {
    assert!(parsed("x --follow").is_ok_and(|cli| cli.view.follow && !cli.view.stats));
    assert!(parsed("x --stats").is_ok_and(|cli| cli.view.stats && !cli.view.follow));
    assert!(parsed("x doctor").is_ok());
    let both = parsed("x --follow --stats").err();
    assert_eq!(both, Some(ErrorKind::ArgumentConflict));
    let neither = parsed("x --no-color").err();
    assert_eq!(neither, Some(ErrorKind::MissingRequiredArgument));
}

#[test]
fn the_live_screen_is_a_view_or_the_way_that_stats_are_shown() {
    let watched =
        |line: &str| parsed(line).map(|cli| cli.view.watch_options.interval.0.as_millis());
    assert_eq!(watched("x --watch"), Ok(1_000));
    assert_eq!(watched("x --stats --watch --interval=2s"), Ok(2_000));
    for wrong in ["--follow", "--crashes", "--pid=1", "--format=json"] {
        let refused = watched(&format!("x --watch {wrong}"));
        assert_eq!(refused, Err(ErrorKind::ArgumentConflict), "{wrong}");
    }
    assert_eq!(watched("x --interval=2s"), Err(ErrorKind::MissingRequiredArgument));
    assert_eq!(watched("x --stats --interval=2s"), Err(ErrorKind::MissingRequiredArgument));
    assert_eq!(watched("x --watch --interval=99"), Err(ErrorKind::ValueValidation));
}

/// With a space as well: who means a time is not told of subcommands.
#[test]
fn how_far_predictions_look_back() {
    let length = |line: &str| parsed(line).map(|cli| cli.view.predict_options.predict);
    let minutes = |minutes: u64| Ok(Some(Duration::from_secs(60 * minutes)));
    assert_eq!(length("x --predict"), minutes(15));
    assert_eq!(length("x --predict --format=json"), minutes(15));
    assert_eq!(length("x --predict=30m"), minutes(30));
    assert_eq!(length("x --predict 2h --persona=a"), minutes(120));
    assert_eq!(length("x --predict record"), Err(ErrorKind::ValueValidation));
}

#[test]
fn metrics_are_of_a_report() {
    assert!(parsed("x --stats --format=prometheus").is_ok());
    let followed = parsed("x --follow --format=prometheus").err();
    assert_eq!(followed, Some(ErrorKind::ArgumentConflict));
}

#[test]
fn gpus_are_looked_at_once_a_second_unless_told_otherwise() {
    let interval = |line| parsed(line).map(|cli| cli.view.gpu_interval);
    assert_eq!(interval("x --follow"), Ok(Interval::Every(Duration::from_secs(1))));
    assert_eq!(interval("x --follow --gpu-interval=off"), Ok(Interval::Off));
    assert_eq!(interval("x --stats --gpu-interval=2s"), Err(ErrorKind::ArgumentConflict));
}

#[test]
fn one_persona_is_a_view() {
    let asked =
        |line: &str| parsed(line).map(|cli| cli.view.stats_options.genome_id.unwrap_or_default());
    assert_eq!(asked("x --genome-id=a3f9").as_deref(), Ok("a3f9"));
    assert_eq!(asked("x --stats --genome-id=a3f9 --format=csv").as_deref(), Ok("a3f9"));
    assert_eq!(asked("x --genome-id=").err(), Some(ErrorKind::ValueValidation));
    for other in ["--follow", "--crashes", "--history=1h", "--watch", "--pid=1", "--sort=age"] {
        let refused = asked(&format!("x --genome-id=a {other}")).err();
        assert_eq!(refused, Some(ErrorKind::ArgumentConflict), "{other}");
    }
}

#[test]
fn personas_are_sorted_by_metrics_and_more() {
    let sort = |line: &str| parsed(line).map(|cli| cli.view.stats_options.sort.name());
    assert_eq!(sort("x --stats"), Ok("rss_bytes"));
    assert_eq!(sort("x --stats --sort=cpu_percent"), Ok("cpu_percent"));
    assert_eq!(sort("x --stats --sort=crashes"), Ok("crashes"));
    assert_eq!(sort("x --stats --sort=memory"), Err(ErrorKind::ValueValidation));
    let others =
        ["--follow", "--crashes", "--stats --watch", "--history=1h", "--predict", "--alerts"];
    for other in others {
        let refused = sort(&format!("x {other} --sort=age")).err();
        assert_eq!(refused, Some(ErrorKind::ArgumentConflict), "{other}");
    }
}
