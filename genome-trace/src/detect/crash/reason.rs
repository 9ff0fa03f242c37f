//! Why it ended, in words, and what speaks for that.

use super::{
    subject::{HeardOom, HeardSignal, Subject, lossy},
    verdict::{ABRT, BUS, End, FPE, ILL, SEGV, SYS, TRAP, XCPU, XFSZ},
    xids::HeardXid,
};
use crate::{
    detect::traceback,
    model::{
        Crash, CrashKind, CrashTraceback, Ending, Evidence, Known, MemoryConstraint, SignalNumber,
        XidTie,
    },
    render::{
        code_name,
        units::{Bytes, Elapsed},
    },
};

/// A shell's word for a child that a signal ended: this and its number
/// (POSIX, shell command language, exit status).
const SHELL_SIGNAL_BASE: u8 = 128;
/// What an exit code alone leaves open, and a traceback does not.
const WHY_THAT_CODE: &str = "why it chose that code: it said so, if at all, on stderr";

/// The reason in words.
pub(super) fn of(kind: CrashKind, end: &End<'_>, xid: Option<&HeardXid>, end_ns: u64) -> String {
    match (kind, end.ending) {
        (CrashKind::Oom, _) => end.oom.map_or_else(|| "out of memory".to_owned(), out_of_memory),
        (CrashKind::GpuFault, ending) => match xid {
            Some(xid) => of_xid(xid, ending, end_ns),
            // It is put in words when the error is heard.
            None => "a GPU's error".to_owned(),
        },
        (_, Ending::Exited { code }) => format!("it exited with code {code}"),
        (_, Ending::Signaled { signal, .. }) => match (kind, meaning(signal)) {
            (CrashKind::FatalSignal, Some(meaning)) => {
                format!("{signal}: {meaning}{}", by_somebody_else(end))
            }
            (CrashKind::FatalSignal, None) => format!("{signal}{}", by_somebody_else(end)),
            _ => format!("{signal} {}", from_whom(end.signal)),
        },
    }
}

/// The reason where a GPU's error is it.
pub(super) fn of_xid(xid: &HeardXid, ending: Ending, end_ns: u64) -> String {
    format!("{}, {} it ended by {}", xid.words(), when(xid, end_ns), ending_words(ending))
}

/// An error has the time when it was heard of, which may be after the end.
fn when(xid: &HeardXid, end_ns: u64) -> String {
    match end_ns.checked_sub(xid.ktime_ns) {
        Some(age @ 1..) => format!("{} before", Elapsed(age)),
        _ => "heard right after".to_owned(),
    }
}

/// What speaks for a GPU's error as the reason.
pub(super) fn xid_evidence(xid: &HeardXid, end_ns: u64) -> Vec<Evidence> {
    let mut lines = Lines(Vec::new());
    lines.xid(xid, end_ns);
    lines.0
}

/// Adds what a process wrote last to its standard error, secrets masked, and
/// what that says of the reason.
pub fn add_stderr(crash: &mut Crash, masked: String) {
    // It is kept from soon after the exec on. Where nothing came, only who never
    // wrote anything has said nothing for sure.
    if masked.is_empty() && crash.activity.write_calls != Some(0) {
        return;
    }
    if let Some(found) = traceback(&masked) {
        let (error, language) = (found.error.to_owned(), found.kind.name().to_owned());
        let place = found.place.map(str::to_owned);
        // It is known now, as far as the program knew it.
        crash.evidence.retain(|line| line.text != WHY_THAT_CODE);
        crash.evidence.push(Evidence {
            known: Known::Observed,
            text: format!("its standard error has a traceback by {language}: {error}"),
        });
        crash.reason = format!("{}: {error}", crash.reason);
        let text = found.text.to_owned();
        crash.traceback = Some(CrashTraceback { language, error, place, text });
    }
    crash.stderr_tail = Some(masked);
}

fn ending_words(ending: Ending) -> String {
    match ending {
        Ending::Exited { code } => format!("exit code {code}"),
        Ending::Signaled { signal, .. } => signal.to_string(),
    }
}

fn out_of_memory(oom: &HeardOom) -> String {
    let limit = match (oom.memory_usage_bytes, oom.memory_limit_bytes) {
        (Some(usage), Some(limit)) => {
            format!(", {} used of {}", Bytes(usage), Bytes(limit))
        }
        (None, Some(limit)) => format!(", which is {}", Bytes(limit)),
        _ => String::new(),
    };
    match (oom.constraint, oom.memory_cgroup_path.as_deref()) {
        (Some(MemoryConstraint::Memcg), Some(path)) => {
            format!("the memory cgroup {} was at its limit{limit}", lossy(path))
        }
        (Some(MemoryConstraint::Memcg), None) => {
            format!("its memory cgroup was at its limit{limit}")
        }
        (Some(MemoryConstraint::Global), _) => "the machine had run out of memory".to_owned(),
        (None, _) => "out of memory; whether a cgroup's or the machine's is unknown".to_owned(),
    }
}

const fn meaning(signal: SignalNumber) -> Option<&'static str> {
    Some(match signal.0 {
        SEGV => "it touched memory that it does not have",
        BUS => "it touched memory that is not there, such as beyond the end of a file",
        ILL => "it ran an instruction that the processor does not know",
        FPE => "it divided by zero, or its arithmetic overflowed",
        ABRT => "it gave up by itself (abort)",
        TRAP => "it ran into a breakpoint or an assertion",
        SYS => "it made a system call that is not allowed",
        XCPU => "it used more CPU time than its limit",
        XFSZ => "it made a file larger than its limit",
        _ => return None,
    })
}

