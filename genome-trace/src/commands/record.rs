//! `record`: the recorder, which traces the whole machine into a store until it
//! is stopped.

use std::{
    convert::Infallible,
    process::{self, ExitCode},
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, bail};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::{mpsc, oneshot},
    task::LocalSet,
    time::{Instant, Interval, MissedTickBehavior, interval_at, timeout},
};

use super::{
    alerting,
    config::Config,
    door::Door,
    exposition::{Exposition, Latest, SharedCount, SharedLatest},
    follow, gpus,
    notifying::Notifying,
    recording::Recording,
    session::{self, Session, Wishes},
};
use crate::{
    cli::Record,
    kernel::{
        cgroup::Hierarchy,
        clock::{self, ClockOffset},
        group::group_id,
        service::Service,
    },
    model::AttachWelcome,
    pipeline::{Pipeline, Request, SamplingParts},
    probe::{Mode, Plan},
    sink::Readers,
    wire::Surroundings as _,
};

/// The service manager is told after so many looks, or when something changed.
const LOOKS_A_STATUS: u32 = 10;
/// How long readers may take for the rest when the recorder ends.
const LAST_LINES: Duration = Duration::from_secs(1);

/// Records until Ctrl-C or SIGTERM.
pub(super) fn run(options: &Record) -> anyhow::Result<ExitCode> {
    let config = Config::read(options.config.as_deref())?;
    let group = options.group.as_deref().map(group_named).transpose()?;
    let mut granted = wishes(options).grant()?;
    granted.keep_stderr(config.captures_stderr());
    // A channel that cannot be is told before anything is made or attached, too.
    let notifying = Notifying::start(&config)?;
    let service = Service::from_env()
        .context("cannot reach the service manager: correct or unset NOTIFY_SOCKET")?;
    // Before anything is made or attached, so that a port that is taken, or a
    // second recorder, costs nothing.
    let count = options.listen.map(|_| SharedCount::default());
    let latest = SharedLatest::default();
    let exposition = options
        .listen
        .zip(count.clone())
        .map(|(listen, count)| Exposition::start(listen, count, Rc::clone(&latest)))
        .transpose()?;
    let recording =
        Recording::open(&options.store, group, config.retention(), config.crash_policy())?;
    let door = match options.no_socket {
        true => None,
        false => Door::listen(&options.socket, group)?,
    };
    let runtime = session::event_loop()?;
    let stop = runtime.block_on(async { session::stop(None) })?;
    let (ask, requests) = mpsc::channel(1);
    let mut attendant = runtime.block_on(async {
        anyhow::Ok(Attendant {
            hang_up: signal(SignalKind::hangup()).context("cannot handle SIGHUP")?,
            looks: every(follow::LOOK),
            signs_of_life: service.watchdog().map(|wait| every(wait / 2)),
            options,
            service: &service,
            recording,
            exposition,
            ask: ask.clone(),
            notifying: notifying.clone(),
        })
    })?;
    let Session { mut parts, plan, stderr } = granted.attach()?;
    parts.gpus = gpus::parts(options.gpu_interval, &options.nvml_library, &options.kernel_log)?;
    parts.keep = Some(attendant.recording.keep(stderr, count)?);
    parts.requests = Some(requests);
    attendant.recording.tell();
    eprintln!("genome-trace: recording into {}", attendant.recording.file().display());
    follow::announce(&plan, options.probe_mode, &[], &[]);
    if let Some(exposition) = &mut attendant.exposition {
        let since = ClockOffset::now().wall_time(parts.known.tracing_since());
        exposition.traces(plan.mode.map(Mode::name), since);
        exposition.publish(&attendant.recording.status());
    }
    service.ready();
    let stop = async {
        stop.await;
        service.stopping();
    };
    let readers = Readers::default();
    if !options.no_looks {
        parts.sampling = Some(sampling(readers.clone(), latest));
        let store = attendant.recording.store();
        let remedies = alerting::remedies(&config, options.dry_run, &options.store, store)?;
        let channels = notifying.clone();
        parts.alerts = Some(alerting::parts(&config, &options.store, move |alert| {
            channels.tell(alert);
            if let Some(remedies) = &remedies {
                remedies.hear(alert);
            }
        }));
    }
    let run = Pipeline::new(parts, readers.clone()).run(stop);
    let attending = async {
        let Some(door) = &door else { return attendant.attend().await };
        tokio::select! {
            never = attendant.attend() => never,
            never = door.attend(readers.clone(), welcome(&plan), ask) => never,
        }
    };
    let tasks = LocalSet::new();
    let (outcome, result) = runtime.block_on(tasks.run_until(session::beside(run, attending)));
    readers.end();
    // Whoever is slower than that does without the rest.
    let _ =
        runtime.block_on(tasks.run_until(async { timeout(LAST_LINES, readers.all_left()).await }));
    drop(tasks);
    notifying.end();
    eprintln!("{}", follow::summary(&outcome));
    let closed = attendant.recording.close();
    session::told(result)?;
    closed.map(|()| ExitCode::SUCCESS)
}

