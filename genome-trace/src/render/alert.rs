//! An alert's fields as programs get them: in events, in the report and in
//! what channels send, the same everywhere (docs/events.md, `alert`).

use serde::Serialize;

use super::time::Utc;
use crate::model::{Alert, Basis, Metric, Unit};

/// The fields, in the order in which they are written. What is unknown, or
/// does not belong to the rule, is `null`.
#[derive(Serialize)]
pub(super) struct AlertFields<'a> {
    id: i64,
    change: &'static str,
    rule: &'static str,
    severity: &'static str,
    raised: String,
    last: String,
    ended: Option<String>,
    count: u64,
    text: &'a str,
    advice: &'a [String],
    cause: Option<&'a str>,
    metric: Option<Metric>,
    unit: Unit,
    measured: f64,
    normal: Option<f64>,
    factor: Option<f64>,
    threshold: f64,
    window_ns: Option<u64>,
    slope_per_hour: Option<f64>,
    basis: &'static str,
    basis_samples: Option<u64>,
    basis_personas: Option<u64>,
    basis_rule: Option<&'a str>,
    basis_centre: Option<f64>,
    basis_spread: Option<f64>,
    basis_limit: Option<f64>,
    confidence: Option<f64>,
    argv: Option<&'a [String]>,
    folder: Option<&'a str>,
    files_created: Option<u64>,
    files_unlinked: Option<u64>,
    files_equal: Option<u64>,
    files_read: Option<u64>,
    files_unread: Option<u64>,
    written_bytes: Option<u64>,
    files_per_second: Option<f64>,
    sample_names: Option<&'a [String]>,
}

impl<'a> AlertFields<'a> {
    pub(super) fn of(alert: &'a Alert) -> Self {
        let anomaly = &alert.anomaly;
        let files = anomaly.files.as_ref();
        let (samples, personas, centre, spread, limit) = match &anomaly.basis {
            Basis::Threshold => (None, None, None, None, None),
            Basis::Unlearned { samples, neighbours, .. } => {
                (Some(*samples), *neighbours, None, None, None)
            }
            Basis::Habit { samples, centre, spread } => {
                (Some(*samples), None, Some(*centre), Some(*spread), None)
            }
            Basis::Neighbours { personas, centre, spread, .. } => {
                (None, Some(*personas), Some(*centre), Some(*spread), None)
            }
            Basis::Limit { limit } => (None, None, None, None, Some(*limit)),
        };
        let rule = match &anomaly.basis {
            Basis::Unlearned { rule, .. } => rule.as_deref(),
            Basis::Neighbours { rule, .. } => Some(rule.as_str()),
            Basis::Threshold | Basis::Habit { .. } | Basis::Limit { .. } => None,
        };
        Self {
            id: alert.id,
            change: alert.change.name(),
            rule: anomaly.rule.name(),
            severity: alert.severity.name(),
            raised: Utc(alert.raised).to_string(),
            last: Utc(alert.last).to_string(),
            ended: alert.ended.map(|ended| Utc(ended).to_string()),
            count: alert.count,
            text: &alert.text,
            advice: &alert.advice,
            cause: anomaly.cause.as_deref(),
            metric: anomaly.metric,
            unit: anomaly.unit,
            measured: anomaly.measured,
            normal: anomaly.normal,
            factor: anomaly.factor,
            threshold: anomaly.threshold,
            window_ns: anomaly.window_ns,
            slope_per_hour: anomaly.slope_per_hour,
            basis: anomaly.basis.name(),
            basis_samples: samples,
            basis_personas: personas,
            basis_rule: rule,
            basis_centre: centre,
            basis_spread: spread,
            basis_limit: limit,
            confidence: anomaly.confidence,
            argv: anomaly.process.as_ref().and_then(|process| process.argv.as_deref()),
            folder: files.map(|files| files.folder.as_str()),
            files_created: files.map(|files| files.files_created),
            files_unlinked: files.and_then(|files| files.files_unlinked),
            files_equal: files.and_then(|files| files.files_equal),
            files_read: files.and_then(|files| files.files_read),
            files_unread: files.and_then(|files| files.files_unread),
            written_bytes: files.and_then(|files| files.written_bytes),
            files_per_second: files.and_then(|files| files.files_per_second),
            sample_names: files.map(|files| files.samples.as_slice()),
        }
    }
}
