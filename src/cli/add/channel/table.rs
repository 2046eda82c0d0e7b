//! The configuration file with the connection in it. Comments, order and everything else stay as they are.

use std::collections::BTreeMap;

use toml_edit::{DocumentMut, Item, Table, TableLike, value};

use super::wish::{Wish, Written};
use crate::cli::failure::{Code, Failure};
use crate::config::schema;

/// What becomes of the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Edited {
    pub(super) text: String,
    /// What was added, for people.
    pub(super) added: Vec<String>,
    /// What would be something else than it was, for people: `key: old -> new`.
    pub(super) changed: Vec<String>,
    /// The connection's keys with their values, as they are then.
    pub(super) keys: BTreeMap<String, String>,
}

/// The keys that a connection of this name has; empty where there is none.
pub(super) fn keys_of(text: &str, name: &str) -> BTreeMap<String, String> {
    let Ok(document) = text.parse::<DocumentMut>() else { return BTreeMap::new() };
    let channels = document.get("channels").and_then(Item::as_table_like);
    let table = channels.and_then(|channels| channels.get(name)).and_then(Item::as_table_like);
    table.map(shown).unwrap_or_default()
}

fn shown(table: &dyn TableLike) -> BTreeMap<String, String> {
    table.iter().map(|(key, item)| (key.to_owned(), bare(item))).collect()
}

/// A value as people say it.
fn bare(item: &Item) -> String {
    item.as_str().map_or_else(|| item.to_string().trim().to_owned(), ToOwned::to_owned)
}

/// A value that may be shown: a secret that somebody wrote out may not.
fn harmless(key: &str, item: &Item) -> String {
    let text = bare(item);
    let is_reference = text.starts_with("env:") || text.starts_with("file:");
    if is_reference || schema::is_public(key) { text } else { "(hidden)".to_owned() }
}

pub(super) fn edit(text: &str, wish: &Wish, public_url: Option<&str>) -> Result<Edited, Failure> {
    let mut document: DocumentMut = text.parse().map_err(|_| odd("the file"))?;
    let mut edited = Edited::default();
    if let Some(url) = public_url {
        let server = document.entry("server").or_insert_with(|| Item::Table(Table::new()));
        let server = server.as_table_like_mut().ok_or_else(|| odd("[server]"))?;
        put(server, "server", "public_url", &Written::Text(url.to_owned()), true, &mut edited);
    }
    let is_new = keys_of(text, &wish.name).is_empty();
    let channels = document.entry("channels").or_insert_with(|| {
        let mut channels = Table::new();
        channels.set_implicit(true);
        Item::Table(channels)
    });
    let channels = channels.as_table_like_mut().ok_or_else(|| odd("[channels]"))?;
    if !channels.contains_key(&wish.name) {
        let mut table = Table::new();
        table
            .decor_mut()
            .set_prefix(format!("\n# {}: docs/channels/{}.md says how it is set up.\n", wish.title, wish.name));
        channels.insert(&wish.name, Item::Table(table));
    }
    let path = format!("channels.{}", wish.name);
    let table =
        channels.get_mut(&wish.name).and_then(Item::as_table_like_mut).ok_or_else(|| odd(&format!("[{path}]")))?;
    for key in wish.without {
        if let Some(item) = table.remove(key) {
            edited.changed.push(format!("{path}.{key}: {} -> taken out", harmless(key, &item)));
        }
    }
    for key in &wish.keys {
        put(table, &path, key.name, &key.value, key.is_said, &mut edited);
    }
    edited.keys = shown(table);
    if is_new {
        edited.added.retain(|line| !line.starts_with(&path));
        edited.added.push(format!("[{path}]"));
    }
    edited.text = document.to_string();
    Ok(edited)
}

fn put(table: &mut dyn TableLike, path: &str, key: &str, written: &Written, is_said: bool, edited: &mut Edited) {
    let new = match written {
        Written::Text(text) => value(text.as_str()),
        Written::Number(number) => value(*number),
        Written::Flag(flag) => value(*flag),
    };
    match table.get_mut(key) {
        None => {
            edited.added.push(format!("{path}.{key}"));
            table.insert(key, new);
        }
        Some(old) if bare(old) == bare(&new) || !is_said => {}
        Some(old) => {
            edited.changed.push(format!("{path}.{key}: {} -> {}", harmless(key, old), harmless(key, &new)));
            // What stands around the value, a comment behind it, stays.
            let decor = old.as_value().map(|old| old.decor().clone());
            *old = new;
            if let (Some(decor), Some(new)) = (decor, old.as_value_mut()) {
                *new.decor_mut() = decor;
            }
        }
    }
}

fn odd(what: &str) -> Failure {
    let what = format!("{what} is written in a way that is not changed by a program");
    Failure::new(
        Code::Addition,
        what,
        "write it as a table of its own, `[channels]` or `[server]`, or add the lines by hand",
    )
}

#[cfg(test)]
mod tests {
    use super::super::wish::Need;
    use super::*;

    const NEEDS: &[Need] = &[];

    fn wish() -> Wish {
        let mut wish = Wish::new("slack", "Slack", "slack", NEEDS, reveille_slack::guide);
        wish.variable("bot_token");
        wish.put("api_base_url", Written::Text("https://slack.example.com/api".into()), true);
        wish
    }

    #[test]
    fn what_a_person_wrote_stays_to_the_letter() {
        let text = "# mine\n[access] # who\ndefault = 'members' # all\n\n[server]\nlisten = \"127.0.0.1:1\"\n";
        let edited = edit(text, &wish(), Some("https://bot.example.com")).unwrap();
        insta::assert_snapshot!(edited.text);
        assert_eq!(edited.added, ["server.public_url", "[channels.slack]"]);
        assert!(edited.changed.is_empty());
        let again = edit(&edited.text, &wish(), Some("https://bot.example.com")).unwrap();
        assert_eq!((again.text, again.added, again.changed), (edited.text, vec![], vec![]));
    }

    #[test]
    fn what_was_said_otherwise_is_told_and_what_nobody_said_is_kept() {
        let text =
            "[channels.slack]\nbot_token = \"file:token\" # here\napi_base_url = \"https://a.example.com\" # why\n";
        let edited = edit(text, &wish(), None).unwrap();
        assert_eq!(
            edited.changed,
            ["channels.slack.api_base_url: https://a.example.com -> https://slack.example.com/api"]
        );
        assert_eq!(
            edited.text,
            "[channels.slack]\nbot_token = \"file:token\" # here\napi_base_url = \"https://slack.example.com/api\" # why\n"
        );
        let written_out = "[channels.slack]\nbot_token = \"xoxb-1234\"\n";
        let taken = Wish { without: &["bot_token"], keys: Vec::new(), ..wish() };
        assert_eq!(
            edit(written_out, &taken, None).unwrap().changed,
            ["channels.slack.bot_token: (hidden) -> taken out"]
        );
        let other = Wish { without: &["bot_token"], keys: Vec::new(), ..wish() };
        assert_eq!(edit(text, &other, None).unwrap().changed, ["channels.slack.bot_token: file:token -> taken out"]);
    }

    #[test]
    fn tables_in_other_notations_are_changed_where_they_stand() {
        let edited = edit("channels = { slack = { bot_token = \"env:A\" } }\n", &wish(), None).unwrap();
        assert_eq!(
            edited.text,
            "channels = { slack = { bot_token = \"env:A\" , api_base_url = \"https://slack.example.com/api\" } }\n"
        );
        assert!(edit("channels = 1\n", &wish(), None).is_err());
    }
}
