//! `GET /api/v1/approvals`: what waits for an answer. `POST /api/v1/approvals/{id}`: the operator's answer.

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use super::{Api, Problem, json, problem};
use crate::admin::{Answer, Asked, NotSettled, Settled};
use crate::approval::is_id;
use crate::ingress::body;
use crate::ingress::deliver::come_back;
use crate::journal::Verdict;

/// The most bytes of an answer.
const BODY_MAX: usize = 1024;

/// What waits. The names stay.
#[derive(Debug, Serialize)]
struct Listed {
    approvals: Vec<Asked>,
}

/// An answer, as it comes in.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    decision: Answer,
}

pub(super) async fn list(State(api): State<Api>) -> Response {
    match api.desk.pending().await {
        Ok(approvals) => json(StatusCode::OK, &Listed { approvals }),
        Err(error) => not_settled(error),
    }
}

pub(super) async fn decide(State(api): State<Api>, Path(id): Path<String>, request: Request) -> Response {
    let (head, stream) = request.into_parts();
    if let Err(status) = body::check_head(&head.uri, &head.headers, false) {
        return status.into_response();
    }
    let held = match body::read(&head.headers, stream, BODY_MAX, &api.bodies).await {
        Ok(held) => held,
        Err(StatusCode::SERVICE_UNAVAILABLE) => return come_back(),
        Err(status) => return status.into_response(),
    };
    let given = match serde_json::from_slice::<Given>(&held.bytes) {
        Ok(given) => given,
        Err(error) => {
            let message =
                format!("the body is not {{\"decision\": \"approve\"}} or {{\"decision\": \"deny\"}}: {error}");
            return problem(StatusCode::BAD_REQUEST, "malformed", &message);
        }
    };
    if !is_id(&id) {
        return not_settled(NotSettled::Unknown);
    }
    match api.desk.decide(&id, given.decision, held.bytes.clone()).await {
        Ok(Settled::Decided(asked)) => json(StatusCode::OK, &asked),
        Ok(Settled::Taken(asked)) => json(StatusCode::ACCEPTED, &asked),
        Err(error) => not_settled(error),
    }
}

fn not_settled(error: NotSettled) -> Response {
    let message = error.to_string();
    match error {
        NotSettled::Unknown => problem(StatusCode::NOT_FOUND, "unknown_approval", &message),
        NotSettled::Refused(_) => problem(StatusCode::FORBIDDEN, "refused", &message),
        NotSettled::Closed(asked) => {
            let (status, error) = match asked.verdict {
                Some(Verdict::Expired) => (StatusCode::GONE, "expired"),
                _ => (StatusCode::CONFLICT, "decided"),
            };
            json(status, &Problem { error, message: &asked.outcome(), approval: Some(&asked) })
        }
        NotSettled::Journal(error) => {
            tracing::error!(%error, "the operator's request could not be served");
            come_back()
        }
        NotSettled::Late => {
            tracing::error!("the journal did not answer the operator's request in time");
            come_back()
        }
    }
}
