//! What a virtual machine's console says, line by line: how the command ended,
//! and whether the kernel did.

use std::collections::VecDeque;

use crate::libtest::{Counts, Failures, LAST_LINE};

/// init prints it before it runs the command.
const BEGIN: &str = "GENOME-TRACE-VM-BEGIN";
/// init prints it with the command's exit status.
const MARK: &str = "GENOME-TRACE-VM-STATUS ";
/// Last lines that a failure shows.
const TAIL: usize = 40;

/// All that is remembered of the console.
#[derive(Default)]
pub(crate) struct Console {
    tail: VecDeque<String>,
    has_begun: bool,
    status: Option<i32>,
    panic: Option<String>,
    counts: Option<Counts>,
    failures: Failures,
}

impl Console {
    /// Takes the next line; returns whether it is worth showing.
    pub(crate) fn line(&mut self, line: &str) -> bool {
        if let Some(status) = line.strip_prefix(MARK) {
            self.status = status.trim().parse().ok();
            return false;
        }
        if line.starts_with(BEGIN) {
            self.has_begun = true;
            return false;
        }
        if self.panic.is_none() && (line.contains("Kernel panic") || line.contains("Oops: ")) {
            self.panic = Some(line.trim().to_owned());
        }
        if let Some(counts) = Counts::parse(line) {
            self.counts = Some(self.counts.unwrap_or_default() + counts);
        }
        self.failures.line(line);
        if self.tail.len() == TAIL {
            self.tail.pop_front();
        }
        self.tail.push_back(line.to_owned());
        true
    }

    /// Whether the command was reached.
    pub(crate) fn has_begun(&self) -> bool {
        self.has_begun
    }

    /// Whether the kernel broke down over a breakpoint that it had set itself,
    /// to change its own code (arch/x86/kernel/alternative.c), and that was gone
    /// when it was asked: emulated processors see such a change too late. No
    /// program can set one.
    pub(crate) fn has_tripped(&self) -> bool {
        self.panic.as_ref().is_some_and(|panic| panic.contains("Oops: int3"))
    }

    /// What the test binary counted.
    pub(crate) fn counts(&self) -> Option<Counts> {
        self.counts
    }

    /// Why the run failed; `None` where it did not.
    pub(crate) fn failure(&self) -> Option<String> {
        let reason = match (&self.panic, self.status) {
            (Some(panic), _) => format!("the kernel broke down: {panic}"),
            (None, Some(0)) => return None,
            (None, Some(status)) => return Some(format!("exit status {status}{}", self.failures)),
            (None, None) => "the machine went down without a word".to_owned(),
        };
        Some(format!("{reason}\n{}", self.tail()))
    }

    /// The last lines.
    pub(crate) fn tail(&self) -> String {
        self.tail.iter().map(|line| format!("{LAST_LINE}{line}\n")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn console(lines: &[&str]) -> Console {
        let mut console = Console::default();
        for line in lines {
            console.line(line);
        }
        console
    }

    #[test]
    fn status_decides() {
        assert_eq!(console(&["GENOME-TRACE-VM-STATUS 0"]).failure(), None);
        assert_eq!(
            console(&["GENOME-TRACE-VM-STATUS 101"]).failure(),
            Some("exit status 101".to_owned())
        );
        let lines = ["test a ... FAILED", "GENOME-TRACE-VM-STATUS 101"];
        assert_eq!(console(&lines).failure(), Some("exit status 101\n  - a".to_owned()));
    }

    #[test]
    fn silence_and_panic_are_failures() {
        let silent = console(&["booting"]).failure().unwrap_or_default();
        assert!(silent.contains("without a word") && silent.contains("| booting"), "{silent}");
        let panic = console(&["[ 1.0] Kernel panic - not syncing: x", "GENOME-TRACE-VM-STATUS 0"]);
        assert!(panic.failure().unwrap_or_default().contains("Kernel panic - not syncing: x"));
    }

    #[test]
    fn the_command_begins_when_init_says_so() {
        assert!(!console(&["[ 2.1] Oops: int3"]).has_begun());
        assert!(console(&["GENOME-TRACE-VM-BEGIN", "[ 2.1] Oops: int3: 0000 [#1]"]).has_tripped());
        let other = ["GENOME-TRACE-VM-BEGIN", "[ 2.1] Oops: 0000 [#1]", "[ 2.2] Oops: int3"];
        assert!(!console(&other).has_tripped());
        assert!(console(&["booting", "GENOME-TRACE-VM-BEGIN", "x"]).has_begun());
    }

    #[test]
    fn counts_are_picked_up() {
        let line = "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out";
        let counts = console(&[line]).counts().unwrap_or_default();
        assert_eq!((counts.passed, counts.ignored), (3, 1));
    }
}
