//! The rules of `wake:` and `allow:`.

use std::ops::Range;

use reveille_channel::Role;

use super::error::Problems;
use super::names::{DISCORD_EVENTS, GITHUB_EVENTS, LINEAR_EVENTS, SLACK_EVENTS};
use super::node::{Key, Node};
use super::parse::refuse_later;
use super::{Allow, WakeRule};

const WAKE_KEYS: &[&str] = &[
    "mention",
    "delegate",
    "direct",
    "command",
    "event",
    "events",
    "channels",
    "repositories",
    "teams",
    "label",
    "follow_up",
];

/// Keys of a wake rule that make no sense on a platform, and why.
const MISPLACED: &[(&str, &str, &str)] = &[
    ("github", "channels", "GitHub has no channels: use `repositories`"),
    ("github", "direct", "GitHub has no direct messages"),
    ("github", "teams", "GitHub's issues belong to no team: use `repositories`"),
    ("linear", "channels", "Linear has no channels: use `teams`"),
    ("linear", "direct", "Linear has no direct messages"),
    ("linear", "repositories", "Linear has no repositories: use `teams`"),
    ("slack", "delegate", "Slack has no delegation"),
    ("slack", "teams", "Slack's channels belong to no team: use `channels`"),
    ("slack", "repositories", "Slack has no repositories: use `channels`"),
    ("slack", "label", "Slack has no labels"),
    ("discord", "delegate", "Discord has no delegation"),
    ("discord", "teams", "Discord's channels belong to no team: use `channels`"),
    ("discord", "repositories", "Discord has no repositories: use `channels`"),
    ("discord", "label", "Discord has no labels"),
    ("local", "delegate", "the terminal has no delegation"),
    ("local", "teams", "the terminal has no teams"),
    ("local", "channels", "the terminal has no channels"),
    ("local", "repositories", "the terminal has no repositories"),
    ("local", "label", "the terminal has no labels"),
];

/// The rules under `wake:`.
pub(super) fn rules(node: &Node, is_per_thread: bool, problems: &mut Problems<'_>) -> Vec<WakeRule> {
    let mut rules = Vec::new();
    for item in node.items() {
        let entries = item.entries(problems);
        if entries.len() > 1 {
            let advice = Some("each line begins with `- ` and names one platform or connection".to_owned());
            problems.add(item.at.clone(), "a wake rule is for one platform", advice);
        }
        for (key, value) in entries {
            rules.extend(rule(key, value, is_per_thread, problems));
        }
    }
    rules
}

fn rule(on: &Key, node: &Node, is_per_thread: bool, problems: &mut Problems<'_>) -> Option<WakeRule> {
    let mut rule = WakeRule { on: on.text.clone(), ..WakeRule::default() };
    let (mut direct, mut follow_up) = (None, None);
    let known_problems = problems.count();
    let entries = node.entries(problems);
    for (key, value) in entries {
        let name = key.text.as_str();
        if let Some((_, _, why)) = MISPLACED.iter().find(|(platform, key, _)| *platform == on.text && *key == name) {
            problems.add(key.at.clone(), format!("`{name}` does not belong here"), Some((*why).to_owned()));
            continue;
        }
        match name {
            "mention" => rule.mention = value.flag(problems).unwrap_or(false),
            "delegate" => rule.delegate = value.flag(problems).unwrap_or(false),
            "direct" => direct = value.flag(problems),
            "follow_up" => {
                follow_up = value.flag(problems);
                if follow_up == Some(true) && !is_per_thread {
                    let advice = Some("take it out, or write `instance: thread`".to_owned());
                    let message = "an instance for more than one thread would hear every conversation";
                    problems.add(key.at.clone(), message, advice);
                }
            }
            "command" => rule.command = command(value, problems),
            "event" | "events" => rule.events.extend(events(&on.text, value, problems)),
            "channels" => rule.channels = plain(value.texts(problems)),
            "repositories" => rule.repositories = repositories(value, problems),
            "teams" => rule.teams = plain(value.texts(problems)),
            "label" => rule.label = value.text(problems).map(str::to_owned),
            other => problems.add_unknown(key.at.clone(), "key of a wake rule", other, WAKE_KEYS),
        }
    }
    // Who can be mentioned is expected to answer in private, and to hear the rest of a conversation.
    rule.direct = direct.unwrap_or(rule.mention && !matches!(on.text.as_str(), "github" | "linear"));
    rule.follow_up = follow_up.unwrap_or((rule.mention || rule.delegate) && is_per_thread);
    let wakes = rule.mention || rule.delegate || rule.direct || rule.command.is_some() || !rule.events.is_empty();
    if !wakes && problems.count() == known_problems {
        let also = if on.text == "linear" { "`delegate: true`" } else { "`direct: true`" };
        let advice = Some(format!("add `mention: true`, {also}, `command:` or `event:`"));
        problems.add(on.at.clone(), "this rule wakes on nothing", advice);
    }
    Some(rule)
}

fn plain(texts: Vec<(String, Range<usize>)>) -> Vec<String> {
    texts.into_iter().map(|(text, _)| text).collect()
}

