//! The thread in which names are looked up. Whoever asks never waits for it.

use std::{
    io,
    sync::mpsc::{self as requests, SyncSender},
    thread,
};

use tokio::sync::mpsc as answers;

use super::resolver::{Resolver, StackRequest};
use crate::model::{ProcessKey, SymbolizedFrame};

/// Stacks that may wait for the thread, and answers for their reader.
const WAITING_MAX: usize = 64;

/// A stack with names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StackAnswer {
    /// Whose it is.
    pub key: ProcessKey,
    /// Innermost first.
    pub frames: Vec<SymbolizedFrame>,
}

/// Gives names to stacks. The thread ends with it, or soon after where it is
/// just reading a file.
#[derive(Debug)]
pub struct Symbolizer {
    requests: SyncSender<StackRequest>,
    answers: answers::Receiver<StackAnswer>,
}

impl Symbolizer {
    /// Starts the thread. `is_there` tells whether a process still lives.
    ///
    /// # Errors
    /// No thread can be started.
    pub fn start(is_there: fn(ProcessKey) -> bool) -> io::Result<Self> {
        let (sender, receiver) = requests::sync_channel::<StackRequest>(WAITING_MAX);
        let (told, answers) = answers::channel(WAITING_MAX);
        thread::Builder::new().name("symbolize".to_owned()).spawn(move || {
            let mut resolver = Resolver::new(is_there);
            for request in receiver {
                let frames = resolver.resolve(&request);
                if told.blocking_send(StackAnswer { key: request.key, frames }).is_err() {
                    return;
                }
            }
        })?;
        Ok(Self { requests: sender, answers })
    }

    /// Asks for a stack's names; each request that is taken is answered once,
    /// in the order in which they came. `false` where too many wait already,
    /// and this one is left as it is.
    #[must_use]
    pub fn ask(&self, request: StackRequest) -> bool {
        self.requests.try_send(request).is_ok()
    }

    /// An answer that is there already.
    pub fn try_next(&mut self) -> Option<StackAnswer> {
        self.answers.try_recv().ok()
    }

    /// The next answer. Cancelling it loses none.
    pub async fn next(&mut self) -> StackAnswer {
        match self.answers.recv().await {
            Some(answer) => answer,
            // The thread is gone; nothing will come.
            None => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Frame;

    #[test]
    fn answers_come_in_the_order_of_the_questions() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let mut symbolizer = Symbolizer::start(|_| false).unwrap();
        let key = |tgid| ProcessKey { tgid, start_time: 7 };
        for tgid in [1, 2] {
            let frames = vec![Frame::Address(u64::from(tgid))];
            assert!(symbolizer.ask(StackRequest {
                key: key(tgid),
                frames,
                exe: None,
                loaded: None
            }));
        }
        for tgid in [1, 2] {
            let answer = runtime.block_on(symbolizer.next());
            assert_eq!(answer.key, key(tgid));
            assert_eq!(answer.frames.len(), 1);
            assert_eq!(answer.frames[0].offset, u64::from(tgid));
        }
    }
}
