//! The API of the operator, below `/api/v1`: for the command line, and for automation on the same machine.
//!
//! Deny first: nothing below the prefix, not even whether a path is there, is told to whoever does not show the token in the
//! header `Authorization`. It is looked for nowhere else, so no other site's page can make a browser send it.

mod approvals;
mod authorise;

use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Serialize;
use tokio::sync::Semaphore;

use crate::admin::{ApiToken, Desk};

/// Where it is.
pub(super) const PREFIX: &str = "/api/v1";

/// What the API works with.
#[derive(Debug, Clone)]
pub(super) struct Api {
    pub(super) token: Arc<ApiToken>,
    pub(super) desk: Arc<Desk>,
    pub(super) requests: Arc<Semaphore>,
    pub(super) bodies: Arc<Semaphore>,
}

impl Api {
    /// Its routes, for any router.
    pub(super) fn router<S: Clone + Send + Sync + 'static>(self) -> Router<S> {
        Router::new()
            .route("/approvals", get(approvals::list))
            .route("/approvals/{id}", post(approvals::decide))
            .fallback(absent)
            // Around all of them, the fallback included.
            .layer(from_fn_with_state(self.clone(), authorise::authorise))
            .with_state(self)
    }
}

/// Why something was not done. The names stay.
#[derive(Debug, Serialize)]
struct Problem<'a, T: Serialize> {
    error: &'static str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    approval: Option<T>,
}

async fn absent() -> Response {
    problem(StatusCode::NOT_FOUND, "unknown_path", "there is nothing at this path")
}

fn problem(status: StatusCode, error: &'static str, message: &str) -> Response {
    json(status, &Problem::<()> { error, message, approval: None })
}

fn json(status: StatusCode, value: &impl Serialize) -> Response {
    let mut answer = (status, axum::Json(value)).into_response();
    // What waits for a yes is nothing for a cache.
    answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}
