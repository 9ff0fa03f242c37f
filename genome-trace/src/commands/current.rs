//! What everybody uses now, as well as it can be known.

use super::looks;
use crate::{
    cli::View,
    model::{Metric, Usage},
    screen::Look,
};

/// A look, and why it has no figures, where it has none.
pub(super) struct Current {
    /// Who is there; `None` where nothing could be looked at.
    pub(super) look: Option<Look>,
    /// One sentence, with what to do.
    pub(super) unknown_because: Option<String>,
}

impl Current {
    /// Looks once, at what a recorder tells or with own means.
    pub(super) fn look(view: &View) -> Self {
        match looks::source(view).and_then(|mut source| source.look()) {
            Ok(look) => {
                let unknown_because = (!has_figures(&look.usage)).then(|| {
                    format!("What personas use is unknown: there is no recorder to ask. To know it, {REMEDY}.")
                });
                Self { look: Some(look), unknown_because }
            }
            Err(error) => {
                let reason = format!("{error:#}");
                let reason = reason.trim_end_matches('.');
                // It has its remedy.
                let text = format!("What personas use is unknown: {reason}.");
                Self { look: None, unknown_because: Some(text) }
            }
        }
    }
}

const REMEDY: &str = "start a recorder (sudo genome-trace record), join the group that may read it, or run \
                      this with sudo";

/// Whether there is more than what /proc tells everybody and what GPUs tell.
fn has_figures(usage: &Usage) -> bool {
    let told = [Metric::Processes, Metric::VramBytes, Metric::GpuPercent];
    let all = usage.personas.iter().map(|of| &of.figures).chain([&usage.machine.figures]);
    all.flat_map(|figures| figures.iter())
        .any(|(metric, figure)| figure.is_some() && !told.contains(&metric))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Figures, MachineUsage, WallTime};

    #[test]
    fn a_look_without_memory_and_time_has_no_figures() {
        let usage = |metric| {
            let mut figures = Figures::default();
            figures.set(metric, Some(1.0));
            Usage {
                wall_time: WallTime { unix_ns: 0 },
                interval_ns: None,
                machine: MachineUsage { figures, ..MachineUsage::default() },
                personas: Vec::new(),
            }
        };
        assert!(!has_figures(&usage(Metric::Processes)));
        assert!(!has_figures(&usage(Metric::VramBytes)));
        assert!(has_figures(&usage(Metric::RssBytes)));
    }
}