/// A fatal signal can be sent, too.
fn by_somebody_else(end: &End<'_>) -> String {
    match end.signal {
        Some(HeardSignal { sender_tgid: Some(sender), sender_comm, .. })
            if *sender != end.key.tgid =>
        {
            format!(" (sent by {})", named(*sender, sender_comm.as_deref()))
        }
        _ => String::new(),
    }
}

fn from_whom(signal: Option<&HeardSignal>) -> String {
    match signal {
        Some(HeardSignal { sender_tgid: Some(sender), sender_comm, .. }) => {
            format!("from {}", named(*sender, sender_comm.as_deref()))
        }
        Some(_) => "from the kernel; who made it do so is unknown".to_owned(),
        None => "from somebody unknown".to_owned(),
    }
}

fn named(tgid: u32, comm: Option<&[u8]>) -> String {
    match comm {
        Some(comm) => format!("{} ({tgid})", lossy(comm)),
        None => format!("process {tgid}"),
    }
}

/// What speaks for it, and what is not known.
pub(super) fn evidence(
    end: &End<'_>,
    xid: Option<&HeardXid>,
    subject: Option<&Subject>,
    end_ns: u64,
) -> Vec<Evidence> {
    let mut lines = Lines(Vec::new());
    lines.observed(format!("it ended by {}", ending_words(end.ending)));
    if let Some(xid) = xid {
        lines.xid(xid, end_ns);
    }
    if let Some(oom) = end.oom {
        lines.oom(oom, end.ending);
    }
    match end.ending {
        Ending::Signaled { signal, core_dumped } => {
            lines.signal(signal, end.signal);
            if core_dumped {
                lines.observed("it left a core dump");
            }
        }
        Ending::Exited { code } => lines.code(code),
    }
    match (end.persona, end.persona_root) {
        (None, _) => lines.unknown("whose it is: no rule and no environment says"),
        (Some(_), Some(root)) if root != end.key => {
            lines.inferred(format!("whose it is: process {} started it", root.tgid));
        }
        _ => {}
    }
    if subject.is_some_and(|subject| end.persona.is_some() && !subject.files.since_start) {
        lines.unknown("files from before it was watched: it is older than the recorder");
    }
    lines.0
}

struct Lines(Vec<Evidence>);

impl Lines {
    fn add(&mut self, known: Known, text: impl Into<String>) {
        self.0.push(Evidence { known, text: text.into() });
    }

    fn observed(&mut self, text: impl Into<String>) {
        self.add(Known::Observed, text);
    }

    fn inferred(&mut self, text: impl Into<String>) {
        self.add(Known::Inferred, text);
    }

    fn unknown(&mut self, text: impl Into<String>) {
        self.add(Known::Unknown, text);
    }

    fn xid(&mut self, xid: &HeardXid, end_ns: u64) {
        let told = format!("the driver told {}, {} the end", xid.words(), when(xid, end_ns));
        self.observed(told);
        match xid.tie {
            Some(XidTie::Driver) => self.observed("the driver named this process"),
            Some(XidTie::SoleHolder) => {
                self.inferred("the error was of this process: it alone held memory on that GPU");
            }
            None => self.unknown("what ties the error to this process"),
        }
        self.inferred("the process ended of that error");
    }

    fn oom(&mut self, oom: &HeardOom, ending: Ending) {
        match ending {
            Ending::Signaled { signal: SignalNumber(super::verdict::KILL), .. } => {
                self.observed("the OOM killer chose it");
            }
            _ => self.observed("the OOM killer chose it when it was ending already"),
        }
        match oom.constraint {
            Some(MemoryConstraint::Memcg) => self.observed("a memory cgroup was at its limit"),
            Some(MemoryConstraint::Global) => self.observed("the machine had no memory left"),
            None => self.unknown("whether a memory cgroup or the machine ran out"),
        }
        if let (Some(usage), Some(limit)) = (oom.memory_usage_bytes, oom.memory_limit_bytes) {
            let told = format!("limit {}, usage {} at that moment", Bytes(limit), Bytes(usage));
            self.observed(told);
        } else if oom.constraint == Some(MemoryConstraint::Memcg) {
            self.unknown("the limit, or the usage at that moment");
        }
        self.observed(format!("the allocation that failed was of process {}", oom.invoker_tgid));
    }

    fn signal(&mut self, signal: SignalNumber, heard: Option<&HeardSignal>) {
        let Some(heard) = heard else {
            return self.unknown(format!("who sent {signal}: no event told it"));
        };
        let code = code_name(heard.signal, heard.code)
            .map_or_else(|| format!("si_code {}", heard.code), str::to_owned);
        match heard.sender_tgid {
            Some(sender) => {
                let sender = named(sender, heard.sender_comm.as_deref());
                self.observed(format!("{signal} was sent by {sender} ({code})"));
            }
            None => self.observed(format!("{signal} was raised by the kernel ({code})")),
        }
    }

    fn code(&mut self, code: u8) {
        if let Some(signal @ 1..=64) = code.checked_sub(SHELL_SIGNAL_BASE) {
            let signal = SignalNumber(signal.into());
            self.inferred(format!(
                "code {code} is how a shell says that {signal} ended what it ran"
            ));
        }
        match code {
            126 => self.inferred("code 126 is how a shell says that it could not run a command"),
            127 => self.inferred("code 127 is how a shell says that there is no such command"),
            _ => self.unknown(WHY_THAT_CODE),
        }
    }
}