fn wishes(options: &Record) -> Wishes {
    let rings = follow::rings(options.ring_size, options.lifecycle_ring_size);
    Wishes::of_whole_machine(options.probe_mode, options.personas.clone(), rings)
}

/// What those who attach are told.
fn welcome(plan: &Plan) -> AttachWelcome {
    AttachWelcome {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        pid: process::id(),
        since: clock::now(),
        mode: plan.mode.map(|mode| mode.to_string()),
    }
}

/// Looks once a second, for the store, for readers and for metrics.
fn sampling(readers: Readers, latest: SharedLatest) -> SamplingParts {
    SamplingParts {
        interval: follow::LOOK,
        hierarchy: Hierarchy::find(),
        publish: Box::new(move |usage, gpus| {
            readers.look(usage);
            *latest.borrow_mut() =
                Latest { usage: Some(Arc::clone(usage)), gpus: gpus.cloned().map(Arc::new) };
        }),
    }
}

fn group_named(name: &str) -> anyhow::Result<u32> {
    let found = group_id(name).with_context(|| format!("cannot look up the group {name:?}"))?;
    let Some(id) = found else {
        bail!(
            "cannot let the group {name:?} read the store: there is no such group; make it with \
             groupadd, or name another with --group"
        );
    };
    Ok(id)
}

fn every(period: Duration) -> Interval {
    let mut interval = interval_at(Instant::now() + period, period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}

/// What goes on beside the pipeline, in the same thread: its signs of life are
/// the pipeline's, too.
struct Attendant<'a> {
    hang_up: Signal,
    looks: Interval,
    signs_of_life: Option<Interval>,
    options: &'a Record,
    service: &'a Service,
    recording: Recording,
    exposition: Option<Exposition>,
    ask: mpsc::Sender<Request>,
    notifying: Notifying,
}

impl Attendant<'_> {
    async fn attend(&mut self) -> Infallible {
        let mut looks = 0;
        loop {
            let signs_of_life = async {
                match &mut self.signs_of_life {
                    Some(interval) => interval.tick().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                _ = self.hang_up.recv() => self.reload().await,
                _ = signs_of_life => self.service.alive(),
                _ = self.looks.tick() => {
                    let has_news = self.recording.tell();
                    if let Some(exposition) = &self.exposition {
                        exposition.publish(&self.recording.status());
                    }
                    if has_news || looks % LOOKS_A_STATUS == 0 {
                        self.service.status(&self.recording.account());
                    }
                    looks = looks.wrapping_add(1);
                }
            }
        }
    }

    /// Goes by the files as they are now; where one cannot be used, by what was
    /// read of it before.
    async fn reload(&self) {
        self.service.reloading();
        let config = Config::read(self.options.config.as_deref());
        // First: before it reads the rules, the pipeline takes in what happened
        // up to now, which goes by the old configuration, too.
        let (answer, answered) = oneshot::channel();
        if self.ask.send(Request::ReadRules(answer)).await.is_ok() {
            // It tells by itself how it went.
            let _ = answered.await;
        }
        let config = config.and_then(|config| self.notifying.set(&config).map(|()| config));
        match config {
            Ok(config) => {
                let policy = Box::new(config.detect_policy());
                // A pipeline that has ended watches for nothing.
                let _ = self.ask.send(Request::Watch(policy)).await;
                self.recording.set_retention(config.retention());
                self.recording.set_crash_policy(config.crash_policy());
                eprintln!("genome-trace: the configuration was read again");
            }
            Err(error) => eprintln!(
                "genome-trace: {error:#}\ngenome-trace: the configuration read before this is kept"
            ),
        }
        self.service.ready();
    }
}
