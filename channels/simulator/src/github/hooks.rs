//! Deliveries that can be had again ("REST API endpoints for GitHub App webhooks", "... for repository webhooks").

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::auth::INSTALLATION_ID;
use super::objects::time;
use super::{Answer, Github, NOT_FOUND, REPOSITORY_ID};
use crate::deliver::Delivered;

/// The one webhook of the repository.
pub(crate) const HOOK_ID: u64 = 1;

impl Github {
    /// The deliveries, the newest first, and the cursor of the next page.
    pub(crate) fn list_deliveries(&self, query: &[(String, String)]) -> (Value, Option<String>) {
        let number = |name: &str| query.iter().find(|(key, _)| key == name).and_then(|(_, value)| value.parse().ok());
        let size = number("per_page").unwrap_or(30usize).clamp(1, 100);
        let all = self.deliveries();
        // One that is under way is not shown yet.
        let ended: Vec<(usize, &Delivered)> = all.iter().enumerate().filter(|(_, it)| it.tries > 0).rev().collect();
        let before = number("cursor").unwrap_or(usize::MAX);
        let mut older = ended.into_iter().filter(|(index, _)| *index < before);
        let page: Vec<(usize, &Delivered)> = older.by_ref().take(size).collect();
        let last = page.last().map(|(index, _)| *index);
        let next = older.next().and(last).map(|last| format!("per_page={size}&cursor={last}"));
        (page.into_iter().map(|(index, delivered)| shown(index, delivered)).collect(), next)
    }

    /// `POST .../{id}/attempts`.
    pub(crate) fn deliver_again(&self, id: &str) -> Answer {
        let index: usize = id.parse().map_err(|_| NOT_FOUND)?;
        if !self.log.send_one_again(&self.shared, &self.rules(), index) {
            return Err(NOT_FOUND);
        }
        Ok((StatusCode::ACCEPTED, json!({})))
    }

    pub(crate) fn list_hooks(&self) -> Value {
        let base = crate::lock(&self.shared.deliver_to).clone();
        let url = base.join(&self.rules().path).map(String::from).unwrap_or_default();
        json!([{"type": "Repository", "id": HOOK_ID, "name": "web", "active": true, "events": ["*"],
            "config": {"url": url, "content_type": "json", "insecure_ssl": "0", "secret": "********"}}])
    }
}

fn shown(index: usize, delivered: &Delivered) -> Value {
    let header = |name: &str| delivered.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let action = serde_json::from_slice::<Value>(&delivered.body).ok().and_then(|body| body.get("action").cloned());
    let status = match delivered.status {
        Some(code) if (200..300).contains(&code) => "OK".to_owned(),
        Some(code) => format!("Invalid HTTP Response: {code}"),
        None => "failed to connect to host".to_owned(),
    };
    json!({"id": index, "guid": header("x-github-delivery"), "delivered_at": time(delivered.at_s), "redelivery": delivered.is_again,
        "duration": 0.1, "status": status, "status_code": delivered.status.unwrap_or(0), "event": header("x-github-event"),
        "action": action, "installation_id": INSTALLATION_ID, "repository_id": REPOSITORY_ID, "throttled_at": null})
}
