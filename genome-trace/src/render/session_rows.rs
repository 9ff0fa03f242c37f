//! One look of a session as CSV rows (RFC 4180, but for its line ends). What is
//! unknown is empty.

use super::Utc;
use crate::model::{
    Figures, GpuSnapshot, Metric, SESSION_GPU_COLUMNS, SESSION_KEYS, SESSION_LIMITS, Usage,
    WallTime,
};

/// The names of the file of personas.
#[must_use]
pub fn persona_columns() -> Vec<&'static str> {
    let figures = Metric::ALL.into_iter().map(Metric::name);
    SESSION_KEYS.into_iter().chain(figures).chain(SESSION_LIMITS).collect()
}

/// The first row of the file of personas.
pub fn write_persona_head(out: &mut Vec<u8>) {
    row(out, persona_columns().into_iter().map(str::to_owned));
}

/// The first row of the file of GPUs.
pub fn write_gpu_head(out: &mut Vec<u8>) {
    row(out, SESSION_GPU_COLUMNS.into_iter().map(str::to_owned));
}

/// A row of the machine, whose persona is empty, and one of each persona.
pub fn write_personas(out: &mut Vec<u8>, usage: &Usage, phase: &str) {
    let time = Utc(usage.wall_time).to_string();
    let mut write = |name: &str, genome_id: &str, figures: &Figures, rest: [Option<u64>; 2]| {
        let keys = [time.as_str(), phase, name, genome_id].map(str::to_owned);
        let figures = figures.iter().map(|(_, figure)| number(figure));
        let rest = rest.into_iter().map(number);
        row(out, keys.into_iter().chain(figures).chain(rest));
    };
    let machine = &usage.machine;
    write("", "", &machine.figures, [machine.memory_bytes, machine.lost_events]);
    for of in &usage.personas {
        let genome_id = of.persona.genome_id.as_deref().unwrap_or_default();
        write(&of.persona.name, genome_id, &of.figures, [of.rss_limit_bytes, None]);
    }
}

/// A row of each GPU, as looked at with what was written at `wall_time`.
pub fn write_gpus(out: &mut Vec<u8>, wall_time: WallTime, snapshot: &GpuSnapshot, phase: &str) {
    for gpu in &snapshot.gpus {
        let details = gpu.details.as_deref();
        let power = details.and_then(|of| of.power_milliwatts);
        row(
            out,
            [
                Utc(wall_time).to_string(),
                phase.to_owned(),
                gpu.identity.index.to_string(),
                gpu.identity.uuid.as_deref().unwrap_or_default().to_owned(),
                gpu.identity.name.as_deref().unwrap_or_default().to_owned(),
                number(gpu.vram.total_bytes),
                number(gpu.vram.used_bytes),
                number(details.and_then(|of| of.gpu_percent)),
                number(details.and_then(|of| of.memory_percent)),
                number(details.and_then(|of| of.temperature_celsius)),
                number(power.map(|milliwatts| f64::from(milliwatts) / 1000.0)),
            ],
        );
    }
}

/// The first row of the file of phases.
pub fn write_phase_head(out: &mut Vec<u8>) {
    row(out, ["time".to_owned(), "phase".to_owned()]);
}

/// A phase that begins.
pub fn write_phase(out: &mut Vec<u8>, at: WallTime, name: &str) {
    row(out, [Utc(at).to_string(), name.to_owned()]);
}

fn number<T: ToString>(value: Option<T>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

fn row(out: &mut Vec<u8>, cells: impl IntoIterator<Item = String>) {
    let mut writer = csv::Writer::from_writer(out);
    // Writing to a Vec does not fail.
    let _ = writer.write_record(cells);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const PAGE: &str = include_str!("../../../docs/sessions.md");

    fn told(section: &str) -> BTreeSet<&'static str> {
        let heading = format!("\n### {section}\n");
        let (_, text) = PAGE.split_once(&heading).unwrap_or_default();
        let (text, _) = text.split_once("\n##").unwrap_or((text, ""));
        text.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect()
    }

    #[test]
    fn docs_sessions_tells_every_column_and_no_other() {
        assert_eq!(told("Personas"), persona_columns().into_iter().collect());
        assert_eq!(told("GPUs"), BTreeSet::from(SESSION_GPU_COLUMNS));
    }
}
