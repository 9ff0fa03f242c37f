//! Stacks whose names are asked for at the signal that ends a process: a thread
//! looks them up, while the process is dying.

use std::{path::PathBuf, time::Duration};

use rustc_hash::FxHashMap;
use tokio::time::Instant;

use crate::{
    model::{Crash, Event, Frame, LoadedProgram, Payload, ProcessKey, SymbolizedFrame},
    symbolize::{StackAnswer, StackRequest, Symbolizer},
};

/// How long a stack is kept whose process does not end: longer than it takes to
/// dump the core of a big one.
const KEPT: Duration = Duration::from_secs(60);
/// Stacks that are kept at the same time.
const STACKS_MAX: usize = 256;

/// Stacks that were asked for, until the crash that they belong to is told.
pub(super) struct Stacks {
    symbolizer: Symbolizer,
    asked: FxHashMap<ProcessKey, Stack>,
}

struct Stack {
    /// It was asked with the executable, too.
    knows_exe: bool,
    /// As the kernel gave it, for when there are no names.
    frames: Vec<Frame>,
    loaded: Option<LoadedProgram>,
    named: Option<Vec<SymbolizedFrame>>,
    since: Instant,
}

impl Stacks {
    pub(super) fn new(symbolizer: Symbolizer) -> Self {
        Self { symbolizer, asked: FxHashMap::default() }
    }

    /// Asks for the names of a signal's stack, where it has one.
    pub(super) fn hear(&mut self, event: &Event<'_>) {
        let (Payload::Signal(signal), Some(process)) = (&event.payload, &event.process) else {
            return;
        };
        let Some(stack) = signal.stack else { return };
        if self.asked.len() >= STACKS_MAX {
            return;
        }
        let frames: Vec<Frame> = stack.frames().collect();
        let (key, loaded) = (process.key, stack.program());
        let request = StackRequest { key, frames: frames.clone(), exe: None, loaded };
        let named = if self.symbolizer.ask(request) { None } else { Some(Vec::new()) };
        let stack = Stack { knows_exe: false, frames, loaded, named, since: Instant::now() };
        self.asked.insert(key, stack);
    }

    /// Whether no names are waited for. A process that was gone when its stack
    /// was looked at has none; then its executable, which its crash tells, may
    /// have them.
    pub(super) fn is_named(&mut self, crash: &Crash) -> bool {
        let Some(stack) = self.asked.get_mut(&crash.key) else { return true };
        let Some(named) = &stack.named else { return false };
        let lacks_names = named.iter().any(|frame| frame.function.is_none());
        if lacks_names
            && !stack.knows_exe
            && let Some(exe) = &crash.exe
        {
            stack.knows_exe = true;
            let exe = Some(PathBuf::from(exe));
            let (frames, loaded) = (stack.frames.clone(), stack.loaded);
            if self.symbolizer.ask(StackRequest { key: crash.key, frames, exe, loaded }) {
                stack.named = None;
                return false;
            }
        }
        true
    }

    /// A process' stack, named or not, a frame a line; it is not kept any more.
    pub(super) fn take(&mut self, key: ProcessKey) -> Option<Vec<String>> {
        let Stack { frames, named, .. } = self.asked.remove(&key)?;
        let lines: Vec<String> = match named {
            Some(named) if !named.is_empty() => named.iter().map(ToString::to_string).collect(),
            _ => frames.iter().map(ToString::to_string).collect(),
        };
        (!lines.is_empty()).then_some(lines)
    }

    /// The next answer. Cancelling it loses none.
    pub(super) async fn next(&mut self) -> StackAnswer {
        self.symbolizer.next().await
    }

    /// Takes an answer in.
    pub(super) fn answered(&mut self, answer: StackAnswer) {
        if let Some(stack) = self.asked.get_mut(&answer.key) {
            stack.named = Some(answer.frames);
        }
    }

    /// Forgets those whose process does not end.
    pub(super) fn tick(&mut self) {
        self.asked.retain(|_, stack| stack.since.elapsed() < KEPT);
    }
}
