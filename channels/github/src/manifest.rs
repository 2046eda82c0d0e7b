//! What the app has to be on GitHub for this crate to work: permissions, events, addresses.
//!
//! It stands beside the code that needs them; who calls or reads something further adds it here. The documentation's pages:
//! "Registering a GitHub App from a manifest", "Registering a GitHub App using URL parameters", "Permissions required for GitHub Apps".

use reveille_channel::{Guide, Site};
use serde_json::{Value, json};
use url::Url;

use crate::web_address;

/// A permission of the app: its name, the level, what for, and whether nothing is answered without it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Permission {
    pub(crate) name: &'static str,
    pub(crate) level: &'static str,
    pub(crate) what_for: &'static str,
    pub(crate) is_needed: bool,
}

/// What the app needs, and what for. Installation tokens ask for no more.
pub(crate) const PERMISSIONS: [Permission; 4] = [
    Permission { name: "discussions", level: "write", what_for: "to answer in discussions", is_needed: false },
    Permission { name: "issues", level: "write", what_for: "to answer on issues", is_needed: true },
    Permission { name: "metadata", level: "read", what_for: "to know who may do what", is_needed: true },
    Permission { name: "pull_requests", level: "write", what_for: "to answer on pull requests", is_needed: true },
];

/// To be told that somebody pressed a button of a check run or asked for it again; only where an agent wakes on that.
const CHECKS: (&str, &str, &str) = ("check_run", "checks", "write");

/// What the app is told of, and whether nothing is answered without it. Installations are told of without being asked for.
pub(crate) const EVENTS: [(&str, bool); 7] = [
    ("discussion", false),
    ("discussion_comment", false),
    ("issue_comment", true),
    ("issues", true),
    ("pull_request", false),
    ("pull_request_review", false),
    ("pull_request_review_comment", false),
];

/// Where a project of this kind says what it is. An app has to name a page.
const HOMEPAGE: &str = "https://github.com";

/// How the app, or the webhook of a token, is set up.
#[must_use]
pub fn guide(site: &Site) -> Guide {
    let mut guide = Guide::default();
    if site.has("token") {
        by_token(site, &mut guide);
    } else {
        by_app(site, &mut guide);
    }
    guide.trouble(
        "GitHub shows deliveries with 401",
        format!("The secret of the webhook and {} are not the same.", site.place("webhook_secret")),
    );
    guide.trouble(
        "GitHub shows deliveries that could not be delivered",
        format!("It has to reach `{}`; `reveille doctor` says whether the public URL answers.", site.url("webhook")),
    );
    guide.trouble(
        "It does not answer on an issue",
        "See whether an agent wakes there (`reveille agents`), whether its `repositories` name this one, and whether the person may \
         call it: `[access] default = \"members\"` asks for write access to the repository.",
    );
    guide
}

fn by_app(site: &Site, guide: &mut Guide) {
    let (events, permissions) = wanted(site);
    let page = registration(site);
    let manifest = json!({
        "name": site.app_name,
        "url": if site.public_url.is_some() { site.base() } else { HOMEPAGE },
        "hook_attributes": {"url": site.url("webhook"), "active": true},
        "redirect_url": format!("{}/", site.base()),
        "public": false,
        "default_permissions": permissions.iter().map(|(name, level)| ((*name).to_owned(), Value::from(*level))).collect::<serde_json::Map<_, _>>(),
        "default_events": events,
    });
    guide.paper(
        "create_url",
        "Address that has the form filled in",
        "text",
        filled(&page, site, &events, &permissions),
    );
    guide.paper("manifest", "GitHub App manifest", "json", format!("{manifest:#}"));
    guide.step(
        "Register the app",
        format!(
            "Open the address above, which has the form filled in: the webhook's URL `{}`, the permissions and the events. For an \
             organisation it begins with `{}` in place of `{page}`. The name has to be one that nobody on GitHub has.",
            site.url("webhook"),
            page.replacen("/settings/", "/organizations/ORGANIZATION/settings/", 1),
        ),
    );
    guide.step(
        "Set the webhook's secret",
        format!(
            "Still in the form: *Webhook secret* is the value of {}. No address can fill it in. Then *Create GitHub App*.",
            site.place("webhook_secret")
        ),
    );
    guide.step("Copy the App ID", format!("*General*, *About*, *App ID*: it belongs into {}.", site.place("app_id")));
    guide.step(
        "Make a private key",
        format!(
            "*General*, *Private keys*, *Generate a private key*. Your browser downloads a `.pem` file: move it to {} and let nobody \
             else read it (`chmod 600`).",
            site.place("private_key")
        ),
    );
    guide.step("Install it", "*Install App*: choose the account, and the repositories in which it is to answer.");
    guide.step(
        "Call it",
        "Comment on an issue of such a repository, with `@` and the app's name as its address has it.",
    );
    guide.other_way(
        "From the manifest",
        format!(
            "A program can register the app: a form posts the manifest as the field `manifest` to `{page}`; GitHub then leads to `redirect_url` with \
             `?code=...`, and within an hour `curl -X POST {}/app-manifests/CODE/conversions` answers with `id`, `pem` and \
             `webhook_secret`, which belong into {}, {} and {}.",
            site.api_base_url.trim_end_matches('/'),
            site.place("app_id"),
            site.place("private_key"),
            site.place("webhook_secret"),
        ),
    );
    guide.trouble(
        "`reveille doctor` says that the app lacks a permission",
        "*Permissions & events*: add it, save, and accept the change at *Install App*, the gear beside the account.",
    );
}

