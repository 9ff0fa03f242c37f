//! Figures in cells: with their unit, or `-` where they are unknown.

use crate::{
    model::{Figures, Metric, Unit},
    render::units::{Bytes, Count},
};

/// What stands for the unknown.
pub(crate) const UNKNOWN: &str = "-";

/// The figure of a metric.
pub(crate) fn metric(figures: &Figures, metric: Metric) -> String {
    known(figures.get(metric)).map_or_else(
        || UNKNOWN.to_owned(),
        |figure| match metric.unit() {
            Unit::Bytes => bytes(figure),
            Unit::Percent => format!("{} %", few(figure)),
            Unit::PerSecond => few(figure),
            Unit::BytesPerSecond => format!("{}/s", bytes(figure)),
            Unit::Count => Count(figure.round() as u64).to_string(),
        },
    )
}

/// So many a minute, of a rate a second.
pub(crate) fn per_minute(per_second: Option<f64>) -> String {
    known(per_second).map_or_else(|| UNKNOWN.to_owned(), |figure| few(figure * 60.0))
}

/// A count that may be unknown.
pub(crate) fn count(count: Option<u64>) -> String {
    count.map_or_else(|| UNKNOWN.to_owned(), |count| Count(count).to_string())
}

/// A size that may be unknown.
pub(crate) fn size(bytes: Option<u64>) -> String {
    bytes.map_or_else(|| UNKNOWN.to_owned(), |bytes| Bytes(bytes).to_string())
}

/// What no measurement gives is unknown.
pub(crate) fn known(figure: Option<f64>) -> Option<f64> {
    figure.filter(|figure| figure.is_finite() && *figure >= 0.0)
}

fn bytes(figure: f64) -> String {
    Bytes(figure.round() as u64).to_string()
}

/// Tenths are told below 10, unless there are none.
fn few(figure: f64) -> String {
    let tenths = (figure * 10.0).round() as u64;
    match (tenths / 10, tenths % 10) {
        (whole @ ..10, tenth @ 1..) => format!("{whole}.{tenth}"),
        _ => Count(figure.round() as u64).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_unit_is_told_and_the_unknown_is_a_dash() {
        let told = |of, figure| {
            let mut figures = Figures::default();
            figures.set(of, figure);
            metric(&figures, of)
        };
        assert_eq!(told(Metric::RssBytes, Some(1_536.0)), "1.5 KiB");
        assert_eq!(told(Metric::CpuPercent, Some(3.13)), "3.1 %");
        assert_eq!(told(Metric::CpuPercent, Some(1_599.6)), "1,600 %");
        assert_eq!(told(Metric::WriteCallsPerSecond, Some(0.0)), "0");
        assert_eq!(told(Metric::WriteCallsPerSecond, Some(9.96)), "10");
        assert_eq!(told(Metric::WrittenBytesPerSecond, Some(2_048.0)), "2 KiB/s");
        assert_eq!(told(Metric::Threads, Some(1_234.0)), "1,234");
        for unknown in [None, Some(f64::NAN), Some(f64::INFINITY), Some(-1.0)] {
            assert_eq!(told(Metric::Threads, unknown), "-");
        }
        assert_eq!((per_minute(Some(0.5)), per_minute(None)), ("30".to_owned(), "-".to_owned()));
    }
}
