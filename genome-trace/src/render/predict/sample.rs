//! Reports to render in tests.

use crate::model::{
    Advice, Forecast, Gap, GapReason, NoForecast, Persona, PredictReport, Prediction, Supply,
    TimeRange, WallTime,
};

const MINUTE: i64 = 60_000_000_000;

fn at(minutes: i64) -> WallTime {
    // From 2026-11-20T00:00:00Z on.
    WallTime { unix_ns: 1_795_132_800_000_000_000 + minutes * MINUTE }
}

const fn minutes(minutes: u64) -> u64 {
    minutes * 60_000_000_000
}

fn forecast(reached: u64, latest: Option<u64>) -> Forecast {
    Forecast {
        slope_per_hour: 3_600.0 * 1_048_576.0,
        reached_in_ns: minutes(reached),
        earliest_ns: minutes(reached - reached / 10),
        latest_ns: latest.map(minutes),
        window_ns: minutes(15),
        looks: 900,
        explained: 0.987,
    }
}

fn prediction(
    persona: Option<&str>,
    supply: Supply,
    forecast: Result<Forecast, NoForecast>,
) -> Prediction {
    let persona =
        persona.map(|name| Persona { name: name.to_owned(), genome_id: Some("a3f9".to_owned()) });
    Prediction {
        persona,
        supply,
        used: f64::from(3 << 29),
        limit: 4_294_967_296.0,
        since: at(0),
        looks: 900,
        forecast,
    }
}

fn report(predictions: Vec<Prediction>) -> PredictReport {
    PredictReport {
        version: "0.1.0".to_owned(),
        host: "box".to_owned(),
        now: at(15),
        store: "/var/lib/genome-trace/genome-trace.db".to_owned(),
        range: TimeRange { from: at(0), until: at(15) },
        predictions,
        unknown_because: None,
        gaps: Vec::new(),
        advice: Vec::new(),
    }
}

/// Each supply, and each reason to predict nothing.
pub(super) fn everything() -> PredictReport {
    let files = Supply::OpenFiles { tgid: 4_711 };
    let slow = Forecast { slope_per_hour: 600.0, ..forecast(90, None) };
    let mut files = prediction(Some("Judge"), files, Ok(slow));
    (files.used, files.limit) = (700.0, 1_024.0);
    let disk = |mount: &str| Supply::Disk { mount: mount.to_owned() };
    let mut report = report(vec![
        prediction(Some("CodeExpert"), Supply::MemoryLimit, Ok(forecast(42, Some(48)))),
        prediction(None, disk("/data"), Ok(forecast(60, Some(71)))),
        files,
        prediction(None, Supply::MachineMemory, Err(NoForecast::NotRising)),
        prediction(None, Supply::Vram { gpu: 0 }, Err(NoForecast::NotALine)),
        prediction(None, disk("/"), Err(NoForecast::TooFar)),
        prediction(Some("Poet"), Supply::MemoryLimit, Err(NoForecast::TooFew)),
    ]);
    report.advice = vec![
        Advice {
            persona: Some("CodeExpert".to_owned()),
            genome_id: None,
            text: "memory rises by 3.5 GiB/h towards its limit of 4 GiB".to_owned(),
        },
        Advice { persona: None, genome_id: None, text: "/data fills by 3.5 GiB/h".to_owned() },
    ];
    report.gaps = vec![Gap {
        from: at(3),
        until: at(4),
        reason: GapReason::NotRunning,
        missing: None,
        note: Some("it was stopped".to_owned()),
    }];
    report
}

/// Nothing runs out, and the limits of personas are unknown.
pub(super) fn nothing() -> PredictReport {
    let mut report = report(vec![prediction(
        None,
        Supply::Disk { mount: "/".to_owned() },
        Err(NoForecast::NotRising),
    )]);
    report.unknown_because = Some("What personas use is unknown: nobody listens there.".to_owned());
    report.gaps = vec![Gap {
        from: at(1),
        until: at(2),
        reason: GapReason::Lost,
        missing: Some([("exit".to_owned(), 3)].into()),
        note: None,
    }];
    report
}
