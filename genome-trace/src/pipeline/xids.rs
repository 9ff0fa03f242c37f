//! One XID error, told twice: NVML says on which GPU and at once, the kernel's
//! log says whose work it was. Joined, it is one event.

use std::time::Duration;

use tokio::time::Instant;

use crate::{
    gpu::{XidReport, pci_address::PciAddress, xid_line::XidLine},
    model::GpuIdentity,
};

/// How long one of the two waits for the other.
const JOIN_WAIT: Duration = Duration::from_millis(300);

/// An XID error, as far as it was told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Xid {
    /// When, on the boot clock, in nanoseconds.
    pub(super) ktime_ns: u64,
    /// Its number.
    pub(super) xid: Option<u32>,
    /// Where it happened.
    pub(super) pci: Option<PciAddress>,
    /// The GPU, as NVML has it.
    pub(super) gpu: Option<GpuIdentity>,
    /// Whom the driver named.
    pub(super) tgid: Option<u32>,
    /// By what name.
    pub(super) comm: Option<Box<[u8]>>,
    /// Its words.
    pub(super) message: Option<Box<[u8]>>,
}

/// Errors that one side has told.
#[derive(Debug, Default)]
pub(super) struct Xids {
    waiting: Vec<Waiting>,
    joined: Vec<Xid>,
}

#[derive(Debug)]
struct Waiting {
    xid: Xid,
    by: Side,
    until: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Nvml,
    Log,
}

impl Xids {
    /// NVML tells one.
    pub(super) fn nvml(&mut self, report: XidReport, now: Instant) {
        let pci = report.gpu.as_ref().and_then(|gpu| gpu.pci_bus_id.as_deref());
        let xid = Xid {
            ktime_ns: report.ktime_ns,
            xid: report.xid,
            pci: pci.and_then(|address| PciAddress::parse(address.as_bytes())),
            gpu: report.gpu,
            ..Xid::default()
        };
        self.hear(xid, Side::Nvml, now);
    }

    /// The kernel's log tells one.
    pub(super) fn log(&mut self, line: &XidLine<'_>, ktime_ns: u64, now: Instant) {
        let xid = Xid {
            ktime_ns,
            xid: Some(line.xid),
            pci: Some(line.pci),
            gpu: None,
            tgid: line.tgid,
            comm: line.name.map(Into::into),
            message: Some(line.message.into()),
        };
        self.hear(xid, Side::Log, now);
    }

    fn hear(&mut self, xid: Xid, by: Side, now: Instant) {
        // NVML gives the last number for each of several that came together,
        // so the number decides only where there is a choice.
        let others = || {
            self.waiting
                .iter()
                .enumerate()
                .filter(|(_, other)| other.by != by && is_one_place(&other.xid, &xid))
        };
        let other = others()
            .find(|(_, other)| other.xid.xid == xid.xid)
            .or_else(|| others().next())
            .map(|(place, _)| place);
        match other.map(|place| self.waiting.remove(place).xid) {
            Some(other) => self.joined.push(match by {
                Side::Nvml => joined(xid, other),
                Side::Log => joined(other, xid),
            }),
            None => self.waiting.push(Waiting { xid, by, until: now + JOIN_WAIT }),
        }
    }

    /// When the next one has waited long enough.
    pub(super) fn due(&self) -> Option<Instant> {
        self.waiting.iter().map(|waiting| waiting.until).min()
    }

    /// The next one that is complete, or has waited long enough.
    pub(super) fn take(&mut self, now: Instant) -> Option<Xid> {
        if !self.joined.is_empty() {
            return Some(self.joined.remove(0));
        }
        let place = self.waiting.iter().position(|waiting| waiting.until <= now)?;
        Some(self.waiting.remove(place).xid)
    }
}

/// A GPU that no longer tells where it is may be any.
fn is_one_place(one: &Xid, other: &Xid) -> bool {
    one.pci.is_none() || other.pci.is_none() || one.pci == other.pci
}

fn joined(nvml: Xid, log: Xid) -> Xid {
    Xid { ktime_ns: nvml.ktime_ns.min(log.ktime_ns), gpu: nvml.gpu, ..log }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn report(xid: u32, pci_bus_id: &str) -> XidReport {
        let gpu =
            GpuIdentity { index: 3, pci_bus_id: Some(pci_bus_id.into()), ..GpuIdentity::default() };
        XidReport { ktime_ns: 20, gpu: Some(gpu), xid: Some(xid) }
    }

    fn line(text: &str) -> XidLine<'_> {
        XidLine::parse(text.as_bytes()).unwrap()
    }

    const OF_31: &str = "NVRM: Xid (PCI:0000:65:00): 31, pid=7, name=python3, Ch 08";
    const OF_43: &str = "NVRM: Xid (PCI:0000:65:00): 43, pid=8, name=python3, Ch 08";
    const PLACE: &str = "00000000:65:00.0";

    fn all(xids: &mut Xids, now: Instant) -> Vec<(Option<u32>, Option<u32>, Option<u32>)> {
        std::iter::from_fn(|| xids.take(now))
            .map(|xid| (xid.xid, xid.tgid, xid.gpu.map(|gpu| gpu.index)))
            .collect()
    }

    #[test]
    fn the_two_are_one_whichever_comes_first() {
        let now = Instant::now();
        for nvml_first in [true, false] {
            let mut xids = Xids::default();
            if nvml_first {
                xids.nvml(report(31, PLACE), now);
                assert_eq!(xids.take(now), None, "told before the other came");
                xids.log(&line(OF_31), 10, now);
            } else {
                xids.log(&line(OF_31), 10, now);
                xids.nvml(report(31, PLACE), now);
            }
            let xid = xids.take(now).unwrap();
            assert_eq!((xid.xid, xid.tgid, xid.ktime_ns), (Some(31), Some(7), 10));
            assert_eq!(xid.gpu.unwrap().index, 3);
            assert_eq!(xids.take(now + JOIN_WAIT), None);
        }
    }

    #[test]
    fn one_side_alone_is_told_after_a_while() {
        let now = Instant::now();
        let mut xids = Xids::default();
        xids.nvml(report(79, PLACE), now);
        assert_eq!(all(&mut xids, now), []);
        let due = xids.due().unwrap();
        assert_eq!(all(&mut xids, due), [(Some(79), None, Some(3))]);
        xids.log(&line(OF_31), 1, now);
        assert_eq!(all(&mut xids, now + JOIN_WAIT), [(Some(31), Some(7), None)]);
        assert_eq!(xids.due(), None);
    }

    #[test]
    fn another_gpus_error_is_another_error() {
        let now = Instant::now();
        let mut xids = Xids::default();
        xids.nvml(report(31, "00000000:17:00.0"), now);
        xids.log(&line(OF_31), 1, now);
        assert_eq!(all(&mut xids, now + JOIN_WAIT).len(), 2);
    }

    #[test]
    fn two_together_of_which_nvml_kept_the_last_number() {
        let now = Instant::now();
        let mut xids = Xids::default();
        xids.log(&line(OF_31), 1, now);
        xids.log(&line(OF_43), 2, now);
        xids.nvml(report(43, PLACE), now);
        xids.nvml(report(43, PLACE), now);
        let told = all(&mut xids, now + JOIN_WAIT);
        assert_eq!(told, [(Some(43), Some(8), Some(3)), (Some(31), Some(7), Some(3))]);
    }
}
