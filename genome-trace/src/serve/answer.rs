//! What is answered to a request.

use axum::{
    Router,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};

use super::Latest;
use crate::render::{
    exposition,
    open_metrics::{Dialect, OpenMetrics},
};

const OPEN_METRICS: &str = "application/openmetrics-text";
const TEXT: &str = "text/plain; charset=utf-8";
const NOT_YET: &str = "genome-trace has not begun to trace yet: ask again in a second\n";

/// All there is; anything else is not found, or not allowed.
pub(super) fn routes(latest: Latest) -> Router {
    let of_metrics = latest.clone();
    let is_there = move || async move {
        match latest.get() {
            Some(_) => text(StatusCode::OK, "ok\n"),
            None => text(StatusCode::SERVICE_UNAVAILABLE, NOT_YET),
        }
    };
    Router::new()
        .route("/", get(|| async { text(StatusCode::OK, "genome-trace: see /metrics\n") }))
        .route("/healthz", get(is_there))
        .route(
            "/metrics",
            get(move |headers: HeaderMap| async move { metrics(&of_metrics, &headers) }),
        )
}

fn metrics(latest: &Latest, headers: &HeaderMap) -> Response {
    let Some(exposed) = latest.get() else {
        return text(StatusCode::SERVICE_UNAVAILABLE, NOT_YET);
    };
    let (dialect, content_type) = match dialect(headers) {
        Dialect::OpenMetrics => {
            (Dialect::OpenMetrics, "application/openmetrics-text; version=1.0.0; charset=utf-8")
        }
        Dialect::Plain => (Dialect::Plain, "text/plain; version=0.0.4; charset=utf-8"),
    };
    let body = exposition::metrics(OpenMetrics::new(dialect), &exposed);
    ([(header::CONTENT_TYPE, content_type), (header::VARY, "accept")], body).into_response()
}

/// OpenMetrics for who says that he reads it.
fn dialect(headers: &HeaderMap) -> Dialect {
    let accepts = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let mut kinds = accepts.flat_map(|value| value.split(','));
    let reads_it = kinds.any(|kind| {
        let (name, rest) = kind.split_once(';').unwrap_or((kind, ""));
        let is_refused = rest
            .split(';')
            .any(|part| part.trim().strip_prefix("q=").is_some_and(|q| q.parse() == Ok(0.0_f32)));
        name.trim().eq_ignore_ascii_case(OPEN_METRICS) && !is_refused
    });
    if reads_it { Dialect::OpenMetrics } else { Dialect::Plain }
}

fn text(status: StatusCode, body: &'static str) -> Response {
    (status, [(header::CONTENT_TYPE, TEXT)], body).into_response()
}