fn by_token(site: &Site, guide: &mut Guide) {
    let (events, permissions) = wanted(site);
    let web = web(site);
    let levels: Vec<String> = permissions.iter().map(|(name, level)| format!("`{name}: {level}`")).collect();
    let names: Vec<String> = events.iter().map(|event| format!("`{event}`")).collect();
    guide.step(
        "Make a token",
        format!(
            "Sign in as the account that is to answer. <{web}settings/personal-access-tokens/new>: choose the repositories, and of the \
             repository's permissions {}. Copy the token to {}.",
            levels.join(", "),
            site.place("token")
        ),
    );
    guide.step(
        "Make the webhook",
        format!(
            "In the repository or organisation: *Settings*, *Webhooks*, *Add webhook*. *Payload URL* `{}`, *Content type* \
             `application/json`, *Secret* the value of {}, *Let me select individual events*: {}.",
            site.url("webhook"),
            site.place("webhook_secret"),
            names.join(", ")
        ),
    );
    guide.step("Call it", "Comment on an issue of such a repository, with `@` and the account's name.");
    guide.trouble(
        "It answers itself, or nobody",
        "A token acts as its account, and what that account writes calls no agent: use an account of its own, or an app.",
    );
}

/// The events and permissions for what agents wake on.
fn wanted(site: &Site) -> (Vec<&'static str>, Vec<(&'static str, &'static str)>) {
    let (event, permission, level) = CHECKS;
    let mut events: Vec<_> = EVENTS.iter().map(|(event, _)| *event).collect();
    let mut permissions: Vec<_> = PERMISSIONS.iter().map(|one| (one.name, one.level)).collect();
    if site.events.iter().any(|named| named.split('.').next() == Some(event)) {
        events.insert(0, event);
        permissions.insert(0, (permission, level));
    }
    // The tools take permissions that nothing else needs.
    let uses = |parts: &[&str]| {
        let names = site.tools.iter().filter_map(|tool| tool.strip_prefix("github."));
        names.into_iter().any(|name| name == "*" || parts.iter().any(|part| name.contains(part)))
    };
    if uses(&["check_run"]) && !permissions.contains(&(permission, level)) {
        permissions.insert(0, (permission, level));
    }
    if uses(&["get_file", "list_directory"]) {
        permissions.insert(0, ("contents", "read"));
    }
    (events, permissions)
}

/// The pages of the server whose API this is.
fn web(site: &Site) -> String {
    Url::parse(&site.api_base_url).map_or_else(|_| format!("{HOMEPAGE}/"), |api| web_address(&api).to_string())
}

fn registration(site: &Site) -> String {
    format!("{}/settings/apps/new", web(site).trim_end_matches('/'))
}

fn filled(page: &str, site: &Site, events: &[&str], permissions: &[(&str, &str)]) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("name", &site.app_name);
    query.append_pair("url", if site.public_url.is_some() { site.base() } else { HOMEPAGE });
    query.append_pair("public", "false").append_pair("webhook_active", "true");
    query.append_pair("webhook_url", &site.url("webhook"));
    for (name, level) in permissions {
        query.append_pair(name, level);
    }
    for event in events {
        query.append_pair("events[]", event);
    }
    format!("{page}?{}", query.finish())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::Shape;

    fn site(keys: &[&str]) -> Site {
        Site {
            connection: "github".into(),
            public_url: Some("https://bot.example.com".into()),
            api_base_url: "https://api.github.com".into(),
            app_name: "assistant".into(),
            kept: keys.iter().map(|key| ((*key).to_owned(), format!("`{key}`"))).collect(),
            ..Site::default()
        }
    }

    fn paper(site: &Site, id: &str) -> String {
        guide(site).papers.into_iter().find(|paper| paper.id == id).unwrap().text
    }

    #[test]
    fn the_manifest_and_the_filled_in_form_ask_for_the_same() {
        let site = site(&["app_id", "private_key", "webhook_secret"]);
        let manifest = paper(&site, "manifest");
        insta::assert_snapshot!("manifest", manifest);
        let manifest: Value = serde_json::from_str(&manifest).unwrap();
        let form: Url = paper(&site, "create_url").parse().unwrap();
        let asked: Vec<(String, String)> = form.query_pairs().into_owned().collect();
        for (name, level) in manifest["default_permissions"].as_object().unwrap() {
            assert!(asked.contains(&(name.clone(), level.as_str().unwrap().to_owned())), "{name}");
        }
        for event in manifest["default_events"].as_array().unwrap() {
            assert!(asked.contains(&("events[]".to_owned(), event.as_str().unwrap().to_owned())), "{event}");
        }
        assert!(asked.contains(&("webhook_url".into(), "https://bot.example.com/channels/github/webhook".into())));
    }

    #[test]
    fn checks_are_asked_for_where_an_agent_wakes_on_them() {
        let with = Site { events: vec!["check_run.rerequested".into()], ..site(&["app_id"]) };
        assert!(paper(&with, "manifest").contains(r#""checks": "write""#));
        assert!(!paper(&site(&["app_id"]), "manifest").contains("check"));
    }

    #[test]
    fn an_enterprise_server_has_its_own_pages() {
        let own = Site { api_base_url: "https://git.example.com/api/v3".into(), ..site(&["app_id"]) };
        assert!(paper(&own, "create_url").starts_with("https://git.example.com/settings/apps/new?name=assistant&"));
        let token = guide(&Site { api_base_url: "https://git.example.com/api/v3".into(), ..site(&["token"]) });
        assert!(token.papers.is_empty());
        assert!(token.steps[0].text.contains("<https://git.example.com/settings/personal-access-tokens/new>"));
    }

    #[test]
    fn every_event_that_is_asked_for_is_acted_upon() {
        for (event, _) in EVENTS.into_iter().chain([(CHECKS.0, false)]) {
            assert!(Shape::promised_by(event).is_used(), "{event}");
        }
    }
}
