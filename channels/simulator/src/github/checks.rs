//! "REST API endpoints for check runs". Only apps may write them.

use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::api::Asked;
use super::{Answer, Github, NOT_FOUND, UNPROCESSABLE};
use crate::lock;

/// A check run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckRun {
    /// Its id.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// The commit.
    pub head_sha: String,
    /// The app's own word for it.
    pub external_id: String,
    /// `queued`, `in_progress`, `completed`.
    pub status: String,
    /// How it ended.
    pub conclusion: Option<String>,
    /// Title and summary.
    pub output: Option<(String, String)>,
}

impl CheckRun {
    pub(super) fn json(&self, app: Option<&Value>) -> Value {
        let output = self.output.as_ref().map(|(title, summary)| json!({"title": title, "summary": summary}));
        json!({"id": self.id, "node_id": format!("CR_{}", self.id), "name": self.name, "head_sha": self.head_sha,
            "external_id": self.external_id, "status": self.status, "conclusion": self.conclusion, "output": output,
            "html_url": format!("https://github.com/acme/app/runs/{}", self.id), "app": app, "pull_requests": []})
    }
}

impl Github {
    pub(super) fn checks_api(&self, asked: &Asked<'_>) -> Answer {
        let level = if asked.method == "GET" { "read" } else { "write" };
        asked.caller.may(&[("checks", level)])?;
        if level == "write" && self.options.app.is_none() {
            return Err((StatusCode::FORBIDDEN, "You must authenticate via a GitHub App."));
        }
        let mut state = lock(&self.state);
        match (asked.method.as_str(), asked.rest) {
            ("POST", ["check-runs"]) => {
                let id = state.next_id();
                let mut check = CheckRun { id, status: "queued".into(), ..CheckRun::default() };
                change(&mut check, asked.arguments)?;
                if check.name.is_empty() || check.head_sha.len() != 40 {
                    return Err(UNPROCESSABLE);
                }
                state.checks.push(check.clone());
                Ok((StatusCode::CREATED, check.json(self.via().as_ref())))
            }
            ("PATCH", ["check-runs", id]) => {
                let check = state.checks.iter_mut().find(|check| check.id.to_string() == **id).ok_or(NOT_FOUND)?;
                change(check, asked.arguments)?;
                Ok((StatusCode::OK, check.json(self.via().as_ref())))
            }
            ("GET", ["check-runs", id]) => {
                let check = state.checks.iter().find(|check| check.id.to_string() == **id).ok_or(NOT_FOUND)?;
                Ok((StatusCode::OK, check.json(self.via().as_ref())))
            }
            ("GET", ["commits", sha, "check-runs"]) => {
                let of = state.checks.iter().filter(|check| check.head_sha == **sha);
                let all: Vec<Value> = of.map(|check| check.json(self.via().as_ref())).collect();
                Ok((StatusCode::OK, json!({"total_count": all.len(), "check_runs": all})))
            }
            _ => Err(NOT_FOUND),
        }
    }
}

fn change(check: &mut CheckRun, arguments: &Value) -> Result<(), super::Refusal> {
    let text = |name: &str| arguments.get(name).and_then(Value::as_str).map(ToOwned::to_owned);
    for (place, name) in [
        (&mut check.name, "name"),
        (&mut check.head_sha, "head_sha"),
        (&mut check.external_id, "external_id"),
        (&mut check.status, "status"),
    ] {
        if let Some(text) = text(name) {
            *place = text;
        }
    }
    if let Some(conclusion) = text("conclusion") {
        check.conclusion = Some(conclusion);
        check.status = "completed".into();
    }
    if check.status == "completed" && check.conclusion.is_none() {
        return Err(UNPROCESSABLE);
    }
    if let Some(output) = arguments.get("output") {
        let of = |name: &str| output.get(name).and_then(Value::as_str).map(ToOwned::to_owned);
        check.output = Some((of("title").unwrap_or_default(), of("summary").ok_or(UNPROCESSABLE)?));
    }
    Ok(())
}
