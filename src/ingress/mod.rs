//! The HTTP edge: limits, verify, normalise, admit, acknowledge.
//!
//! Nothing of a request is parsed before its signature is known to be right (its token, where it is the operator's), nothing is
//! acknowledged before it is durable, and an answer to a delivery is one of those that `docs/guide.md` lists: `200`, `400`, `401`, `404`, `405`, `408`, `413`, `415`, `431` or
//! `503`. Policy is not decided here: see `dispatch`.

mod api;
mod body;
mod deliver;
mod health;
mod install;
mod intake;
mod server;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use tokio::sync::Semaphore;
use url::Url;

use crate::actor::Directory;
use crate::admin::{ApiToken, Desk};
use crate::clock::Clock;
use crate::connection::Connections;
use crate::journal::Engine;
use crate::telemetry::Metrics;

use api::Api;
use install::Installing;
pub use intake::{ConnectionIntake, Intake};
pub(crate) use server::listen;
pub use server::{Bound, Listening, bind};

/// Requests that may be in work at once; more are told to come back.
const REQUESTS_MAX: usize = 2048;

/// What the edge works with.
#[derive(Debug, Clone)]
pub struct Edge {
    /// The platforms.
    pub connections: Connections,
    /// Where events go.
    pub intake: Intake,
    /// The journal.
    pub engine: Arc<dyn Engine>,
    /// Who is woken.
    pub directory: Directory,
    /// The date.
    pub clock: Arc<dyn Clock>,
    /// The process's figures, where they are collected.
    pub metrics: Option<Metrics>,
    installing: Arc<Installing>,
    api: Option<Api>,
    requests: Arc<Semaphore>,
    bodies: Arc<Semaphore>,
}

impl Edge {
    /// An edge with its own bound on requests.
    #[must_use]
    pub fn new(
        connections: Connections,
        intake: Intake,
        engine: Arc<dyn Engine>,
        directory: Directory,
        clock: Arc<dyn Clock>,
        metrics: Option<Metrics>,
        public_url: Option<Url>,
    ) -> Self {
        let requests = Arc::new(Semaphore::new(REQUESTS_MAX));
        let bodies = Arc::new(Semaphore::new(body::HELD_KIB_MAX));
        let installing = Arc::new(Installing::new(public_url));
        Self { connections, intake, engine, directory, clock, metrics, installing, api: None, requests, bodies }
    }

    /// The same with the API for the operator, who is known by this token.
    #[must_use]
    pub fn with_api(mut self, token: Arc<ApiToken>, desk: Arc<Desk>) -> Self {
        let (requests, bodies) = (Arc::clone(&self.requests), Arc::clone(&self.bodies));
        self.api = Some(Api { token, desk, requests, bodies });
        self
    }

    /// The routes.
    pub fn router(self) -> Router {
        let api = self.api.clone().map_or_else(Router::new, |api| Router::new().nest(api::PREFIX, api.router()));
        api.route("/channels/{name}/{endpoint}", post(deliver::deliver))
            .route("/channels/{name}/install", get(install::begin))
            .route("/channels/{name}/oauth/callback", get(install::callback))
            .route("/healthz", get(health::healthz))
            .route("/readyz", get(health::readyz))
            .route("/metrics", get(health::metrics))
            .layer(tower_http::catch_panic::CatchPanicLayer::custom(health::panicked))
            .with_state(self)
    }
}
