//! One delivery, from bytes to an acknowledgement.

use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use reveille_channel::{Delivery, Inbound, Route};
use tracing::Instrument;

use super::intake::Taken;
use super::{Edge, body};
use crate::connection::Connection;

/// `POST /channels/{name}/{endpoint}`.
pub(super) async fn deliver(
    State(edge): State<Edge>,
    Path((name, endpoint)): Path<(String, String)>,
    request: Request,
) -> Response {
    let Some(connection) = edge.connections.get(&name).cloned() else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let Some(route) = connection.channel().routes().iter().find(|route| route.path() == endpoint).copied() else {
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
    let held = match body::read(&head.headers, stream, connection.channel().body_limit(), &edge.bodies).await {
        Ok(held) => held,
        Err(StatusCode::SERVICE_UNAVAILABLE) => return come_back(),
        Err(status) => return status.into_response(),
    };
    let bytes = held.bytes.clone();
    let received_at_ms = edge.clock.now_ms();
    let delivery = Delivery { route, headers: head.headers, body: bytes.clone(), received_at_ms };
    let verified = match connection.channel().verify(delivery) {
        Ok(verified) => verified,
        Err(reason) => {
            tracing::warn!(%reason, bytes = bytes.len(), "a delivery was not believed");
            // One answer for all of them: nobody learns which check failed.
            return StatusCode::UNAUTHORIZED.into_response();
        }
    };
    // Who we are there decides what is our own post and what is a mention; it is known a moment after the start.
    connection.wait_until_identified().await;
    match connection.channel().normalise(&verified) {
        Err(malformed) => {
            tracing::warn!(%malformed, bytes = bytes.len(), "a signed delivery is malformed");
            StatusCode::BAD_REQUEST.into_response()
        }
        Ok(inbound) => {
            let promise = match &inbound {
                Inbound::Answered { body, .. } => Some(body.clone()),
                Inbound::Handshake { .. } | Inbound::Events(_) | Inbound::Ignored { .. } => None,
            };
            let mut answer = match &inbound {
                Inbound::Handshake { content_type, body } | Inbound::Answered { content_type, body, .. } => {
                    Some((*content_type, body.clone()))
                }
                Inbound::Events(_) | Inbound::Ignored { .. } => None,
            };
            match edge.intake.take(connection, inbound, &bytes).await {
                // A promise that nobody will keep is not made.
                Ok(Taken::ForNobody) => {
                    answer = promise.and_then(|promise| connection.channel().answer_of_nobody(&promise)).or(answer);
                }
                Ok(Taken::ForSomebody) => {}
                Err(error) => {
                    tracing::error!(%error, "an event was not taken; the platform is told to come back");
                    return come_back();
                }
            }
            match answer {
                None => StatusCode::OK.into_response(),
                Some((content_type, body)) => {
                    let mut answer = Body::from(body).into_response();
                    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
                    answer
                }
            }
        }
    }
}

/// Nothing was taken; the platform's own retry brings it again.
pub(super) fn come_back() -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "5")]).into_response()
}
