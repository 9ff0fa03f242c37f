//! One GPU, for people: a line of facts for each side of it.

use std::io;

use anstyle::{AnsiColor, Style};

use super::report::{UNKNOWN, escaped};
use crate::{
    model::{Gpu, GpuDetails, GpuHealth, MigInstance, Vram},
    render::{
        layout::{Page, Piece},
        units::{Bytes, Count},
    },
};

/// From this share of a GPU's memory on there is little room for one model more.
const WARM_PERCENT: u128 = 67;
/// From this share on, the next large allocation may well fail.
const HOT_PERCENT: u128 = 83;

/// A fact that may be unknown.
struct Fact {
    piece: Piece,
    is_known: bool,
}

/// A fact with its name: `memory 41 %`, `memory unknown`.
fn named(name: &str, value: Option<String>) -> Fact {
    let is_known = value.is_some();
    let value = value.unwrap_or_else(|| UNKNOWN.to_owned());
    Fact { piece: format!("{name} {value}").into(), is_known }
}

/// A fact that says itself what it is; its name stands where it is unknown.
fn plain(name: &str, value: Option<String>) -> Fact {
    let is_known = value.is_some();
    let text = value.unwrap_or_else(|| format!("{name} {UNKNOWN}"));
    Fact { piece: text.into(), is_known }
}

/// Writes one GPU.
pub(super) fn write(page: &mut Page<'_>, gpu: &Gpu) -> io::Result<()> {
    let name = gpu.identity.name.as_deref().map_or_else(|| UNKNOWN.to_owned(), escaped);
    let mark = match gpu.health {
        GpuHealth::Ok => "",
        GpuHealth::Lost => "  LOST",
        GpuHealth::Failed(_) => "  FAILED",
    };
    page.heading(&format!("GPU {}  {name}{mark}", gpu.identity.index))?;
    if let Some(sentence) = trouble(&gpu.health) {
        page.sentence(&sentence, 2)?;
    }
    let nothing = GpuDetails::default();
    let details = gpu.details.as_deref().unwrap_or(&nothing);
    for (label, facts) in [
        ("id", id(gpu)),
        ("VRAM", memory(gpu.vram)),
        ("busy", busy(details)),
        ("clocks", clocks(details)),
        ("slowed", slowed(details)),
        ("heat", heat(details)),
        ("errors", errors(details)),
        ("PCIe", pcie(details)),
        ("mode", mode(details)),
    ] {
        let is_known = facts.iter().any(|fact| fact.is_known);
        let facts = facts.into_iter().map(|fact| fact.piece);
        match (is_known, &gpu.health) {
            (true, _) => page.facts(label, facts.collect())?,
            (false, GpuHealth::Ok) => page.facts(label, vec![UNKNOWN.to_owned().into()])?,
            // Why it is unknown has been said.
            (false, _) => {}
        }
    }
    for instance in &details.mig_instances {
        mig(page, instance)?;
    }
    Ok(())
}

/// What is the matter, and what to do.
fn trouble(health: &GpuHealth) -> Option<String> {
    match health {
        GpuHealth::Ok => None,
        GpuHealth::Lost => Some(
            "It has fallen off the bus: the driver cannot reach it, and what ran on it is lost. \
             Look for \"Xid\" in the kernel's log (dmesg), end the processes that use it, and \
             reboot; if it is lost again, look at its power and its seat."
                .to_owned(),
        ),
        GpuHealth::Failed(reason) => Some(format!(
            "The driver does not answer for it: {}. Look for \"Xid\" and \"NVRM\" in the kernel's \
             log (dmesg).",
            escaped(reason)
        )),
    }
}

fn id(gpu: &Gpu) -> Vec<Fact> {
    let text = |text: &Option<std::sync::Arc<str>>| text.as_deref().map(escaped);
    vec![plain("bus id", text(&gpu.identity.pci_bus_id)), plain("UUID", text(&gpu.identity.uuid))]
}

fn memory(vram: Vram) -> Vec<Fact> {
    let used = Fact {
        is_known: vram.used_bytes.is_some() || vram.total_bytes.is_some(),
        piece: used_of_total(vram),
    };
    let mut facts = vec![used];
    if let Some(reserved) = vram.reserved_bytes {
        facts.push(plain("", Some(format!("{} more kept by the driver", Bytes(reserved)))));
    }
    facts
}

/// `68.2 GiB of 79.6 GiB used (85 %)`, in the colour of its zone.
fn used_of_total(vram: Vram) -> Piece {
    let bytes =
        |bytes: Option<u64>| bytes.map_or_else(|| UNKNOWN.to_owned(), |b| Bytes(b).to_string());
    let percent = vram
        .used_bytes
        .zip(vram.total_bytes)
        .and_then(|(used, total)| (u128::from(used) * 100).checked_div(u128::from(total)));
    if vram.used_bytes.or(vram.total_bytes).is_none() {
        return format!("VRAM {UNKNOWN}").into();
    }
    let mut text = format!("{} of {} used", bytes(vram.used_bytes), bytes(vram.total_bytes));
    if let Some(percent) = percent {
        text.push_str(&format!(" ({percent} %)"));
    }
    Piece { text, style: percent.map_or_else(Style::new, zone) }
}

