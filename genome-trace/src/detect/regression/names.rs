//! What is counted by name in a run.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Crash, CrashKind, Run, RunFolder, RunNameKind, RunReport};

/// The counts of a run by name; none of them is 0.
pub(super) fn counts(run: &Run, kind: RunNameKind) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    let mut add = |name: &str, count: u64| {
        if count > 0 {
            let sum: &mut u64 = counts.entry(name.to_owned()).or_default();
            *sum = sum.saturating_add(count);
        }
    };
    match kind {
        RunNameKind::Executables => {
            run.executables.iter().for_each(|(name, of)| add(name, of.execs));
        }
        RunNameKind::Failures => run
            .executables
            .iter()
            .for_each(|(name, of)| add(name, of.failed_exits.saturating_add(of.signaled))),
        RunNameKind::Crashes => {
            run.crashes.iter().for_each(|crash| add(&crash_name(crash), 1));
        }
        RunNameKind::Endings => run.endings.iter().for_each(|(name, count)| add(name, *count)),
        RunNameKind::Signals => run.signals.iter().for_each(|(name, count)| add(name, *count)),
        RunNameKind::LeftRunning => {
            run.left_running.iter().for_each(|(name, count)| add(name, *count));
        }
        RunNameKind::FilesCreated
        | RunNameKind::FilesUnlinked
        | RunNameKind::FilesWritten
        | RunNameKind::WrittenBytes => {
            run.folders.iter().for_each(|(name, of)| add(name, of_folder(of, kind)));
        }
    }
    counts
}

/// How much of a kind is in no list of a run.
pub(super) const fn unlisted(run: &Run, kind: RunNameKind) -> u64 {
    match kind {
        RunNameKind::Executables | RunNameKind::Failures => run.unlisted.execs,
        RunNameKind::Crashes => run.unlisted.crashes,
        RunNameKind::Endings | RunNameKind::Signals | RunNameKind::LeftRunning => 0,
        RunNameKind::FilesCreated
        | RunNameKind::FilesUnlinked
        | RunNameKind::FilesWritten
        | RunNameKind::WrittenBytes => of_folder(&run.unlisted.folders, kind),
    }
}

/// Every name that a run of the report has, of these kinds together.
pub(super) fn names(report: &RunReport, kinds: &[RunNameKind]) -> BTreeSet<String> {
    let all = report.runs.iter().flat_map(|run| kinds.iter().map(move |kind| counts(run, *kind)));
    all.flat_map(BTreeMap::into_keys).collect()
}

const fn of_folder(of: &RunFolder, kind: RunNameKind) -> u64 {
    match kind {
        RunNameKind::FilesCreated => of.created,
        RunNameKind::FilesUnlinked => of.unlinked,
        RunNameKind::FilesWritten => of.written_files,
        RunNameKind::WrittenBytes => of.written_bytes,
        _ => 0,
    }
}

/// What crashed of what, without what differs from one crash to the next alike:
/// `SIGSEGV of worker`, `exit 1 of python3: ValueError`.
fn crash_name(crash: &Crash) -> String {
    let what = match (crash.kind, crash.ending) {
        (CrashKind::Oom, _) => "OOM kill".to_owned(),
        (CrashKind::GpuFault, _) => "GPU fault".to_owned(),
        (_, Some(ending)) => ending.name(),
        (kind, None) => kind.name().to_owned(),
    };
    let who = crash.comm.as_deref().unwrap_or("an unknown program");
    let error = crash.traceback.as_ref().and_then(|of| error_class(&of.error));
    match error {
        Some(error) => format!("{what} of {who}: {error}"),
        None => format!("{what} of {who}"),
    }
}

/// The class that an interpreter's error begins with; the rest may have a value
/// in it.
fn error_class(error: &str) -> Option<&str> {
    let class = error.split(':').next().unwrap_or_default().trim();
    let is_class = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    (!class.is_empty() && class.chars().all(is_class)).then_some(class)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{CrashTraceback, Ending, ProcessKey, SignalNumber, WallTime};

    #[test]
    fn a_crash_has_a_name_without_values() {
        let key = ProcessKey { tgid: 5, start_time: 6 };
        let mut crash =
            Crash::new(WallTime { unix_ns: 1 }, 2, key, CrashKind::FatalSignal, "why".to_owned());
        assert_eq!(crash_name(&crash), "fatal_signal of an unknown program");
        crash.comm = Some("python3".to_owned());
        crash.ending = Some(Ending::Signaled { signal: SignalNumber(11), core_dumped: true });
        assert_eq!(crash_name(&crash), "SIGSEGV of python3");
        crash.kind = CrashKind::Oom;
        assert_eq!(crash_name(&crash), "OOM kill of python3");
        crash.kind = CrashKind::ErrorExit;
        crash.ending = Some(Ending::Exited { code: 1 });
        let traceback = |error: &str| {
            let text = String::new();
            let language = "Python".to_owned();
            Some(CrashTraceback { language, error: error.to_owned(), place: None, text })
        };
        crash.traceback = traceback("torch.cuda.OutOfMemoryError: tried 7.5 GiB at 0xffe0");
        assert_eq!(crash_name(&crash), "exit 1 of python3: torch.cuda.OutOfMemoryError");
        crash.traceback = traceback("called `Option::unwrap()` on a `None` value");
        assert_eq!(crash_name(&crash), "exit 1 of python3");
    }
}
