//! The thread that does something about alerts, where that is configured and
//! approved. It takes whole alerts and looks each process up anew, so that a
//! PID that is another's by now is never hit.

use std::{
    collections::{BTreeMap, BTreeSet},
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
    model::{Act, ActOutcome, Alert, AlertChange, Approval, ProcessKey, Remedy},
    render::{act::sentence, text::Escaped},
    store::{Item, Store},
};

/// A process that was asked to end has so long for it, and as long again after
/// SIGKILL: one that waits for a disk ends when that answers.
const GRACE: Duration = Duration::from_secs(10);
/// What is waited for is looked at so often: an approval, and the end of a
/// process.
const LOOK: Duration = Duration::from_secs(1);
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
            hierarchy: Hierarchy::of_cpu(),
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
    /// It was not done: said once. With the alert where it waits for somebody
    /// to approve it, for it may not be heard of again before it is over.
    Said(ActOutcome, Option<Box<Alert>>),
    /// It was done, once and for all.
    Done,
    /// It is in force.
    Throttled(Box<Act>, CpuLimit),
}

/// A process that was asked to end.
struct Ending {
    held: HeldProcess,
    act: Box<Act>,
    until: Instant,
    is_forced: bool,
}

/// What has become of it.
enum End {
    NotYet,
    Come,
    Overdue,
}

struct Doer {
    policy: RemedyPolicy,
    approvals: Approvals,
    store: Arc<dyn Store>,
    hierarchy: Option<Hierarchy>,
    states: BTreeMap<i64, State>,
    ending: Vec<Ending>,
}

