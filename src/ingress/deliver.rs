//! One delivery, from bytes to an acknowledgement.

use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use reveille_channel::{Delivery, Event, Inbound, Route};
use tracing::Instrument;

use super::{Edge, body};
use crate::connection::Connection;
use crate::dispatch::route;
use crate::journal::{Admission, Admitted, JournalError};

/// `POST /channels/{name}/{endpoint}`.
pub(super) async fn deliver(
    State(edge): State<Edge>,
    Path((name, endpoint)): Path<(String, String)>,
    request: Request,
) -> Response {
    let Some(connection) = edge.connections.get(&name).cloned() else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let Some(route) = connection.channel.routes().iter().find(|route| route.path() == endpoint).copied() else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let Ok(_permit) = edge.requests.clone().try_acquire_owned() else {
        return come_back();
    };
    let span = tracing::info_span!("delivery", connection = name, endpoint);
    let answer = take(&edge, &connection, route, request).instrument(span).await;
    let status = answer.status().as_u16().to_string();
    metrics::counter!("deliveries_total", "connection" => name, "status" => status).increment(1);
    answer
}

async fn take(edge: &Edge, connection: &Connection, route: Route, request: Request) -> Response {
    let (head, stream) = request.into_parts();
    let forms = route != Route::Events;
    if let Err(status) = body::check_head(&head.uri, &head.headers, forms) {
        return status.into_response();
    }
    let bytes = match body::read(&head.headers, stream, connection.channel.body_limit()).await {
        Ok(bytes) => bytes,
        Err(status) => return status.into_response(),
    };
    let received_at_ms = edge.clock.now_ms();
    let delivery = Delivery { route, headers: head.headers, body: bytes.clone(), received_at_ms };
    let verified = match connection.channel.verify(delivery) {
        Ok(verified) => verified,
        Err(reason) => {
            tracing::warn!(%reason, bytes = bytes.len(), "a delivery was not believed");
            // One answer for all of them: nobody learns which check failed.
            return StatusCode::UNAUTHORIZED.into_response();
        }
    };
    // Who we are there decides what is our own post and what is a mention; it is known a moment after the start.
    connection.wait_until_identified().await;
    match connection.channel.normalise(&verified) {
        Err(malformed) => {
            tracing::warn!(%malformed, bytes = bytes.len(), "a signed delivery is malformed");
            StatusCode::BAD_REQUEST.into_response()
        }
        Ok(Inbound::Handshake { content_type, body }) => {
            let mut answer = Body::from(body).into_response();
            answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
            answer
        }
        Ok(Inbound::Ignored { reason }) => {
            tracing::debug!(reason, "ignored");
            metrics::counter!("events_ignored_total", "reason" => reason).increment(1);
            StatusCode::OK.into_response()
        }
        Ok(Inbound::Events(events)) => {
            for event in events {
                if let Err(error) = admit(edge, connection, event, bytes.clone()).await {
                    tracing::error!(%error, "an event could not be made durable; the platform is told to come back");
                    return come_back();
                }
            }
            StatusCode::OK.into_response()
        }
    }
}

/// Makes an event durable for the instances it is for, and wakes them.
async fn admit(edge: &Edge, connection: &Connection, event: Event, raw: Bytes) -> Result<(), JournalError> {
    let id = event.id;
    let targets = match route(&event, connection.handle().as_deref(), &edge.catalogue.agents()) {
        Ok(routed) => {
            for one in &routed {
                tracing::debug!(event = %id, agent = one.agent, because = ?one.because, "routed");
            }
            routed.into_iter().map(|one| one.target).collect()
        }
        Err(unrouted) => {
            tracing::info!(event = %id, name = event.name, reason = %unrouted, "for no agent");
            metrics::counter!("events_ignored_total", "reason" => "unrouted").increment(1);
            return Ok(());
        }
    };
    match edge.engine.admit(Admission { event, raw, targets }).await?.into_inner() {
        Admitted::Duplicate => {
            tracing::debug!(event = %id, "seen before");
            metrics::counter!("events_duplicate_total").increment(1);
        }
        Admitted::New(instances) => {
            tracing::info!(event = %id, instances = instances.len(), "admitted");
            metrics::counter!("events_admitted_total").increment(1);
            for instance in instances {
                edge.directory.wake(instance);
            }
        }
    }
    Ok(())
}

/// Nothing was taken; the platform's own retry brings it again.
pub(super) fn come_back() -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "5")]).into_response()
}
