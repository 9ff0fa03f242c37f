//! What was done about an alert, or would have been.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{AlertProcess, Persona, Rule, WallTime};

/// What can be done to a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Remedy {
    /// End it: SIGTERM, and SIGKILL where it is still there a while later.
    Kill,
    /// Halt it: SIGSTOP, until somebody sends SIGCONT.
    Stop,
    /// Give its cgroup less CPU time, until the alert is over.
    Throttle,
}

impl Remedy {
    /// Every remedy.
    pub const ALL: [Self; 3] = [Self::Kill, Self::Stop, Self::Throttle];

    /// One word for the configuration, JSON and the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kill => "kill",
            Self::Stop => "stop",
            Self::Throttle => "throttle",
        }
    }
}

impl fmt::Display for Remedy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is no remedy's.
#[derive(Debug, PartialEq, Eq)]
pub struct UnknownRemedy(pub String);

impl fmt::Display for UnknownRemedy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no remedy is called {:?}; there are kill, stop, throttle", self.0)
    }
}

impl std::error::Error for UnknownRemedy {}

impl FromStr for Remedy {
    type Err = UnknownRemedy;

    fn from_str(name: &str) -> Result<Self, UnknownRemedy> {
        Self::ALL
            .into_iter()
            .find(|remedy| remedy.name() == name)
            .ok_or_else(|| UnknownRemedy(name.to_owned()))
    }
}

/// What may be done without being asked for again: this, to that persona, for
/// that rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Approval {
    /// For which rule.
    pub rule: Rule,
    /// To whom, by name.
    pub persona: String,
    /// What.
    pub remedy: Remedy,
}

/// How it went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "outcome", content = "why")]
pub enum ActOutcome {
    /// It was done.
    Done,
    /// What was to end has ended.
    Ended,
    /// What was asked to end was still there a while later, and got SIGKILL.
    Forced,
    /// It was taken back: the alert is over, or the recorder ends.
    Undone,
    /// It would have been done, but for a dry run.
    DryRun,
    /// It is done when somebody approves it.
    AwaitsApproval,
    /// It may not be done.
    Refused(String),
    /// It was tried in vain.
    Failed(String),
}

impl ActOutcome {
    /// One word for JSON.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Ended => "ended",
            Self::Forced => "forced",
            Self::Undone => "undone",
            Self::DryRun => "dry_run",
            Self::AwaitsApproval => "awaits_approval",
            Self::Refused(_) => "refused",
            Self::Failed(_) => "failed",
        }
    }

    /// Why, where that is a question.
    #[must_use]
    pub fn why(&self) -> Option<&str> {
        match self {
            Self::Refused(why) | Self::Failed(why) => Some(why),
            Self::Done
            | Self::Ended
            | Self::Forced
            | Self::Undone
            | Self::DryRun
            | Self::AwaitsApproval => None,
        }
    }
}

/// One thing that was done, or was not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Act {
    /// When.
    pub wall_time: WallTime,
    /// The number of the alert that it is about.
    pub alert: i64,
    /// What was watched for.
    pub rule: Rule,
    /// Whose.
    pub persona: Option<Persona>,
    /// To which process.
    pub process: AlertProcess,
    /// What.
    pub remedy: Remedy,
    /// How it went.
    #[serde(flatten)]
    pub outcome: ActOutcome,
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::model::ProcessKey;

    #[test]
    fn an_act_is_read_back() {
        for outcome in [
            ActOutcome::Done,
            ActOutcome::Forced,
            ActOutcome::AwaitsApproval,
            ActOutcome::Failed("it is gone".to_owned()),
        ] {
            let act = Act {
                wall_time: WallTime { unix_ns: 1 },
                alert: 2,
                rule: Rule::MassCreate,
                persona: None,
                process: AlertProcess {
                    key: ProcessKey { tgid: 3, start_time: 4 },
                    comm: None,
                    argv: None,
                },
                remedy: Remedy::Stop,
                outcome,
            };
            let json = serde_json::to_string(&act).unwrap();
            assert_eq!(serde_json::from_str::<Act>(&json).unwrap(), act, "{json}");
        }
        assert_eq!("stop".parse(), Ok(Remedy::Stop));
        assert!("pause".parse::<Remedy>().unwrap_err().to_string().contains("kill, stop"));
    }
}