impl Doer {
    fn run(&mut self, alerts: &mpsc::Receiver<Alert>) {
        loop {
            let waits = |state: &State| matches!(state, State::Said(_, Some(_)));
            let heard = match !self.ending.is_empty() || self.states.values().any(waits) {
                true => alerts.recv_timeout(LOOK),
                false => alerts.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match heard {
                Ok(alert) => self.hear(&alert),
                Err(RecvTimeoutError::Timeout) => self.ask_again(),
                Err(RecvTimeoutError::Disconnected) => break,
            }
            self.look_at_the_ending();
        }
        for state in std::mem::take(&mut self.states).into_values() {
            self.take_back(state);
        }
        for Ending { held, act, is_forced, .. } in std::mem::take(&mut self.ending) {
            let outcome = match held.ends_within(Duration::ZERO).unwrap_or(true) {
                true => ActOutcome::Ended,
                false if is_forced => ActOutcome::Failed("it has not ended yet".to_owned()),
                false => ActOutcome::Failed(
                    "the recorder ends before it did; it gets no SIGKILL".to_owned(),
                ),
            };
            self.goes_on(&act, outcome);
        }
    }

    fn hear(&mut self, alert: &Alert) {
        if alert.change == AlertChange::Ended {
            if let Some(state) = self.states.remove(&alert.id) {
                self.take_back(state);
            }
            return;
        }
        let approvals = self.approvals.read();
        self.judge(alert, &approvals);
    }

    /// Whether somebody has approved meanwhile what waits for that.
    fn ask_again(&mut self) {
        let waits = |state: &State| match state {
            State::Said(_, waits) => waits.clone(),
            State::Done | State::Throttled(..) => None,
        };
        let waiting: Vec<_> = self.states.values().filter_map(waits).collect();
        if waiting.is_empty() {
            return;
        }
        let approvals = self.approvals.read();
        for alert in waiting {
            self.judge(&alert, &approvals);
        }
    }

    fn judge(&mut self, alert: &Alert, approvals: &anyhow::Result<BTreeSet<Approval>>) {
        let nothing = BTreeSet::new();
        let approved = approvals.as_ref().unwrap_or(&nothing);
        let Some(intent) = remedy(alert, &self.policy, approved, std::process::id()) else {
            return;
        };
        let said = match self.states.get(&alert.id) {
            Some(State::Done | State::Throttled(..)) => return,
            Some(State::Said(said, _)) => Some(said.clone()),
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
        let waits = || Some(Box::new(alert.clone()));
        let state = match (&intent.obstacle, approvals) {
            (Some(Obstacle::NotApproved(_)), Ok(_)) => {
                State::Said(ActOutcome::AwaitsApproval, waits())
            }
            (Some(Obstacle::NotApproved(_)), Err(error)) => {
                State::Said(ActOutcome::Refused(format!("{error:#}")), waits())
            }
            (Some(Obstacle::Forbidden(why)), _) => {
                State::Said(ActOutcome::Refused((*why).to_owned()), None)
            }
            (None, _) if self.policy.dry_run => State::Said(ActOutcome::DryRun, None),
            (None, _) => match self.act(&intent, &act) {
                Ok(None) => State::Done,
                Ok(Some(limit)) => State::Throttled(Box::new(act.clone()), limit),
                Err(error) => State::Said(ActOutcome::Failed(why(&error)), None),
            },
        };
        if let State::Said(outcome, _) = &state {
            act.outcome = outcome.clone();
        }
        let is_said = said.as_ref() == Some(&act.outcome);
        if !self.states.contains_key(&alert.id) && self.states.len() >= REMEMBERED_MAX {
            // The oldest alert has the lowest number.
            if let Some((_, state)) = self.states.pop_first() {
                self.take_back(state);
            }
        }
        self.states.insert(alert.id, state);
        if !is_said {
            self.told(act);
        }
    }

    /// Does it; what is to be kept for as long as it is in force.
    fn act(&mut self, intent: &Intent, act: &Act) -> io::Result<Option<CpuLimit>> {
        let key = intent.process.key;
        let held = HeldProcess::open(key)?;
        match intent.remedy {
            Remedy::Stop => held.signal(Signal::STOP).map(|()| None),
            Remedy::Kill => {
                held.signal(Signal::TERM)?;
                self.ending.push(Ending {
                    held,
                    act: Box::new(act.clone()),
                    until: Instant::now() + GRACE,
                    is_forced: false,
                });
                Ok(None)
            }
            Remedy::Throttle => self.throttle(key).map(Some),
        }
    }

    /// A cgroup's limit holds for all who are in it or below, so nobody else
    /// may be, and the recorder may not.
    fn throttle(&self, key: ProcessKey) -> io::Result<CpuLimit> {
        let hierarchy = self
            .hierarchy
            .as_ref()
            .ok_or_else(|| io::Error::other("there is no cgroup hierarchy here"))?;
        let path = cgroup_path(key.tgid, hierarchy).ok_or(io::ErrorKind::NotFound)?;
        let own = std::process::id();
        let is_other = |tgid: &u32| *tgid == own || !is_below(*tgid, key.tgid);
        let others: Vec<u32> = members(hierarchy, &path)?.into_iter().filter(is_other).collect();
        // One that cannot be looked at has ended meanwhile, unless it is there
        // still.
        let other = match others.is_empty() {
            true => None,
            false => members(hierarchy, &path)?.into_iter().find(|tgid| others.contains(tgid)),
        };
        if let Some(other) = other {
            let who = match other {
                0 => "a process of another PID namespace".to_owned(),
                _ if other == own => "the recorder itself".to_owned(),
                _ => format!("process {other}"),
            };
            return Err(io::Error::other(format!(
                "its cgroup {} is not its own: {who} is in it, too; start it in one of its own \
                 (systemd-run --scope)",
                Escaped(&path)
            )));
        }
        CpuLimit::set(hierarchy, &path, THROTTLED_PERCENT)
    }

    /// Who has ended, and SIGKILL for those whose time is over.
    fn look_at_the_ending(&mut self) {
        let now = Instant::now();
        for mut ending in std::mem::take(&mut self.ending) {
            let has_ended = ending.held.ends_within(Duration::ZERO).unwrap_or(true);
            let end = match has_ended {
                true => End::Come,
                false if now < ending.until => End::NotYet,
                false => End::Overdue,
            };
            match end {
                End::NotYet => self.ending.push(ending),
                End::Come => self.goes_on(&ending.act, ActOutcome::Ended),
                End::Overdue if ending.is_forced => {
                    let why = "it has got SIGKILL, and is still there (state D in ps: it waits \
                               for the kernel)";
                    self.goes_on(&ending.act, ActOutcome::Failed(why.to_owned()));
                }
                End::Overdue => {
                    // It may have ended just now: the next look tells.
                    if ending.held.signal(Signal::KILL).is_ok() {
                        self.goes_on(&ending.act, ActOutcome::Forced);
                    }
                    ending.is_forced = true;
                    ending.until = now + GRACE;
                    self.ending.push(ending);
                }
            }
        }
    }

    fn take_back(&self, state: State) {
        if let State::Throttled(act, limit) = state {
            let outcome = match limit.take_back() {
                Ok(()) => ActOutcome::Undone,
                Err(error) => {
                    ActOutcome::Failed(format!("its CPU limit cannot be taken back: {error}"))
                }
            };
            self.goes_on(&act, outcome);
        }
    }

    /// What has become of an act.
    fn goes_on(&self, act: &Act, outcome: ActOutcome) {
        let wall_time = ClockOffset::now().wall_time(boot_ns());
        self.told(Act { wall_time, outcome, ..act.clone() });
    }

    fn told(&self, act: Act) {
        eprintln!("genome-trace: {}", sentence(&act));
        self.store.push(Item::Act(Box::new(act)));
    }
}

/// An error of the kernel's, for people.
fn why(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(libc::ESRCH) => "it has ended".to_owned(),
        Some(libc::EPERM | libc::EACCES | libc::EROFS) => {
            format!(
                "{error}: the recorder has no right to it (docs/remedies.md says which it takes)"
            )
        }
        _ => error.to_string(),
    }
}

/// Whether a process is another one, or descends from it.
fn is_below(tgid: u32, ancestor: u32) -> bool {
    /// More than anybody nests.
    const DEPTH_MAX: usize = 64;
    let parents = std::iter::successors(Some(tgid), |tgid| Some(ProcProcess::read(*tgid)?.ppid));
    parents.take(DEPTH_MAX).any(|tgid| tgid == ancestor)
}
