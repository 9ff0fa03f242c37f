//! What nvidia-smi says, asked for as CSV without headers and units. The fields
//! are those of `nvidia-smi --help-query-gpu` and `--help-query-compute-apps`.

use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use genome_trace_tests_kernel::Context;

/// The fields of [`Card`], in order.
const CARD_FIELDS: &str = "--query-gpu=index,uuid,name,pci.bus_id,driver_version,memory.total,\
                           memory.used,temperature.gpu,utilization.gpu,mig.mode.current,\
                           compute_mode";
/// The fields of [`Holding`], in order.
const HOLDING_FIELDS: &str = "--query-compute-apps=gpu_uuid,pid,used_memory";
const FORMAT: &str = "--format=csv,noheader,nounits";

/// A GPU. Memory is in MiB, and what the driver does not tell is `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Card {
    pub(crate) index: u64,
    pub(crate) uuid: String,
    pub(crate) name: Option<String>,
    pub(crate) pci_bus_id: Option<String>,
    pub(crate) driver_version: Option<String>,
    pub(crate) total_mib: Option<u64>,
    pub(crate) used_mib: Option<u64>,
    pub(crate) temperature_celsius: Option<u64>,
    pub(crate) gpu_percent: Option<u64>,
    /// `Enabled` or `Disabled`; `None` where the GPU cannot be divided.
    pub(crate) mig_mode: Option<String>,
    /// `Default` where any number of processes may compute.
    pub(crate) compute_mode: Option<String>,
}

/// What one process holds on one GPU.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Holding {
    pub(crate) gpu_uuid: String,
    pub(crate) pid: u64,
    /// In MiB; `None` where the driver does not tell.
    pub(crate) used_mib: Option<u64>,
}

/// The GPUs.
pub(crate) fn cards(context: &Context, nvidia_smi: &Path) -> anyhow::Result<Vec<Card>> {
    parse_cards(&ask(context, nvidia_smi, CARD_FIELDS)?)
}

/// The processes that compute, on all GPUs.
pub(crate) fn holdings(context: &Context, nvidia_smi: &Path) -> anyhow::Result<Vec<Holding>> {
    parse_holdings(&ask(context, nvidia_smi, HOLDING_FIELDS)?)
}

fn ask(context: &Context, nvidia_smi: &Path, query: &str) -> anyhow::Result<Vec<String>> {
    let ended = context.program(nvidia_smi).arg(query).arg(FORMAT).run()?;
    ensure!(
        ended.status.success(),
        "nvidia-smi {query} ended with {}: {}",
        ended.status,
        [ended.stdout, ended.stderr].concat().join(" ")
    );
    Ok(ended.stdout)
}

fn parse_cards(lines: &[String]) -> anyhow::Result<Vec<Card>> {
    rows(lines, |row| {
        let [index, uuid, name, bus, driver, total, used, temperature, busy, mig, mode] = *row
        else {
            bail!("it has {} fields, not 11", row.len())
        };
        Ok(Card {
            index: number(index)?.context("it has no index")?,
            uuid: text(uuid).context("it has no UUID")?,
            name: text(name),
            pci_bus_id: text(bus),
            driver_version: text(driver),
            total_mib: number(total)?,
            used_mib: number(used)?,
            temperature_celsius: number(temperature)?,
            gpu_percent: number(busy)?,
            mig_mode: text(mig),
            compute_mode: text(mode),
        })
    })
}

fn parse_holdings(lines: &[String]) -> anyhow::Result<Vec<Holding>> {
    rows(lines, |row| {
        let [uuid, pid, used] = *row else { bail!("it has {} fields, not 3", row.len()) };
        Ok(Holding {
            gpu_uuid: text(uuid).context("it has no UUID")?,
            pid: number(pid)?.context("it has no pid")?,
            used_mib: number(used)?,
        })
    })
}

fn rows<T>(
    lines: &[String],
    parse: impl Fn(&[&str]) -> anyhow::Result<T>,
) -> anyhow::Result<Vec<T>> {
    lines
        .iter()
        .filter(|line| !line.trim().is_empty())
        .map(|line| {
            let row: Vec<&str> = line.split(',').map(str::trim).collect();
            parse(&row).with_context(|| format!("read nvidia-smi's line {line:?}"))
        })
        .collect()
}

/// What is not told stands in brackets: `[N/A]`, `[Not Supported]`,
/// `[Unknown Error]`.
fn text(field: &str) -> Option<String> {
    let is_told = !field.is_empty() && !field.starts_with('[') && field != "N/A";
    is_told.then(|| field.to_owned())
}

fn number(field: &str) -> anyhow::Result<Option<u64>> {
    text(field)
        .map(|text| text.parse().with_context(|| format!("{text:?} is no number")))
        .transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn a_card_of_a_data_centre() {
        let cards = parse_cards(&lines(
            "0, GPU-6b1c, NVIDIA H100 80GB HBM3, 00000000:65:00.0, 580.82.07, 81559, 1032, 31, 0, \
             Disabled, Default\n",
        ))
        .unwrap();
        let [card] = &cards[..] else { panic!("{cards:?}") };
        assert_eq!((card.index, card.uuid.as_str()), (0, "GPU-6b1c"));
        assert_eq!(card.name.as_deref(), Some("NVIDIA H100 80GB HBM3"));
        assert_eq!((card.total_mib, card.used_mib), (Some(81559), Some(1032)));
        assert_eq!((card.temperature_celsius, card.gpu_percent), (Some(31), Some(0)));
        assert_eq!(card.mig_mode.as_deref(), Some("Disabled"));
        assert_eq!(card.compute_mode.as_deref(), Some("Default"));
    }

    #[test]
    fn what_is_not_told_is_unknown() {
        let cards = parse_cards(&lines(
            "1, GPU-7, NVIDIA GB10, 0000000F:01:00.0, 580.95, [N/A], [Not Supported], 40, \
             [Unknown Error], [N/A], Default",
        ))
        .unwrap();
        assert_eq!((cards[0].total_mib, cards[0].used_mib), (None, None));
        assert_eq!((cards[0].gpu_percent, cards[0].mig_mode.as_deref()), (None, None));
        let held = parse_holdings(&lines("GPU-7, 4711, [N/A]")).unwrap();
        assert_eq!(held, [Holding { gpu_uuid: "GPU-7".to_owned(), pid: 4711, used_mib: None }]);
    }

    #[test]
    fn processes_on_two_gpus() {
        let held = parse_holdings(&lines("GPU-7, 4711, 1032\n\nGPU-8, 4711, 520\n")).unwrap();
        assert_eq!(held.len(), 2);
        assert_eq!((held[1].pid, held[1].used_mib), (4711, Some(520)));
        assert_eq!(parse_holdings(&[]).unwrap(), []);
    }

    #[test]
    fn another_form_is_an_error_with_the_line() {
        for line in ["No running processes found", "GPU-7, 4711", "GPU-7, me, 4", "GPU-7, 1, 4 MiB"]
        {
            let error = parse_holdings(&lines(line)).unwrap_err();
            assert!(format!("{error:#}").contains(line), "{error:#}");
        }
        assert!(parse_cards(&lines("0, GPU-7")).is_err());
    }
}
