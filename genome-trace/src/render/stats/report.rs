//! The GPUs, for people.

use std::io;

use super::block;
use crate::{
    model::{Argv, GpuAccess, GpuSnapshot, Holder, PersonaVram, Stats},
    render::{
        layout::{Page, figures, words},
        text::{Escaped, ShellWord},
        units::{Bytes, Elapsed},
    },
};

pub(super) const UNKNOWN: &str = "unknown";
/// What there is not, rather than is not known.
const NONE: &str = "-";
/// Columns of names and ids, which anybody can make long.
const NAME_COLUMNS: usize = 20;
const ID_COLUMNS: usize = 12;

/// Text from outside.
pub(super) fn escaped(text: &str) -> String {
    Escaped(text.as_bytes()).to_string()
}

/// Writes the GPUs and who holds them.
pub(in crate::render) fn write(page: &mut Page<'_>, stats: &Stats) -> io::Result<()> {
    let Some(snapshot) = stats.snapshot.as_ref().filter(|_| stats.access == GpuAccess::Ready)
    else {
        return page.sentence(&no_access(stats), 0);
    };
    let driver = snapshot.driver_version.as_deref().map_or_else(|| UNKNOWN.to_owned(), escaped);
    let cuda = snapshot
        .cuda_version
        .map_or_else(|| UNKNOWN.to_owned(), |(major, minor)| format!("{major}.{minor}"));
    let took = Elapsed(snapshot.took_ns);
    page.sentence(&format!("NVIDIA driver {driver}, CUDA {cuda}, asked in {took}"), 0)?;
    if snapshot.gpus.is_empty() {
        return page.sentence("The driver knows no GPU.", 0);
    }
    for gpu in &snapshot.gpus {
        block::write(page, gpu)?;
    }
    if !stats.foreign_pids {
        personas(page, &stats.persona_vram())?;
    }
    processes(page, stats, snapshot)
}

/// Why there is nothing to show, and what to do.
fn no_access(stats: &Stats) -> String {
    let library = escaped(&stats.library);
    match &stats.access {
        GpuAccess::NoLibrary => format!(
            "no GPU: there is no NVIDIA management library ({library}). Where there is a GPU, \
             install its driver, or name the library with --nvml-library."
        ),
        GpuAccess::NoDriver => format!(
            "no driver: {library} is there, but the NVIDIA driver is not loaded. Load it with \
             modprobe nvidia as root; where that fails, the kernel's log (dmesg) says why."
        ),
        GpuAccess::Failed(reason) => format!(
            "GPUs unknown: {library} cannot be used: {}. nvidia-smi says more, where it is \
             installed; another library can be named with --nvml-library.",
            escaped(reason)
        ),
        GpuAccess::Ready | GpuAccess::Stalled => {
            "GPUs unknown: the driver did not answer in time. Look for \"Xid\" \
                             and \"NVRM\" in the kernel's log (dmesg), and ask again."
                .to_owned()
        }
    }
}

fn personas(page: &mut Page<'_>, sums: &[PersonaVram]) -> io::Result<()> {
    if sums.is_empty() {
        return Ok(());
    }
    page.heading("VRAM by persona, over all GPUs")?;
    let rows: Vec<_> = sums
        .iter()
        .map(|sum| {
            let persona = sum.persona.as_ref();
            let indexes: Vec<_> = sum.gpu_indexes.iter().map(ToString::to_string).collect();
            [
                persona.map_or_else(|| "(unattributed)".to_owned(), |p| escaped(&p.name)),
                persona
                    .and_then(|persona| persona.genome_id.as_deref())
                    .map_or_else(|| NONE.to_owned(), escaped),
                at_least(sum.is_lower_bound, sum.vram_bytes.map(|b| Bytes(b).to_string())),
                at_least(sum.is_lower_bound, share(sum)),
                indexes.join(" "),
                sum.process_count.to_string(),
            ]
        })
        .collect();
    page.table(
        [
            words("PERSONA", NAME_COLUMNS),
            words("GENOME ID", ID_COLUMNS),
            figures("VRAM"),
            figures("OF ITS GPUS"),
            words("GPUS", ID_COLUMNS),
            figures("PROCESSES"),
        ],
        &rows,
    )
}

