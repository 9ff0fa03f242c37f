//! The threads that call NVML, and what they report. Whoever reads the reports
//! never waits for NVML.

use std::{
    io,
    sync::{
        Arc, Condvar, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
        mpsc as sync_channel,
    },
    thread,
    time::{Duration, Instant},
};

use nvml_wrapper::Nvml;
use tokio::sync::mpsc;

use super::{
    library::Library,
    session::{Depth, Look, Session},
    xid_watch,
};
use crate::model::{GpuAccess, GpuHealth, GpuIdentity, GpuSnapshot};

/// A call that takes longer has stalled.
const DEADLINE: Duration = Duration::from_secs(5);
/// How soon a library or a driver that is not there is looked for again.
const ABSENT_WAIT: Duration = Duration::from_secs(5);
/// How long a GPU that does not answer is only reported, before the driver is
/// asked for its GPUs anew.
const LOST_WAIT: Duration = Duration::from_secs(10);
/// Reports that may wait for their reader.
const REPORTS_MAX: usize = 64;
/// How long the end of a run waits for the threads: a library should not be
/// torn down under them.
const END_WAIT: Duration = Duration::from_millis(500);

/// What the threads report.
#[derive(Debug)]
pub enum GpuReport {
    /// The way to the GPUs has changed.
    Access(GpuAccess),
    /// A look at all GPUs.
    Snapshot(GpuSnapshot),
    /// A GPU's driver reported an error.
    Xid(XidReport),
}

/// An XID error, as NVML tells it: on which GPU, but not whose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct XidReport {
    /// When it was heard of, on the boot clock, in nanoseconds.
    pub ktime_ns: u64,
    /// The GPU; `None` where it no longer tells which it is.
    pub gpu: Option<GpuIdentity>,
    /// Its code; `None` where NVML has lost it.
    pub xid: Option<u32>,
}

/// Looks at the GPUs again and again.
pub struct GpuMonitor {
    reports: mpsc::Receiver<GpuReport>,
    calls: Arc<Calls>,
    stop: Arc<Stop>,
    /// Closed when the thread has ended.
    ended: sync_channel::Receiver<()>,
    now: fn() -> u64,
}

impl GpuMonitor {
    /// Starts to look for that much, once in `interval`. `now` is the boot clock, in
    /// nanoseconds.
    ///
    /// # Errors
    /// No thread can be started.
    pub fn start(
        library: Library,
        depth: Depth,
        interval: Duration,
        now: fn() -> u64,
    ) -> io::Result<Self> {
        let (sender, reports) = mpsc::channel(REPORTS_MAX);
        let (end, ended) = sync_channel::channel();
        let calls = Arc::new(Calls::default());
        let stop = Arc::new(Stop::default());
        let looker = Looker {
            library,
            depth,
            interval,
            now,
            reports: sender,
            calls: Arc::clone(&calls),
            stop: Arc::clone(&stop),
            told: None,
        };
        thread::Builder::new().name("gpu".to_owned()).spawn(move || {
            looker.run();
            drop(end);
        })?;
        Ok(Self { reports, calls, stop, ended, now })
    }

    /// The next report. Cancelling it loses none.
    pub async fn next(&mut self) -> GpuReport {
        match self.reports.recv().await {
            Some(report) => report,
            // The thread is gone, which it only is at the end.
            None => std::future::pending().await,
        }
    }

    /// The next report that is there already.
    pub fn try_next(&mut self) -> Option<GpuReport> {
        self.reports.try_recv().ok()
    }

    /// For how long NVML has not answered, where that is longer than it may
    /// take.
    #[must_use]
    pub fn stalled(&self) -> Option<Duration> {
        let since = self.calls.since()?;
        let waited = Duration::from_nanos((self.now)().saturating_sub(since));
        (waited >= DEADLINE).then_some(waited)
    }
}

impl Drop for GpuMonitor {
    fn drop(&mut self) {
        self.stop.set();
        // A report that waits for room waits for us.
        self.reports.close();
        // Whether it ended or hangs in a call: we go.
        let _ = self.ended.recv_timeout(END_WAIT);
    }
}

/// Looks once at everything, for a report.
#[must_use]
pub fn read_once(
    library: Library,
    deadline: Duration,
    now: fn() -> u64,
) -> (GpuAccess, Option<GpuSnapshot>) {
    let (sender, receiver) = sync_channel::channel();
    let look = move || {
        let found = library.open().and_then(|nvml| {
            let session = Session::new(&nvml)?;
            Ok(session.look(Depth::Everything, now())?.snapshot)
        });
        // Nobody waits any more where it took too long.
        let _ = sender.send(found);
    };
    if let Err(error) = thread::Builder::new().name("gpu".to_owned()).spawn(look) {
        return (GpuAccess::Failed(format!("no thread can be started: {error}").into()), None);
    }
    match receiver.recv_timeout(deadline) {
        Ok(Ok(snapshot)) => (GpuAccess::Ready, Some(snapshot)),
        Ok(Err(access)) => (access, None),
        Err(_) => (GpuAccess::Stalled, None),
    }
}

