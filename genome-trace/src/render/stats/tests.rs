//! The report as it looks, on machines of many sorts.

use proptest::prelude::*;

use super::{
    sample::{container, known, lost, mig, none, unknown},
    *,
};
use crate::{
    model::{GpuAccess, Stats},
    render::{layout::Page, open_metrics::OpenMetrics, text::columns},
};

fn text(stats: &Stats, width: Option<usize>, color: bool) -> String {
    let mut out = Vec::new();
    write(&mut Page { out: &mut out, color, width }, stats).unwrap();
    String::from_utf8_lossy(&out).into_owned()
}

pub(super) fn json(stats: &Stats) -> String {
    serde_json::to_string(&object(stats, &stats.persona_vram())).unwrap() + "\n"
}

pub(super) fn metrics(stats: &Stats) -> String {
    let mut metrics = OpenMetrics::default();
    add(&mut metrics, stats);
    metrics.finish()
}

#[test]
fn two_gpus_and_two_personas() {
    insta::assert_snapshot!(text(&known(), Some(100), false));
}

#[test]
fn on_a_narrow_terminal() {
    insta::assert_snapshot!(text(&known(), Some(80), false));
}

#[test]
fn everything_unknown() {
    insta::assert_snapshot!(text(&unknown(), Some(100), false));
}

#[test]
fn a_gpu_that_is_divided() {
    insta::assert_snapshot!(text(&mig(), Some(100), false));
}

#[test]
fn a_lost_gpu() {
    insta::assert_snapshot!(text(&lost(), Some(100), false));
}

#[test]
fn in_a_container() {
    insta::assert_snapshot!(text(&container(), Some(100), false));
}

#[test]
fn no_way_to_the_gpus() {
    let all = [
        GpuAccess::NoLibrary,
        GpuAccess::NoDriver,
        GpuAccess::Failed("Driver/library version mismatch".into()),
        GpuAccess::Ready,
    ]
    .map(|access| text(&none(access), Some(80), false));
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn the_json() {
    insta::assert_snapshot!(json(&known()));
}

#[test]
fn the_json_without_a_gpu() {
    insta::assert_snapshot!(json(&none(GpuAccess::NoLibrary)));
}

#[test]
fn the_metrics() {
    insta::assert_snapshot!(metrics(&known()));
}

#[test]
fn the_metrics_of_what_is_unknown_have_no_sample() {
    let text = metrics(&unknown());
    let samples: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
    insta::assert_snapshot!(samples.join("\n"));
}

/// Memory in use, in the colours of its zones.
#[test]
fn zones_of_memory() {
    const YELLOW: &str = "\u{1b}[33m";
    const RED: &str = "\u{1b}[31m";
    for (percent, zone) in [(66, None), (67, Some(YELLOW)), (82, Some(YELLOW)), (83, Some(RED))] {
        let mut stats = mig();
        for gpu in stats.snapshot.iter_mut().flat_map(|snapshot| &mut snapshot.gpus) {
            gpu.vram.total_bytes = Some(100 << 30);
            gpu.vram.used_bytes = Some(percent << 30);
        }
        let text = text(&stats, Some(100), true);
        let line = text.lines().find(|line| line.starts_with("  VRAM")).unwrap_or_default();
        assert!(line.contains(&format!("({percent} %)")), "{line}");
        for color in [YELLOW, RED] {
            assert_eq!(line.contains(color), zone == Some(color), "{percent}: {line}");
        }
    }
    assert!(!text(&known(), Some(100), false).contains('\u{1b}'));
}

proptest! {
    /// No line is wider than the terminal, down to what is laid out for.
    #[test]
    fn lines_fit(width in 0_usize..160) {
        for stats in [known(), unknown(), mig(), lost(), container(), none(GpuAccess::NoDriver)] {
            for line in text(&stats, Some(width), false).lines() {
                prop_assert!(columns(line) <= width.max(24), "{width}: {line}");
            }
        }
    }
}