fn at_least(is_lower_bound: bool, value: Option<String>) -> String {
    match value {
        None => UNKNOWN.to_owned(),
        Some(value) if is_lower_bound => format!(">= {value}"),
        Some(value) => value,
    }
}

/// Of all memory of the GPUs that it is on.
fn share(sum: &PersonaVram) -> Option<String> {
    let (part, whole) = sum.vram_bytes.zip(sum.gpus_total_bytes)?;
    let percent = (u128::from(part) * 100).checked_div(u128::from(whole))?;
    Some(if percent == 0 && part > 0 { "<1 %".to_owned() } else { format!("{percent} %") })
}

fn processes(page: &mut Page<'_>, stats: &Stats, snapshot: &GpuSnapshot) -> io::Result<()> {
    page.heading("Processes on GPUs")?;
    let silent = snapshot.gpus.iter().filter(|gpu| gpu.processes.is_none());
    for gpu in silent {
        let index = gpu.identity.index;
        page.sentence(&format!("Who is on GPU {index} is unknown: the driver does not say."), 0)?;
    }
    if snapshot.gpus.iter().any(|gpu| gpu.processes.is_some()) && stats.holders.is_empty() {
        return page.sentence("The driver names no process.", 0);
    }
    if stats.foreign_pids {
        page.sentence(
            "This is a container: PIDs are the host's, and mean nothing here. So whose the \
             processes are is unknown; ask on the host.",
            0,
        )?;
    }
    if stats.holders.is_empty() {
        return Ok(());
    }
    let mut holders: Vec<_> = stats.holders.iter().collect();
    holders.sort_by_key(|holder| (holder.gpu_index, std::cmp::Reverse(holder.process.vram_bytes)));
    let rows: Vec<_> = holders.into_iter().map(row).collect();
    page.table(
        [
            figures("GPU"),
            figures("GI"),
            figures("CI"),
            figures("PID"),
            words("TYPE", usize::MAX),
            figures("VRAM"),
            figures("SM"),
            words("PERSONA", NAME_COLUMNS),
            words("GENOME ID", ID_COLUMNS),
            words("NAME", usize::MAX),
        ],
        &rows,
    )
}

fn row(holder: &Holder) -> [String; 10] {
    let process = &holder.process;
    let persona = holder.persona.as_ref();
    let id = |id: Option<u32>| id.map_or_else(|| NONE.to_owned(), |id| id.to_string());
    let or_unknown = |text: Option<String>| text.unwrap_or_else(|| UNKNOWN.to_owned());
    [
        holder.gpu_index.to_string(),
        id(process.gpu_instance_id),
        id(process.compute_instance_id),
        process.tgid.to_string(),
        process.process_type.letters().to_owned(),
        or_unknown(process.vram_bytes.map(|bytes| Bytes(bytes).to_string())),
        or_unknown(process.utilization.map(|of| format!("{} %", of.sm_percent))),
        persona.map_or_else(|| NONE.to_owned(), |persona| escaped(&persona.name)),
        persona
            .and_then(|persona| persona.genome_id.as_deref())
            .map_or_else(|| NONE.to_owned(), escaped),
        or_unknown(name(holder)),
    ]
}

/// The command line, or else what the kernel calls it.
fn name(holder: &Holder) -> Option<String> {
    let command = holder.argv.as_deref().map(|block| {
        let words = Argv { block }.iter().map(|word| ShellWord(word).to_string());
        words.collect::<Vec<_>>().join(" ")
    });
    let comm = || holder.comm.as_deref().map(|comm| Escaped(comm).to_string());
    command.filter(|command| !command.is_empty()).or_else(comm)
}
