//! Liveness, readiness, figures.

use std::any::Any;
use std::time::Duration;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::Edge;
use super::deliver::come_back;

/// How long the journal may take to show that it can commit.
const PROBE_DEADLINE: Duration = Duration::from_secs(2);

/// The process answers.
pub(super) async fn healthz() -> &'static str {
    "ok\n"
}

/// A commit can be made now; `503` with the reason where not.
pub(super) async fn readyz(State(edge): State<Edge>) -> Response {
    match tokio::time::timeout(PROBE_DEADLINE, edge.engine.probe()).await {
        Ok(Ok(())) => "ready\n".into_response(),
        Ok(Err(error)) => {
            tracing::warn!(%error, "not ready");
            (StatusCode::SERVICE_UNAVAILABLE, "the journal cannot be written\n").into_response()
        }
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the journal does not answer\n").into_response(),
    }
}

/// Prometheus text format.
pub(super) async fn metrics(State(edge): State<Edge>) -> Response {
    match &edge.metrics {
        None => StatusCode::NOT_FOUND.into_response(),
        Some(metrics) => ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], metrics.render()).into_response(),
    }
}

/// A handler panicked: nothing was acknowledged.
pub(super) fn panicked(_panic: Box<dyn Any + Send + 'static>) -> Response {
    tracing::error!("a request handler panicked");
    come_back()
}
