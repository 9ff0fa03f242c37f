//! What the tracer says that some processes did to files.

use std::path::Path;

use genome_trace_tests_kernel::{Checks, Event, Trace, Truth, sum};

/// The file events of a workload's workers, who do nothing but their work.
pub(crate) struct FileAccount<'a> {
    trace: &'a Trace,
    workers: Vec<u64>,
}

impl<'a> FileAccount<'a> {
    pub(crate) fn new(trace: &'a Trace, truth: &Truth) -> Self {
        Self { trace, workers: truth.workers() }
    }

    pub(crate) fn events(&self, kind: &str) -> impl Iterator<Item = &'a Event> {
        self.trace.events.kind(kind).filter(|event| self.is_ours(event))
    }

    fn is_ours(&self, event: &Event) -> bool {
        event.tgid().is_some_and(|tgid| self.workers.contains(&tgid))
    }

    /// Events of a kind and lost records of it make up exactly what was done.
    /// Where the tracer says that calls of its probes were skipped, those may
    /// have been among them: what is missing must be told there.
    pub(crate) fn check_count(&self, checks: &mut Checks, kind: &str, seen: u64, done: u64) {
        let lost = self.trace.loss.of(kind);
        let told = format!("{kind}: {seen} seen, {lost} lost, {done} done");
        let skipped = self.trace.loss.of("skipped");
        if skipped > 0 {
            checks.holds(
                seen <= done && seen + lost + skipped >= done,
                format_args!("{told}, {skipped} skipped"),
            );
        } else if lost > 0 && self.others_did(kind) {
            // Some of the lost ones may be other processes'.
            checks.holds(seen <= done && seen + lost >= done, told);
        } else {
            checks.holds(seen + lost == done, told);
        }
    }

    fn others_did(&self, kind: &str) -> bool {
        let mut events = self.trace.events.kind(kind);
        events.any(|event| !self.is_ours(event))
    }

    /// All writes are counted, under whichever path, and none is another's.
    pub(crate) fn check_writes(&self, checks: &mut Checks, calls: u64, bytes_each: u64) {
        let counted = sum(self.events("file_write"), "write_calls");
        self.check_count(checks, "file_write", counted, calls);
        let bytes = sum(self.events("file_write"), "written_bytes");
        checks.equal("written bytes", bytes, counted * bytes_each);
    }

    /// Every path that is known lies under `folder`.
    pub(crate) fn check_paths(&self, checks: &mut Checks, kind: &str, folder: &Path) {
        for path in self.events(kind).filter_map(|event| event.payload_text("path")) {
            checks.holds(
                Path::new(path).starts_with(folder),
                format_args!("{kind} of {path}, which is not under {}", folder.display()),
            );
        }
    }
}
