//! A recorder's metrics, served where `--listen` says.

use std::{
    cell::RefCell,
    rc::Rc,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::{
    cli::Listen,
    detect::Count,
    model::{Event, Exposed, GpuSnapshot, StoreTally, Usage, WallTime},
    serve::{Publisher, Server},
    store::{Item, Store, StoreError, StoreState, StoreStatus},
};

/// What was counted: who hears of events and who is given crashes adds to it,
/// and who publishes reads it.
#[derive(Clone, Default)]
pub(super) struct SharedCount(Arc<Mutex<Count>>);

impl SharedCount {
    fn lock(&self) -> MutexGuard<'_, Count> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn hear(&self, event: &Event<'_>) {
        self.lock().hear(event);
    }
}

/// A store that counts the crashes and alerts on their way: each once, however
/// late all is known of it.
pub(super) struct Counted {
    pub(super) store: Arc<dyn Store>,
    pub(super) count: SharedCount,
}

impl Store for Counted {
    fn push(&self, item: Item) {
        match &item {
            Item::Crash(crash) => self.count.lock().crashed(crash),
            Item::Alert(alert) => self.count.lock().alert(alert),
            _ => {}
        }
        self.store.push(item);
    }

    fn flush(&self, patience: Duration) -> Result<(), StoreError> {
        self.store.flush(patience)
    }

    fn status(&self) -> StoreStatus {
        self.store.status()
    }
}

/// The server, and what goes into it.
pub(super) struct Exposition {
    _server: Server,
    publisher: Publisher,
    count: SharedCount,
    probe_mode: Option<&'static str>,
    tracing_since: WallTime,
    latest: SharedLatest,
}

/// The last look.
#[derive(Default)]
pub(super) struct Latest {
    pub(super) usage: Option<Arc<Usage>>,
    pub(super) gpus: Option<Arc<GpuSnapshot>>,
}

/// The same, shared by who looks and who publishes it.
pub(super) type SharedLatest = Rc<RefCell<Latest>>;

impl Exposition {
    /// Begins to listen. Nothing is served before the first
    /// [`Exposition::publish`].
    pub(super) fn start(
        listen: Listen,
        count: SharedCount,
        latest: SharedLatest,
    ) -> anyhow::Result<Self> {
        let (server, publisher) = Server::start(listen.0)?;
        eprintln!("genome-trace: metrics are at http://{}/metrics", server.address());
        if !listen.is_local() {
            eprintln!(
                "genome-trace: whoever reaches {} may read them, without a password",
                server.address()
            );
        }
        let tracing_since = WallTime { unix_ns: 0 };
        Ok(Self { _server: server, publisher, count, probe_mode: None, tracing_since, latest })
    }

    /// The trace has begun.
    pub(super) const fn traces(&mut self, probe_mode: Option<&'static str>, since: WallTime) {
        self.probe_mode = probe_mode;
        self.tracing_since = since;
    }

    /// Serves how things are now.
    pub(super) fn publish(&self, status: &StoreStatus) {
        let latest = self.latest.borrow();
        self.publisher.publish(Arc::new(Exposed {
            version: env!("CARGO_PKG_VERSION"),
            probe_mode: self.probe_mode,
            tracing_since: self.tracing_since,
            tally: self.count.lock().tally().clone(),
            store: store(status),
            usage: latest.usage.clone(),
            gpus: latest.gpus.clone(),
        }));
    }
}

fn store(status: &StoreStatus) -> StoreTally {
    let unstored = status.unstored.iter().map(|(kind, count)| (kind.name(), *count));
    StoreTally {
        stored: status.stored,
        unstored: unstored.collect(),
        is_failing: status.state != StoreState::Storing,
    }
}