/// A command's name; the slash in front is how people write it.
fn command(node: &Node, problems: &mut Problems<'_>) -> Option<String> {
    let text = node.text(problems)?;
    let name = text.strip_prefix('/').unwrap_or(text);
    let is_word = !name.is_empty()
        && name.len() <= 32
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_'));
    if is_word {
        return Some(name.to_owned());
    }
    let advice = Some("one word of a-z, 0-9, - and _, such as `/triage`".to_owned());
    problems.add(node.at.clone(), format!("`{text}` is not a command"), advice);
    None
}

fn events(on: &str, node: &Node, problems: &mut Problems<'_>) -> Vec<String> {
    let known = match on {
        "github" => GITHUB_EVENTS,
        "linear" => LINEAR_EVENTS,
        "discord" => DISCORD_EVENTS,
        "slack" => SLACK_EVENTS,
        // A connection's name does not say its platform.
        _ => return plain(node.texts(problems)),
    };
    let mut events = Vec::new();
    for (event, at) in node.texts(problems) {
        if known.contains(&event.as_str()) {
            events.push(event);
        } else {
            problems.add_unknown(at, &format!("event of {on}"), &event, known);
        }
    }
    events
}

fn repositories(node: &Node, problems: &mut Problems<'_>) -> Vec<String> {
    let mut globs = Vec::new();
    for (glob, at) in node.texts(problems) {
        let is_pair = glob.split('/').count() == 2 && glob.split('/').all(|part| !part.is_empty());
        if is_pair && globset::Glob::new(&glob).is_ok() {
            globs.push(glob);
        } else {
            let advice = Some("write OWNER/REPOSITORY; `*` stands for any, as in \"acme/*\"".to_owned());
            problems.add(at, format!("`{glob}` names no repository"), advice);
        }
    }
    globs
}

/// The lists under `allow:`.
pub(super) fn allowances(node: &Node, problems: &mut Problems<'_>) -> Vec<Allow> {
    let mut allowances = Vec::new();
    for (key, value) in node.entries(problems) {
        allowances.push(allowance(key, value, problems));
    }
    allowances
}

fn allowance(on: &Key, node: &Node, problems: &mut Problems<'_>) -> Allow {
    let roles = [("guest", Role::Guest), ("member", Role::Member), ("admin", Role::Admin)];
    let permissions = [("read", Role::Guest), ("write", Role::Member), ("admin", Role::Admin)];
    let keys: &[&str] = match on.text.as_str() {
        "github" => &["users", "everyone", "permission"],
        "slack" | "linear" | "discord" | "local" => &["users", "everyone", "role"],
        _ => &["users", "everyone", "role", "permission"],
    };
    let mut allow = Allow { on: on.text.clone(), ..Allow::default() };
    for (key, value) in node.entries(problems) {
        match key.text.as_str() {
            "users" => allow.users = users(&on.text, value, problems),
            "everyone" => allow.everyone = value.flag(problems).unwrap_or(false),
            "role" if keys.contains(&"role") => allow.role = value.one_of("role", &roles, problems),
            "permission" if keys.contains(&"permission") => {
                allow.role = value.one_of("permission", &permissions, problems);
            }
            "usergroups" | "teams" => refuse_later(key, "allowing groups", problems),
            other => problems.add_unknown(key.at.clone(), &format!("way to allow on {}", on.text), other, keys),
        }
    }
    allow
}

/// Immutable ids. Names can be changed and taken over by others, so they are refused where they can be told.
fn users(on: &str, node: &Node, problems: &mut Problems<'_>) -> Vec<String> {
    let mut users: Vec<String> = Vec::new();
    for item in node.items() {
        let id = match &item.value {
            super::node::Value::Integer(number) => number.to_string(),
            _ => match item.text(problems) {
                Some(text) => text.to_owned(),
                None => continue,
            },
        };
        let advice = match on {
            "slack" if !is_slack_id(&id) => "a Slack id looks like `U012AB3CD`: in the profile, \"Copy member ID\"",
            "discord" if !is_discord_id(&id) => {
                "a Discord id is a number of 17 digits or more: with developer mode on, \"Copy User ID\" in the person's menu"
            }
            "linear" if !is_linear_id(&id) => {
                "a Linear id is a UUID, such as the API shows as `id` of a user: not a name, not an address"
            }
            "github" if !id.bytes().all(|byte| byte.is_ascii_digit()) => {
                "a GitHub id is a number: https://api.github.com/users/NAME shows it as `id`"
            }
            _ => {
                users.push(id);
                continue;
            }
        };
        problems.add(
            item.at.clone(),
            format!("`{id}` is not an id, and names can be taken over"),
            Some(advice.to_owned()),
        );
    }
    users
}

fn is_linear_id(id: &str) -> bool {
    id.split('-').map(str::len).eq([8, 4, 4, 4, 12]) && id.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

fn is_discord_id(id: &str) -> bool {
    (15..=20).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_slack_id(id: &str) -> bool {
    id.len() >= 2
        && id.starts_with(['U', 'W', 'B', 'A'])
        && id.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}
