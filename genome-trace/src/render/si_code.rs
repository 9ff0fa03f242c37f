//! Names of `si_code`, which says who raised a signal and why (sigaction(2),
//! include/uapi/asm-generic/siginfo.h).

use crate::model::SignalNumber;

/// The name of a signal's `si_code`, as in `SEGV_MAPERR` or `SI_USER`; `None`
/// where the kernel's headers have none.
#[must_use]
pub fn code_name(signal: SignalNumber, code: i32) -> Option<&'static str> {
    any_signals(code).or_else(|| match (signal.0, code) {
        (8, 14) => Some("FPE_FLTUNK"),
        (8, 15) => Some("FPE_CONDTRAP"),
        _ => in_own_names(signal, code),
    })
}

fn in_own_names(signal: SignalNumber, code: i32) -> Option<&'static str> {
    let names = own_names(signal.0);
    usize::try_from(code).ok()?.checked_sub(1).and_then(|index| names.get(index)).copied()
}

/// Codes that mean the same with every signal.
const fn any_signals(code: i32) -> Option<&'static str> {
    Some(match code {
        0 => "SI_USER",
        0x80 => "SI_KERNEL",
        -1 => "SI_QUEUE",
        -2 => "SI_TIMER",
        -3 => "SI_MESGQ",
        -4 => "SI_ASYNCIO",
        -5 => "SI_SIGIO",
        -6 => "SI_TKILL",
        -7 => "SI_DETHREAD",
        -60 => "SI_ASYNCNL",
        _ => return None,
    })
}

/// A signal's own codes, from 1 on without a gap.
const fn own_names(signal: u32) -> &'static [&'static str] {
    match signal {
        4 => &[
            "ILL_ILLOPC",
            "ILL_ILLOPN",
            "ILL_ILLADR",
            "ILL_ILLTRP",
            "ILL_PRVOPC",
            "ILL_PRVREG",
            "ILL_COPROC",
            "ILL_BADSTK",
            "ILL_BADIADDR",
        ],
        5 => &["TRAP_BRKPT", "TRAP_TRACE", "TRAP_BRANCH", "TRAP_HWBKPT", "TRAP_UNK", "TRAP_PERF"],
        7 => &["BUS_ADRALN", "BUS_ADRERR", "BUS_OBJERR", "BUS_MCEERR_AR", "BUS_MCEERR_AO"],
        8 => &[
            "FPE_INTDIV",
            "FPE_INTOVF",
            "FPE_FLTDIV",
            "FPE_FLTOVF",
            "FPE_FLTUND",
            "FPE_FLTRES",
            "FPE_FLTINV",
            "FPE_FLTSUB",
        ],
        11 => &[
            "SEGV_MAPERR",
            "SEGV_ACCERR",
            "SEGV_BNDERR",
            "SEGV_PKUERR",
            "SEGV_ACCADI",
            "SEGV_ADIDERR",
            "SEGV_ADIPERR",
            "SEGV_MTEAERR",
            "SEGV_MTESERR",
            "SEGV_CPERR",
        ],
        29 => &["POLL_IN", "POLL_OUT", "POLL_MSG", "POLL_ERR", "POLL_PRI", "POLL_HUP"],
        31 => &["SYS_SECCOMP", "SYS_USER_DISPATCH"],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_named_by_signal() {
        let name = |signal, code| code_name(SignalNumber(signal), code);
        assert_eq!(name(11, 1), Some("SEGV_MAPERR"));
        assert_eq!(name(7, 1), Some("BUS_ADRALN"));
        assert_eq!(name(11, 0), Some("SI_USER"));
        assert_eq!(name(11, 0x80), Some("SI_KERNEL"));
        assert_eq!(name(15, -6), Some("SI_TKILL"));
        assert_eq!(name(8, 15), Some("FPE_CONDTRAP"));
        assert_eq!(name(31, 2), Some("SYS_USER_DISPATCH"));
    }

    #[test]
    fn an_unknown_code_has_no_name() {
        let name = |signal, code| code_name(SignalNumber(signal), code);
        assert_eq!(name(15, 1), None);
        assert_eq!(name(11, 99), None);
        assert_eq!(name(11, -61), None);
        assert_eq!(name(11, i32::MIN), None);
        assert_eq!(name(u32::MAX, i32::MAX), None);
    }
}