/// Since when NVML is being called; 0 while it is not.
#[derive(Debug, Default)]
struct Calls(AtomicU64);

impl Calls {
    fn during<T>(&self, now: fn() -> u64, call: impl FnOnce() -> T) -> T {
        self.0.store(now().max(1), Ordering::Relaxed);
        let result = call();
        self.0.store(0, Ordering::Relaxed);
        result
    }

    fn since(&self) -> Option<u64> {
        Some(self.0.load(Ordering::Relaxed)).filter(|since| *since != 0)
    }
}

/// Tells a thread to end, also while it waits.
#[derive(Debug, Default)]
pub(super) struct Stop {
    is_set: Mutex<bool>,
    changed: Condvar,
}

impl Stop {
    pub(super) fn set(&self) {
        *self.is_set.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
    }

    pub(super) fn is_set(&self) -> bool {
        *self.is_set.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for that long at most; tells whether it is time to end.
    pub(super) fn wait(&self, time: Duration) -> bool {
        let is_set = self.is_set.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.changed.wait_timeout_while(is_set, time, |is_set| !*is_set);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

/// Why a session is over.
enum Over {
    /// The run is.
    Stopped,
    /// GPUs may have come, gone or come back.
    Anew,
    /// The driver has gone.
    Access(GpuAccess),
}

/// The thread's own.
struct Looker {
    library: Library,
    depth: Depth,
    interval: Duration,
    now: fn() -> u64,
    reports: mpsc::Sender<GpuReport>,
    calls: Arc<Calls>,
    stop: Arc<Stop>,
    told: Option<GpuAccess>,
}

impl Looker {
    fn run(mut self) {
        let calls = Arc::clone(&self.calls);
        loop {
            let over = match calls.during(self.now, || self.library.open()) {
                Ok(nvml) => {
                    let over = self.follow(&nvml);
                    calls.during(self.now, || drop(nvml));
                    over
                }
                Err(access) => Over::Access(access),
            };
            let wait = match over {
                Over::Stopped => return,
                Over::Anew => Duration::ZERO,
                Over::Access(access) => {
                    self.tell(access);
                    ABSENT_WAIT
                }
            };
            if self.stop.wait(wait) {
                return;
            }
        }
    }

    /// Looks at the GPUs of one driver until something changes.
    fn follow(&mut self, nvml: &Nvml) -> Over {
        let (calls, stop) = (Arc::clone(&self.calls), Arc::clone(&self.stop));
        let session = match calls.during(self.now, || Session::new(nvml)) {
            Ok(session) => session,
            Err(access) => return Over::Access(access),
        };
        self.tell(GpuAccess::Ready);
        let devices = session.devices().collect();
        let over = Stop::default();
        let (reports, now) = (self.reports.clone(), self.now);
        thread::scope(|scope| {
            let watch =
                thread::Builder::new().name("gpu-xid".to_owned()).spawn_scoped(scope, || {
                    xid_watch::watch(nvml, devices, &over, now, |xid| {
                        // The reader has gone; so will we.
                        let _ = reports.blocking_send(GpuReport::Xid(xid));
                    });
                });
            let why = self.look_again_and_again(&session, &calls, &stop);
            over.set();
            // It ends within one wait, unless NVML stalls: then that shows.
            calls.during(now, || watch.map(|watch| watch.join()).ok());
            why
        })
    }

    fn look_again_and_again(&self, session: &Session<'_>, calls: &Calls, stop: &Stop) -> Over {
        let mut silent_since = None;
        loop {
            let begun = Instant::now();
            let Look { snapshot, has_changed } =
                match calls.during(self.now, || session.look(self.depth, (self.now)())) {
                    Ok(look) => look,
                    Err(access) => return Over::Access(access),
                };
            let is_silent = snapshot.gpus.iter().any(|gpu| gpu.health != GpuHealth::Ok);
            if self.reports.blocking_send(GpuReport::Snapshot(snapshot)).is_err() {
                return Over::Stopped;
            }
            silent_since = is_silent.then(|| silent_since.unwrap_or(begun));
            if has_changed || silent_since.is_some_and(|since| since.elapsed() >= LOST_WAIT) {
                return Over::Anew;
            }
            if stop.wait(self.interval.saturating_sub(begun.elapsed())) {
                return Over::Stopped;
            }
        }
    }

    /// Reports a change of access.
    fn tell(&mut self, access: GpuAccess) {
        if self.told.as_ref() != Some(&access) {
            self.told = Some(access.clone());
            let _ = self.reports.blocking_send(GpuReport::Access(access));
        }
    }
}
