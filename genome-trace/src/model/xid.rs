//! What the NVIDIA driver's error numbers (XIDs) mean, and what to do about
//! them.

mod table;

use table::MEANINGS;

/// What an XID says, in one line each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct XidMeaning {
    /// What happened.
    pub summary: &'static str,
    /// Where to look first.
    pub cause: XidCause,
    /// What to do, as an order.
    pub remedy: &'static str,
}

/// Where an XID most often comes from. It is where to look first, not a
/// verdict: NVIDIA's documents give several causes for most numbers, and
/// broken hardware can cause nearly all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum XidCause {
    /// The program that used the GPU.
    Application,
    /// The driver, or the firmware that it loads into the GPU.
    Driver,
    /// The GPU, other than its memory.
    Hardware,
    /// The GPU's memory, on the chip or beside it.
    Memory,
    /// What the GPU is plugged into: PCI Express, or the link to the CPU.
    Bus,
    /// The links between GPUs and switches.
    Nvlink,
    /// Power and heat.
    Power,
    /// Nothing: it follows from something else, or was asked for.
    Notice,
}

impl XidCause {
    /// A word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Application => "application",
            Self::Driver => "driver",
            Self::Hardware => "hardware",
            Self::Memory => "memory",
            Self::Bus => "bus",
            Self::Nvlink => "nvlink",
            Self::Power => "power",
            Self::Notice => "notice",
        }
    }
}

/// What an XID means; `None` where NVIDIA does not say.
#[must_use]
pub fn xid_meaning(xid: u32) -> Option<&'static XidMeaning> {
    let at = MEANINGS.binary_search_by_key(&xid, |(code, _)| *code).ok()?;
    MEANINGS.get(at).map(|(_, meaning)| meaning)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cause(xid: u32) -> Option<XidCause> {
        xid_meaning(xid).map(|meaning| meaning.cause)
    }

    #[test]
    fn codes_are_sorted_and_unique() {
        assert!(MEANINGS.is_sorted_by(|(left, _), (right, _)| left < right));
    }

    #[test]
    fn every_code_is_found() {
        for (code, meaning) in MEANINGS {
            assert_eq!(xid_meaning(*code), Some(meaning));
        }
    }

    #[test]
    fn every_text_is_one_line_without_a_full_stop() {
        for (code, meaning) in MEANINGS {
            for text in [meaning.summary, meaning.remedy] {
                assert!(!text.is_empty(), "{code}");
                assert!(!text.ends_with('.'), "{code}: {text}");
                assert!(!text.contains('\n'), "{code}: {text}");
                // A line continuation in the table that lost its backslash.
                assert!(!text.contains("  "), "{code}: {text}");
            }
        }
    }

    #[test]
    fn what_programs_cause() {
        let fault = xid_meaning(31).unwrap();
        assert!(fault.summary.contains("page fault"));
        assert!(fault.remedy.contains("compute-sanitizer"));
        assert_eq!(fault.cause, XidCause::Application);
        let stopped = xid_meaning(43).unwrap();
        assert_eq!(stopped.cause, XidCause::Application);
        assert!(stopped.summary.contains("GPU itself is healthy"));
    }

    #[test]
    fn what_memory_causes_and_how_far_it_reaches() {
        assert!(xid_meaning(48).unwrap().summary.contains("ECC"));
        assert!([48, 94, 95].iter().all(|xid| cause(*xid) == Some(XidCause::Memory)));
        assert!(xid_meaning(94).unwrap().summary.contains("one program"));
        assert!(xid_meaning(94).unwrap().remedy.contains("restart the program"));
        assert!(xid_meaning(95).unwrap().summary.contains("more than one program"));
        assert!(xid_meaning(95).unwrap().remedy.contains("reset the GPU"));
    }

    #[test]
    fn what_takes_the_gpu_away() {
        assert!(xid_meaning(79).unwrap().summary.contains("fallen off the bus"));
        assert_eq!(cause(79), Some(XidCause::Bus));
        assert!(xid_meaning(119).unwrap().summary.contains("GSP"));
        assert_eq!(cause(119), Some(XidCause::Driver));
    }

    #[test]
    fn what_is_not_documented_is_unknown() {
        for xid in [0, 5, 10, 17, 53, 91, 173, 999, u32::MAX] {
            assert_eq!(xid_meaning(xid), None);
        }
    }
}
