//! Whether something is done about an alert: pure, and in case of doubt no.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{
    Alert, AlertChange, AlertProcess, Approval, Basis, Persona, Remedy, Rule, Severity,
};

/// What may be done, as it is configured. By default nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct RemedyPolicy {
    /// For which rule what is done.
    pub by_rule: BTreeMap<Rule, Remedy>,
    /// To these personas alone; to any where it is empty.
    pub allow: BTreeSet<String>,
    /// Never to these.
    pub deny: BTreeSet<String>,
    /// How sure a verdict has to be that is an estimate, from 0 to 1.
    pub confidence: f64,
    /// Say what would be done, and do nothing.
    pub dry_run: bool,
}

impl Default for RemedyPolicy {
    fn default() -> Self {
        Self {
            by_rule: BTreeMap::new(),
            allow: BTreeSet::new(),
            deny: BTreeSet::new(),
            confidence: 0.95,
            dry_run: false,
        }
    }
}

/// What is to be done about an alert, and to whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// What.
    pub remedy: Remedy,
    /// To which process.
    pub process: AlertProcess,
    /// Whose it is.
    pub persona: Persona,
    /// What stands in the way.
    pub obstacle: Option<Obstacle>,
}

/// What stands in the way of a remedy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// Nobody has approved it yet.
    NotApproved(Approval),
    /// It is not to be done.
    Forbidden(&'static str),
}

/// What an alert asks for; `None` where nothing is to be done about it: no
/// remedy is configured for its rule, it is not critical, or it is over.
#[must_use]
pub fn remedy(
    alert: &Alert,
    policy: &RemedyPolicy,
    approvals: &BTreeSet<Approval>,
    own_tgid: u32,
) -> Option<Intent> {
    let anomaly = &alert.anomaly;
    let remedy = *policy.by_rule.get(&anomaly.rule)?;
    if alert.change == AlertChange::Ended || alert.severity != Severity::Critical {
        return None;
    }
    // Who is nobody's, and the machine, is never touched.
    let persona = anomaly.persona.clone()?;
    let process = anomaly.process.clone()?;
    let approval = Approval { rule: anomaly.rule, persona: persona.name.clone(), remedy };
    let obstacle = if process.key.tgid <= 1 {
        Some(Obstacle::Forbidden("it is the init process"))
    } else if process.key.tgid == own_tgid {
        Some(Obstacle::Forbidden("it is the recorder itself"))
    } else if policy.deny.contains(&persona.name) {
        Some(Obstacle::Forbidden("its persona is in [remedies] deny"))
    } else if !policy.allow.is_empty() && !policy.allow.contains(&persona.name) {
        Some(Obstacle::Forbidden("its persona is not in [remedies] allow"))
    } else if sureness(alert) < policy.confidence {
        Some(Obstacle::Forbidden("the verdict is not sure enough ([remedies] confidence)"))
    } else if !approvals.contains(&approval) {
        Some(Obstacle::NotApproved(approval))
    } else {
        None
    };
    Some(Intent { remedy, process, persona, obstacle })
}

