//! The alerts that there are: one for all anomalies that have their cause in
//! common, from the first of them until none has come for a while.

mod advice;
mod clock;
mod equal;
mod policy;
#[cfg(test)]
mod tests;
mod words;

use std::collections::{BTreeMap, VecDeque};

pub use policy::{BookPolicy, RulePolicy};

use crate::model::{Alert, AlertChange, Anomaly, Basis, Persona, Rule, WallTime};
use clock::Clock;

/// What goes on is kept as often as this.
const KEPT_EVERY_NS: u64 = 5_000_000_000;
/// Alerts that are open at one time. Names of personas and folders come from
/// outside; all beyond have one alert for each rule.
const OPEN_MAX: usize = 512;

/// What makes two anomalies one alert.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    rule: Rule,
    whose: Whose,
    cause: Cause,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Whose {
    /// Where there are too many alerts to tell whose.
    Anybody,
    /// A persona's, or nobody's.
    Of(Option<Persona>),
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Cause {
    One(Option<String>),
    /// Where there are too many to tell them apart.
    Many,
}

/// An alert that is not over.
#[derive(Debug)]
struct Open {
    alert: Alert,
    /// Of many causes; a word for their sentence.
    many: Option<words::Many>,
    /// By the book's clock: when it was found last, kept last, and when its
    /// severity began.
    found_ns: u64,
    kept_ns: u64,
    severity_ns: u64,
}

/// The alerts.
#[derive(Debug)]
pub(super) struct Book {
    policy: BookPolicy,
    clock: Clock,
    open: BTreeMap<Key, Open>,
    news: VecDeque<Alert>,
    last_id: i64,
}

impl Book {
    pub(super) fn new(policy: &BookPolicy) -> Self {
        Self {
            policy: policy.clone(),
            clock: Clock::default(),
            open: BTreeMap::new(),
            news: VecDeque::new(),
            last_id: 0,
        }
    }

    /// From now on. Alerts that nobody wants any more are over.
    pub(super) fn set_policy(&mut self, policy: &BookPolicy) {
        self.policy = policy.clone();
        self.end(None, |open| {
            let anomaly = &open.alert.anomaly;
            !policy.is_wanted(anomaly.rule, anomaly.persona.as_ref())
        });
    }

    /// Takes in what was found.
    pub(super) fn take(&mut self, found: &mut Vec<Anomaly>) {
        for anomaly in found.drain(..) {
            self.take_one(anomaly);
        }
    }

    /// Time goes on.
    pub(super) fn tick(&mut self, now: WallTime) {
        let now_ns = self.clock.hear(now);
        let cooldown_ns = self.policy.cooldown_ns;
        self.end(Some(now), |open| now_ns.saturating_sub(open.found_ns) >= cooldown_ns);
    }

    /// Ends those that are over; `now` is `None` where nobody says when.
    fn end(&mut self, now: Option<WallTime>, is_over: impl Fn(&Open) -> bool) {
        self.open.retain(|_, open| {
            let goes_on = !is_over(open);
            if !goes_on {
                open.end(now.unwrap_or(open.alert.last));
                self.news.push_back(open.alert.clone());
            }
            goes_on
        });
    }

    pub(super) fn next(&mut self) -> Option<Alert> {
        self.news.pop_front()
    }

    /// Alerts that are not over.
    pub(super) fn open(&self) -> impl Iterator<Item = &Alert> {
        self.open.values().map(|open| &open.alert)
    }

    fn take_one(&mut self, mut anomaly: Anomaly) {
        let now_ns = self.clock.hear(anomaly.wall_time);
        if !self.policy.is_wanted(anomaly.rule, anomaly.persona.as_ref()) || !is_sound(&anomaly) {
            return;
        }
        only_finite(&mut anomaly);
        if let Some(severity) = self.policy.rule(anomaly.rule).severity {
            anomaly.severity = severity;
        }
        if let Some(mass) = self.open.values_mut().find(|open| open.has_part(&anomaly)) {
            let change = mass.found_equal(&anomaly, now_ns, &self.policy);
            self.news.extend(change);
            return;
        }
        let key = self.key_of(&anomaly);
        match self.open.get_mut(&key) {
            Some(open) => {
                let change = open.go_on(anomaly, now_ns, &self.policy);
                self.news.extend(change);
            }
            None => self.raise(key, anomaly, now_ns),
        }
    }

    /// What was told of equal files in the midst of what are too many now is
    /// over, and goes on as evidence of it.
    fn raise(&mut self, key: Key, mut anomaly: Anomaly, now_ns: u64) {
        let mut parts = Vec::new();
        if matches!(key.cause, Cause::One(_)) {
            self.open.retain(|_, open| {
                let is_part =
                    open.many.is_none() && equal::are_part_of(&open.alert.anomaly, &anomaly);
                if is_part {
                    open.end(anomaly.wall_time);
                    parts.push(open.alert.clone());
                }
                !is_part
            });
        }
        for part in &parts {
            equal::add(&mut anomaly, &part.anomaly);
        }
        let open = Open::raise(self.free_id(anomaly.wall_time), &key, anomaly, now_ns);
        self.news.push_back(open.alert.clone());
        self.news.extend(parts);
        self.open.insert(key, open);
    }

    /// Its own where it has one or there is room for one.
    fn key_of(&self, anomaly: &Anomaly) -> Key {
        let own = Key {
            rule: anomaly.rule,
            whose: Whose::Of(anomaly.persona.clone()),
            cause: Cause::One(anomaly.cause.clone()),
        };
        if self.open.contains_key(&own) {
            return own;
        }
        let many = Key { cause: Cause::Many, ..own.clone() };
        let first = Key { cause: Cause::One(None), ..own.clone() };
        let apart = self.open.range(first..many.clone()).count();
        let key = if apart >= self.policy.causes_apart.max(1) { many } else { own };
        if self.open.len() < OPEN_MAX || self.open.contains_key(&key) {
            return key;
        }
        Key { rule: anomaly.rule, whose: Whose::Anybody, cause: Cause::Many }
    }

    /// A number that no alert has.
    fn free_id(&mut self, time: WallTime) -> i64 {
        self.last_id = time.unix_ns.max(self.last_id.saturating_add(1));
        self.last_id
    }
}

impl Open {
    fn raise(id: i64, key: &Key, anomaly: Anomaly, now_ns: u64) -> Self {
        let many = match (&key.whose, &key.cause) {
            (Whose::Anybody, _) => Some(words::Many::Personas),
            (_, Cause::Many) => Some(words::Many::Causes),
            (_, Cause::One(_)) => None,
        };
        let alert = Alert {
            id,
            change: AlertChange::Raised,
            raised: anomaly.wall_time,
            last: anomaly.wall_time,
            ended: None,
            severity: anomaly.severity,
            count: 1,
            anomaly,
            text: String::new(),
            advice: Vec::new(),
        };
        let mut open = Self { alert, many, found_ns: now_ns, kept_ns: now_ns, severity_ns: now_ns };
        open.put_in_words();
        open
    }

    /// Whether this is evidence of the alert, and no alert of its own.
    fn has_part(&self, anomaly: &Anomaly) -> bool {
        self.many.is_none() && equal::are_part_of(anomaly, &self.alert.anomaly)
    }

    /// Files of it turned out to be equal.
    fn found_equal(&mut self, found: &Anomaly, now_ns: u64, policy: &BookPolicy) -> Option<Alert> {
        let mut anomaly = self.alert.anomaly.clone();
        equal::add(&mut anomaly, found);
        anomaly.wall_time = found.wall_time;
        let severity = policy.rule(anomaly.rule).severity;
        anomaly.severity = severity.unwrap_or(anomaly.severity.max(found.severity));
        self.go_on(anomaly, now_ns, policy)
    }

    /// It was found again; says what is to be kept or told of that.
    fn go_on(&mut self, mut anomaly: Anomaly, now_ns: u64, policy: &BookPolicy) -> Option<Alert> {
        self.found_ns = now_ns;
        let alert = &mut self.alert;
        alert.count = alert.count.saturating_add(1);
        alert.last = alert.last.max(anomaly.wall_time);
        let lasted_ns = now_ns.saturating_sub(self.severity_ns);
        let lasts_ns = policy.lasts_ns(anomaly.rule, alert.severity);
        let by_lasting = match lasts_ns.is_some_and(|lasts_ns| lasted_ns >= lasts_ns) {
            true => alert.severity.worse(),
            false => alert.severity,
        };
        let severity = by_lasting.max(anomaly.severity);
        equal::keep(&mut anomaly, &alert.anomaly);
        alert.anomaly = anomaly;
        if severity > alert.severity {
            alert.severity = severity;
            alert.change = AlertChange::Escalated;
            self.severity_ns = now_ns;
        } else if now_ns.saturating_sub(self.kept_ns) >= KEPT_EVERY_NS {
            alert.change = AlertChange::GoesOn;
        } else {
            return None;
        }
        self.kept_ns = now_ns;
        self.put_in_words();
        Some(self.alert.clone())
    }

    fn end(&mut self, now: WallTime) {
        self.alert.change = AlertChange::Ended;
        self.alert.ended = Some(now.max(self.alert.last));
        self.put_in_words();
    }

    fn put_in_words(&mut self) {
        self.alert.text = words::text(&self.alert, self.many);
        self.alert.advice = match self.alert.change {
            AlertChange::Ended => Vec::new(),
            _ => advice::advice(&self.alert.anomaly),
        };
    }
}

/// What is no number is no finding.
fn is_sound(anomaly: &Anomaly) -> bool {
    let basis = match anomaly.basis {
        Basis::Threshold | Basis::Unlearned { .. } => [0.0; 2],
        Basis::Habit { centre, spread, .. } | Basis::Neighbours { centre, spread, .. } => {
            [centre, spread]
        }
        Basis::Limit { limit } => [limit; 2],
    };
    [anomaly.measured, anomaly.threshold].into_iter().chain(basis).all(f64::is_finite)
}

/// JSON has no word for other numbers.
fn only_finite(anomaly: &mut Anomaly) {
    let Anomaly { normal, factor, slope_per_hour, confidence, files, .. } = anomaly;
    let rate = files.as_mut().map(|files| &mut files.files_per_second);
    for figure in [normal, factor, slope_per_hour, confidence].into_iter().chain(rate) {
        *figure = figure.filter(|figure| figure.is_finite());
    }
}
