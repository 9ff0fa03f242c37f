//! What is sent: an alert, and whose machine it is from.

use std::sync::Arc;

use crate::{
    model::{Alert, AlertChange, Anomaly, Basis, Rule, Severity, Unit, WallTime},
    render::{json, text::Printable},
};

/// An alert on its way.
#[derive(Clone, Debug)]
pub struct Message {
    /// What has become of what.
    pub alert: Alert,
    host: Arc<str>,
}

impl Message {
    /// One from a host.
    #[must_use]
    pub const fn new(alert: Alert, host: Arc<str>) -> Self {
        Self { alert, host }
    }

    /// Which machine it is from.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// As one line for people: `error: …`.
    #[must_use]
    pub fn line(&self) -> String {
        let Alert { severity, change, text, .. } = &self.alert;
        let text = Printable(text);
        match change {
            AlertChange::Raised => format!("{severity}: {text}"),
            change => format!("{severity} {}: {text}", change.name()),
        }
    }

    /// As a program gets it: the event as `--follow --format=json` writes it,
    /// with its `text` beside, which is what chat services ask for.
    #[must_use]
    pub fn json(&self) -> Vec<u8> {
        let mut out = Vec::new();
        json::write_event(&mut out, &self.alert.event(0), &self.host);
        // Without the object's end and the line's.
        out.truncate(out.len().saturating_sub(b"}\n".len()));
        out.extend_from_slice(b",\"text\":");
        let text = format!("{} on {}", self.line(), self.host);
        // A string can be written.
        let _ = serde_json::to_writer(&mut out, &text);
        out.extend_from_slice(b"}\n");
        out
    }
}

/// An alert that says of itself that it is a test. Its number is 0, which no
/// other has.
#[must_use]
pub fn test_alert(now: WallTime) -> Alert {
    let anomaly = Anomaly {
        wall_time: now,
        rule: Rule::MassCreate,
        severity: Severity::Critical,
        persona: None,
        process: None,
        cause: Some("test".to_owned()),
        metric: None,
        unit: Unit::Count,
        measured: 0.0,
        normal: None,
        factor: None,
        threshold: 0.0,
        window_ns: None,
        slope_per_hour: None,
        basis: Basis::Threshold,
        confidence: None,
        files: None,
    };
    Alert {
        id: 0,
        change: AlertChange::Raised,
        raised: now,
        last: now,
        ended: None,
        severity: Severity::Critical,
        count: 1,
        anomaly,
        text: "TEST, nothing is wrong: `genome-trace alerts test` sent this".to_owned(),
        advice: Vec::new(),
    }
}
