//! What people call a supply, and why nothing is predicted of one.

use crate::{
    model::{Forecast, NoForecast, Prediction, Supply},
    render::{
        crashes::words::escaped,
        units::{Bytes, Count, Elapsed},
    },
};

/// As in `memory limit` or `file system /data`.
pub(super) fn supply(supply: &Supply) -> String {
    match supply {
        Supply::MemoryLimit => "memory limit".to_owned(),
        Supply::MachineMemory => "memory".to_owned(),
        Supply::Vram { gpu } => format!("memory of GPU {gpu}"),
        Supply::Disk { mount } => format!("file system {}", escaped(mount)),
        Supply::OpenFiles { tgid } => format!("descriptors of PID {tgid}"),
    }
}

/// What tells it from others of its kind: a GPU, a mount, a process.
pub(super) fn object(supply: &Supply) -> Option<String> {
    match supply {
        Supply::MemoryLimit | Supply::MachineMemory => None,
        Supply::Vram { gpu } => Some(gpu.to_string()),
        Supply::Disk { mount } => Some(mount.clone()),
        Supply::OpenFiles { tgid } => Some(tgid.to_string()),
    }
}

/// So much of it, in its unit.
pub(super) fn amount(of: &Prediction, amount: f64) -> String {
    let whole = amount.max(0.0) as u64;
    match of.supply {
        Supply::OpenFiles { .. } => Count(whole).to_string(),
        _ => Bytes(whole).to_string(),
    }
}

/// As in `12 min to 15 min`.
pub(super) fn interval(told: &Forecast) -> String {
    match told.latest_ns {
        Some(latest) => format!("{} to {}", Elapsed(told.earliest_ns), Elapsed(latest)),
        None => format!("{} or later", Elapsed(told.earliest_ns)),
    }
}

/// Why there is no forecast.
pub(super) const fn reason(why: NoForecast) -> &'static str {
    match why {
        NoForecast::TooFew => "too few looks",
        NoForecast::NotRising => "rises by no more than the noise",
        NoForecast::NotALine => "rises now faster, now slower",
        NoForecast::TooFar => "too far off for the time looked at",
    }
}