/// What was counted, or is a limit of the kernel's, is sure; an estimate is as
/// sure as it says, and one that does not say is not.
fn sureness(alert: &Alert) -> f64 {
    let default = match alert.anomaly.basis {
        Basis::Threshold | Basis::Unlearned { .. } | Basis::Limit { .. } => 1.0,
        Basis::Habit { .. } | Basis::Neighbours { .. } => 0.0,
    };
    alert.anomaly.confidence.unwrap_or(default)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::model::{Anomaly, ProcessKey, Unit, WallTime};

    fn alert(tgid: u32) -> Alert {
        let now = WallTime { unix_ns: 7 };
        Alert {
            id: 7,
            change: AlertChange::Raised,
            raised: now,
            last: now,
            ended: None,
            severity: Severity::Critical,
            count: 1,
            anomaly: Anomaly {
                wall_time: now,
                rule: Rule::MassCreate,
                severity: Severity::Critical,
                persona: Some(Persona { name: "CodeExpert".to_owned(), genome_id: None }),
                process: Some(AlertProcess {
                    key: ProcessKey { tgid, start_time: 1 },
                    comm: None,
                    argv: None,
                }),
                cause: None,
                metric: None,
                unit: Unit::Count,
                measured: 3_000.0,
                normal: None,
                factor: None,
                threshold: 50.0,
                window_ns: None,
                slope_per_hour: None,
                basis: Basis::Threshold,
                confidence: None,
                files: None,
            },
            text: String::new(),
            advice: Vec::new(),
        }
    }

    fn policy() -> RemedyPolicy {
        RemedyPolicy {
            by_rule: [(Rule::MassCreate, Remedy::Stop)].into(),
            ..RemedyPolicy::default()
        }
    }

    fn approved() -> BTreeSet<Approval> {
        let persona = "CodeExpert".to_owned();
        [Approval { rule: Rule::MassCreate, persona, remedy: Remedy::Stop }].into()
    }

    fn obstacle(alert: &Alert, policy: &RemedyPolicy) -> Option<Obstacle> {
        remedy(alert, policy, &approved(), 99).unwrap().obstacle
    }

    #[test]
    fn nothing_is_done_by_default() {
        assert_eq!(remedy(&alert(42), &RemedyPolicy::default(), &approved(), 99), None);
    }

    #[test]
    fn the_first_time_is_asked_for() {
        let intent = remedy(&alert(42), &policy(), &BTreeSet::new(), 99).unwrap();
        let approval = approved().into_iter().next().unwrap();
        assert_eq!(intent.obstacle, Some(Obstacle::NotApproved(approval)));
        assert_eq!(obstacle(&alert(42), &policy()), None);
        // Another remedy is another question.
        let kill = RemedyPolicy {
            by_rule: [(Rule::MassCreate, Remedy::Kill)].into(),
            ..RemedyPolicy::default()
        };
        assert!(matches!(obstacle(&alert(42), &kill), Some(Obstacle::NotApproved(_))));
    }

    #[test]
    fn neither_init_nor_the_recorder_nor_nobodys_processes() {
        let is_forbidden =
            |alert: &Alert| matches!(obstacle(alert, &policy()), Some(Obstacle::Forbidden(_)));
        assert!(is_forbidden(&alert(1)));
        assert!(is_forbidden(&alert(0)));
        assert!(is_forbidden(&alert(99)));
        let mut nobodys = alert(42);
        nobodys.anomaly.persona = None;
        assert_eq!(remedy(&nobodys, &policy(), &approved(), 99), None);
    }

    #[test]
    fn lists_are_obeyed_and_deny_comes_first() {
        let names = |name: &str| BTreeSet::from([name.to_owned()]);
        let refused =
            |policy| matches!(obstacle(&alert(42), &policy), Some(Obstacle::Forbidden(_)));
        assert!(refused(RemedyPolicy { allow: names("Judge"), ..policy() }));
        assert!(!refused(RemedyPolicy { allow: names("CodeExpert"), ..policy() }));
        let both =
            RemedyPolicy { allow: names("CodeExpert"), deny: names("CodeExpert"), ..policy() };
        assert!(refused(both));
    }

    #[test]
    fn only_what_is_critical_and_sure_and_not_over() {
        let told = |change: fn(&mut Alert)| {
            let mut alert = alert(42);
            change(&mut alert);
            remedy(&alert, &policy(), &approved(), 99).map(|intent| intent.obstacle)
        };
        assert_eq!(told(|alert| alert.severity = Severity::Error), None);
        assert_eq!(told(|alert| alert.change = AlertChange::Ended), None);
        assert_eq!(told(|alert| alert.change = AlertChange::GoesOn), Some(None));
        let habit = Basis::Habit { samples: 500, centre: 1.0, spread: 1.0 };
        let mut estimated = alert(42);
        estimated.anomaly.basis = habit;
        assert!(matches!(obstacle(&estimated, &policy()), Some(Obstacle::Forbidden(_))));
        estimated.anomaly.confidence = Some(0.99);
        assert_eq!(obstacle(&estimated, &policy()), None);
    }
}