const fn zone(percent: u128) -> Style {
    match percent {
        HOT_PERCENT.. => AnsiColor::Red.on_default(),
        WARM_PERCENT.. => AnsiColor::Yellow.on_default(),
        _ => Style::new(),
    }
}

fn busy(details: &GpuDetails) -> Vec<Fact> {
    vec![
        named("GPU", percent(details.gpu_percent)),
        named("memory", percent(details.memory_percent)),
        named("encoder", percent(details.encoder_percent)),
        named("decoder", percent(details.decoder_percent)),
    ]
}

fn clocks(details: &GpuDetails) -> Vec<Fact> {
    let clock = |mhz: Option<u32>| mhz.map(|mhz| format!("{mhz} MHz"));
    vec![
        named("SM", clock(details.sm_clock_mhz)),
        named("memory", clock(details.memory_clock_mhz)),
        named("performance state", details.performance_state.map(|state| format!("P{state}"))),
    ]
}

/// What holds the clocks down.
fn slowed(details: &GpuDetails) -> Vec<Fact> {
    match details.throttle_reasons.as_deref() {
        None => vec![named("by", None)],
        Some([]) => vec![plain("", Some("no".to_owned()))],
        Some([first, more @ ..]) => {
            let mut facts = vec![named("by", Some((*first).to_owned()))];
            facts.extend(more.iter().map(|reason| plain("", Some((*reason).to_owned()))));
            for fact in &mut facts {
                fact.piece.style = AnsiColor::Yellow.on_default();
            }
            facts
        }
    }
}

fn heat(details: &GpuDetails) -> Vec<Fact> {
    let watts = |milliwatts: Option<u32>| {
        milliwatts.map(|mw| format!("{} W", mw / 1000 + u32::from(mw % 1000 >= 500)))
    };
    vec![
        plain("temperature", details.temperature_celsius.map(|celsius| format!("{celsius} °C"))),
        named("fan", percent(details.fan_percent)),
        plain("power", watts(details.power_milliwatts)),
        named("limit", watts(details.power_limit_milliwatts)),
    ]
}

fn errors(details: &GpuDetails) -> Vec<Fact> {
    let ecc = named("ECC", switch(details.ecc_enabled));
    // Without ECC nobody counts.
    if details.ecc_enabled == Some(false) {
        return vec![ecc];
    }
    let count = |count: Option<u64>| count.map(|count| Count(count).to_string());
    let mut uncorrected = named("uncorrected", count(details.ecc_uncorrected));
    if details.ecc_uncorrected.is_some_and(|count| count > 0) {
        uncorrected.piece.style = AnsiColor::Red.on_default();
    }
    vec![ecc, uncorrected, named("corrected", count(details.ecc_corrected))]
}

fn pcie(details: &GpuDetails) -> Vec<Fact> {
    let rate = |bytes: Option<u64>| bytes.map(|bytes| format!("{}/s", Bytes(bytes)));
    vec![
        named("generation", details.pcie_generation.map(|generation| generation.to_string())),
        named("lanes", details.pcie_width.map(|lanes| lanes.to_string())),
        named("received", rate(details.pcie_rx_bytes_per_second)),
        named("sent", rate(details.pcie_tx_bytes_per_second)),
    ]
}

fn mode(details: &GpuDetails) -> Vec<Fact> {
    vec![
        named("persistence", switch(details.persistence_mode)),
        named("display", switch(details.display_active)),
        named("compute", details.compute_mode.map(str::to_owned)),
        named("MIG", switch(details.mig_enabled)),
        named("accounting", switch(details.accounting_enabled)),
    ]
}

fn mig(page: &mut Page<'_>, instance: &MigInstance) -> io::Result<()> {
    let number = |number: Option<u32>| number.map(|number| number.to_string());
    let facts = [
        plain("name", instance.name.as_deref().map(escaped)),
        named("GI", number(instance.gpu_instance_id)),
        named("CI", number(instance.compute_instance_id)),
        Fact { piece: used_of_total(instance.vram), is_known: true },
    ];
    page.facts(
        &format!("MIG {}", instance.index),
        facts.into_iter().map(|fact| fact.piece).collect(),
    )
}

fn percent(percent: Option<u32>) -> Option<String> {
    percent.map(|percent| format!("{percent} %"))
}

fn switch(state: Option<bool>) -> Option<String> {
    state.map(|on| if on { "on" } else { "off" }.to_owned())
}
