//! The thread that does something about alerts, where that is configured and
//! approved. It takes whole alerts and looks each process up anew, so that a
//! PID that is another's by now is never hit.

use std::{
    collections::BTreeMap,
    io,
    sync::{
        Arc,
        mpsc::{self, RecvTimeoutError, SyncSender},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use anyhow::Context as _;
use rustix::process::Signal;

use super::approvals::Approvals;
use crate::{
    detect::{Intent, Obstacle, RemedyPolicy, remedy},
    kernel::{
        cgroup::Hierarchy,
        clock::{ClockOffset, boot_ns},
        cpu_limit::{CpuLimit, members},
        pidfd::HeldProcess,
        process::{ProcProcess, cgroup_path},
    },
    model::{Act, ActOutcome, Alert, AlertChange, ProcessKey, Remedy},
    render::text::Escaped,
    store::{Item, Store},
};

/// A process that was asked to end has so long for it.
const GRACE: Duration = Duration::from_secs(10);
/// What a throttled cgroup may use, in percent of one processor.
const THROTTLED_PERCENT: u64 = 20;
/// Alerts that wait for the thread, at most: they are rare, and come again.
const WAITING_MAX: usize = 256;
/// Alerts that are remembered, at most.
const REMEMBERED_MAX: usize = 4096;

/// Hands alerts over to the thread. Dropped, it ends it: what is in force for
/// as long as an alert goes on is taken back.
pub(super) struct Remedies {
    policy: RemedyPolicy,
    alerts: Option<SyncSender<Alert>>,
    thread: Option<JoinHandle<()>>,
}

impl Remedies {
    /// Starts the thread.
    pub(super) fn start(
        policy: RemedyPolicy,
        approvals: Approvals,
        store: Arc<dyn Store>,
    ) -> anyhow::Result<Self> {
        // What is wrong with the file is told before anything is traced.
        approvals.read()?;
        let (alerts, waiting) = mpsc::sync_channel(WAITING_MAX);
        let mut doer = Doer {
            policy: policy.clone(),
            approvals,
            store,
            hierarchy: Hierarchy::find(),
            states: BTreeMap::new(),
            ending: Vec::new(),
        };
        let thread = thread::Builder::new()
            .name("remedies".to_owned())
            .spawn(move || doer.run(&waiting))
            .context("cannot start the thread that does something about alerts")?;
        Ok(Self { policy, alerts: Some(alerts), thread: Some(thread) })
    }

    /// What has become of an alert. Never waits; one that finds no room comes
    /// again as long as it goes on.
    pub(super) fn hear(&self, alert: &Alert) {
        let is_wanted = self.policy.by_rule.contains_key(&alert.anomaly.rule);
        if let (true, Some(alerts)) = (is_wanted, &self.alerts) {
            let _ = alerts.try_send(alert.clone());
        }
    }
}

impl Drop for Remedies {
    fn drop(&mut self) {
        self.alerts = None;
        if let Some(thread) = self.thread.take() {
            // A panic there was told by its own message.
            let _ = thread.join();
        }
    }
}

/// What was done about an alert.
enum State {
    /// It waits for an approval, or was refused: said once.
    Said(ActOutcome),
    /// It was done, once and for all.
    Done,
    /// It is in force.
    Throttled(Box<Act>, #[allow(dead_code, reason = "dropped to take it back")] CpuLimit),
}

struct Doer {
    policy: RemedyPolicy,
    approvals: Approvals,
    store: Arc<dyn Store>,
    hierarchy: Option<Hierarchy>,
    states: BTreeMap<i64, State>,
    /// Processes that were asked to end, and until when.
    ending: Vec<(HeldProcess, Instant)>,
}

impl Doer {
    fn run(&mut self, alerts: &mpsc::Receiver<Alert>) {
        loop {
            let next = self.ending.iter().map(|(_, until)| *until).min();
            let heard = match next {
                Some(until) => alerts.recv_timeout(until.saturating_duration_since(Instant::now())),
                None => alerts.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match heard {
                Ok(alert) => self.hear(&alert),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            self.end_the_stubborn();
        }
        for alert in std::mem::take(&mut self.states).into_values() {
            self.take_back(alert);
        }
    }

    fn hear(&mut self, alert: &Alert) {
        if alert.change == AlertChange::Ended {
            if let Some(state) = self.states.remove(&alert.id) {
                self.take_back(state);
            }
            return;
        }
        let approvals = match self.approvals.read() {
            Ok(approvals) => approvals,
            Err(error) => {
                eprintln!("genome-trace: {error:#}; nothing is done about alerts until then");
                return;
            }
        };
        let Some(intent) = remedy(alert, &self.policy, &approvals, std::process::id()) else {
            return;
        };
        let said = match self.states.get(&alert.id) {
            Some(State::Done | State::Throttled(..)) => return,
            Some(State::Said(said)) => Some(said.clone()),
            None => None,
        };
        let mut act = Act {
            wall_time: ClockOffset::now().wall_time(boot_ns()),
            alert: alert.id,
            rule: alert.anomaly.rule,
            persona: Some(intent.persona.clone()),
            process: intent.process.clone(),
            remedy: intent.remedy,
            outcome: ActOutcome::Done,
        };
        let state = match &intent.obstacle {
            Some(Obstacle::NotApproved(_)) => State::Said(ActOutcome::AwaitsApproval),
            Some(Obstacle::Forbidden(why)) => State::Said(ActOutcome::Refused((*why).to_owned())),
            None if self.policy.dry_run => State::Said(ActOutcome::DryRun),
            None => match self.act(&intent) {
                Ok(None) => State::Done,
                Ok(Some(limit)) => State::Throttled(Box::new(act.clone()), limit),
                Err(error) => State::Said(ActOutcome::Failed(error.to_string())),
            },
        };
        if let State::Said(outcome) = &state {
            if said.as_ref() == Some(outcome) {
                return;
            }
            act.outcome = outcome.clone();
        }
        self.told(act);
        if self.states.len() >= REMEMBERED_MAX {
            // The oldest alert has the lowest number.
            self.states.pop_first();
        }
        self.states.insert(alert.id, state);
    }

    /// Does it; what is to be kept for as long as it is in force.
    fn act(&mut self, intent: &Intent) -> io::Result<Option<CpuLimit>> {
        let key = intent.process.key;
        let held = HeldProcess::open(key)?;
        match intent.remedy {
            Remedy::Stop => held.signal(Signal::STOP).map(|()| None),
            Remedy::Kill => {
                held.signal(Signal::TERM)?;
                self.ending.push((held, Instant::now() + GRACE));
                Ok(None)
            }
            Remedy::Throttle => self.throttle(key).map(Some),
        }
    }

    /// A cgroup's limit holds for all who are in it, so nobody else may be.
    fn throttle(&self, key: ProcessKey) -> io::Result<CpuLimit> {
        let hierarchy = self
            .hierarchy
            .as_ref()
            .ok_or_else(|| io::Error::other("there is no cgroup hierarchy here"))?;
        let path = cgroup_path(key.tgid, hierarchy).ok_or(io::ErrorKind::NotFound)?;
        let others = members(hierarchy, &path)?;
        if let Some(other) = others.into_iter().find(|tgid| !is_below(*tgid, key.tgid)) {
            return Err(io::Error::other(format!(
                "its cgroup {} is not its own: process {other} is in it, too; start it in one of \
                 its own (systemd-run --scope)",
                Escaped(&path)
            )));
        }
        CpuLimit::set(hierarchy, &path, THROTTLED_PERCENT)
    }

    /// SIGKILL for those whose time is over.
    fn end_the_stubborn(&mut self) {
        let now = Instant::now();
        self.ending.retain(|(held, until)| {
            let is_gone = held.ends_within(Duration::ZERO).unwrap_or(true);
            if !is_gone && now >= *until {
                // It may have ended just now.
                let _ = held.signal(Signal::KILL);
            }
            !is_gone && now < *until
        });
    }

    fn take_back(&self, state: State) {
        if let State::Throttled(act, limit) = state {
            drop(limit);
            let wall_time = ClockOffset::now().wall_time(boot_ns());
            self.told(Act { wall_time, outcome: ActOutcome::Undone, ..*act });
        }
    }

    fn told(&self, act: Act) {
        eprintln!("genome-trace: {}", sentence(&act));
        self.store.push(Item::Act(Box::new(act)));
    }
}

/// Whether a process is another one, or descends from it.
fn is_below(tgid: u32, ancestor: u32) -> bool {
    /// More than anybody nests.
    const DEPTH_MAX: usize = 64;
    let parents = std::iter::successors(Some(tgid), |tgid| Some(ProcProcess::read(*tgid)?.ppid));
    // One that has ended meanwhile is nobody's.
    ProcProcess::read(tgid).is_none() || parents.take(DEPTH_MAX).any(|tgid| tgid == ancestor)
}

/// An act, for people.
pub(super) fn sentence(act: &Act) -> String {
    let persona = act.persona.as_ref().map_or("nobody", |persona| persona.name.as_str());
    let comm = act.process.comm.as_deref().unwrap_or("unknown");
    let whom = format!(
        "{} of {} ({})",
        Escaped(comm.as_bytes()),
        Escaped(persona.as_bytes()),
        act.process.key.tgid
    );
    let (rule, remedy) = (act.rule, act.remedy);
    let why = act.outcome.why().unwrap_or_default();
    match &act.outcome {
        ActOutcome::Done => format!("remedy: {remedy} {whom} for {rule}: done"),
        ActOutcome::Undone => format!("remedy: {remedy} {whom} for {rule}: taken back"),
        ActOutcome::DryRun => format!("remedy: would {remedy} {whom} for {rule} (dry run)"),
        ActOutcome::AwaitsApproval => format!(
            "remedy: would {remedy} {whom} for {rule}, when you approve it: genome-trace remedy \
             approve {rule} {remedy} {}",
            crate::render::text::ShellWord(persona.as_bytes())
        ),
        ActOutcome::Refused(_) => format!("remedy: will not {remedy} {whom} for {rule}: {why}"),
        ActOutcome::Failed(_) => format!("remedy: cannot {remedy} {whom} for {rule}: {why}"),
    }
}
