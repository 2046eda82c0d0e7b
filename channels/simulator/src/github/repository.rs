//! "REST API endpoints for repository contents", "... for Git trees", "... for collaborators", "... for search".

use axum::http::StatusCode;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::api::Asked;
use super::auth::Caller;
use super::state::Issue;
use super::{Answer, Github, NOT_FOUND, PEOPLE, REPOSITORY, UNPROCESSABLE, objects};
use crate::lock;

impl Github {
    pub(super) fn repository(&self, asked: &Asked<'_>) -> Answer {
        match (asked.method.as_str(), asked.rest) {
            ("GET", []) => {
                asked.caller.may(&[("metadata", "read")])?;
                Ok((StatusCode::OK, objects::repository()))
            }
            ("GET", ["collaborators", login, "permission"]) => {
                asked.caller.may(&[("metadata", "read")])?;
                permission(login)
            }
            ("GET", ["contents", path @ ..]) => {
                asked.caller.may(&[("contents", "read")])?;
                self.contents(&path.join("/"))
            }
            ("GET", ["git", "trees", _]) => {
                asked.caller.may(&[("contents", "read")])?;
                let state = lock(&self.state);
                let entry = |(path, text): (&String, &String)| json!({"path": path, "mode": "100644", "type": "blob", "size": text.len(), "sha": "d".repeat(40)});
                let tree: Vec<Value> = state.files.iter().map(entry).collect();
                Ok((StatusCode::OK, json!({"sha": "e".repeat(40), "tree": tree, "truncated": false})))
            }
            _ => Err(NOT_FOUND),
        }
    }

    fn contents(&self, path: &str) -> Answer {
        let path = path.replace("%20", " ");
        let state = lock(&self.state);
        if let Some(text) = state.files.get(&path) {
            let name = path.rsplit('/').next().unwrap_or_default();
            let file = json!({"type": "file", "encoding": "base64", "size": text.len(), "name": name, "path": path,
                "content": STANDARD.encode(text), "sha": "d".repeat(40)});
            return Ok((StatusCode::OK, file));
        }
        let below = if path.is_empty() { String::new() } else { format!("{path}/") };
        let inside: Vec<Value> = state
            .files
            .keys()
            .filter_map(|file| file.strip_prefix(&below))
            .map(|rest| match rest.split_once('/') {
                Some((folder, _)) => {
                    json!({"type": "dir", "name": folder, "path": format!("{below}{folder}"), "size": 0})
                }
                None => json!({"type": "file", "name": rest, "path": format!("{below}{rest}"), "size": 1}),
            })
            .collect();
        if inside.is_empty() { Err(NOT_FOUND) } else { Ok((StatusCode::OK, Value::Array(inside))) }
    }

    /// `q` with words, `repo:` and `is:`; other qualifiers are taken and hold nothing back.
    pub(super) fn search(&self, what: &str, query: &[(String, String)], caller: &Caller) -> Answer {
        let asked = query.iter().find(|(key, _)| key == "q").map(|(_, value)| value.as_str()).ok_or(UNPROCESSABLE)?;
        let (qualifiers, words): (Vec<&str>, Vec<&str>) =
            asked.split_whitespace().partition(|word| word.contains(':') && !word.starts_with('"'));
        if !qualifiers.contains(&format!("repo:{REPOSITORY}").as_str()) {
            return Err((StatusCode::UNPROCESSABLE_ENTITY, "Validation Failed"));
        }
        let holds = |text: &str| {
            let text = text.to_lowercase();
            words.iter().all(|word| text.contains(&word.trim_matches('"').to_lowercase()))
        };
        let state = lock(&self.state);
        let items: Vec<Value> = match what {
            "issues" => {
                caller.may(&[("issues", "read"), ("pull_requests", "read")])?;
                let is = |issue: &&Issue| {
                    qualifiers.iter().all(|qualifier| match *qualifier {
                        "is:issue" => issue.pull.is_none(),
                        "is:pr" => issue.pull.is_some(),
                        "is:open" => !issue.is_closed,
                        "is:closed" => issue.is_closed,
                        _ => true,
                    })
                };
                let found = state.issues.iter().filter(is);
                found.filter(|issue| holds(&format!("{} {}", issue.title, issue.body))).map(objects::issue).collect()
            }
            "code" => {
                caller.may(&[("contents", "read")])?;
                let found = state.files.iter().filter(|(_, text)| holds(text));
                found
                    .map(|(path, text)| {
                        json!({"name": path.rsplit('/').next(), "path": path, "repository": objects::repository(),
                            "text_matches": [{"property": "content", "fragment": text}]})
                    })
                    .collect()
            }
            _ => return Err(NOT_FOUND),
        };
        Ok((StatusCode::OK, json!({"total_count": items.len(), "incomplete_results": false, "items": items})))
    }
}

fn permission(login: &str) -> Answer {
    let person = PEOPLE.iter().find(|one| one.login == login).ok_or(NOT_FOUND)?;
    let user = objects::user(person.id, person.login, "User");
    Ok((StatusCode::OK, json!({"permission": person.permission, "role_name": person.permission, "user": user})))
}
