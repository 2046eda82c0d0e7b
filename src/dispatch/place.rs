//! Where a wake rule applies: platform or connection, channel, repository, label.

use globset::GlobBuilder;
use reveille_channel::{Event, Kind};

use crate::agent::WakeRule;

/// Whether every condition of the rule on the place of the event holds.
pub(super) fn is_here(rule: &WakeRule, event: &Event) -> bool {
    (rule.on == event.connection || rule.on == event.platform)
        && in_channels(&rule.channels, event)
        && in_repositories(&rule.repositories, event)
        && in_teams(&rule.teams, event)
        && has_label(rule.label.as_deref(), event)
}

/// By id, or by name with or without `#`. Names can change hands: they choose an agent and grant nothing.
fn in_channels(channels: &[String], event: &Event) -> bool {
    let names = ["channel", "channel_name"];
    let is_it = |wanted: &str| {
        let wanted = wanted.trim_start_matches('#');
        let facts = names.iter().filter_map(|name| event.facts.get(*name));
        facts
            .chain(event.thread.location.get("channel"))
            // Where the channel is known the thread's own name is not it: on Discord anybody can choose one.
            .chain((!event.facts.contains_key("channel")).then_some(&event.thread.display))
            .any(|found| found.trim_start_matches('#') == wanted)
    };
    channels.is_empty() || channels.iter().any(|channel| is_it(channel))
}

/// By globs over `owner/name` in which `*` does not cross the slash; case does not matter on GitHub.
fn in_repositories(globs: &[String], event: &Event) -> bool {
    if globs.is_empty() {
        return true;
    }
    let location = &event.thread.location;
    let repository = event.facts.get("repository").cloned().or_else(|| {
        let (owner, name) = (location.get("owner")?, location.get("repo")?);
        Some(format!("{owner}/{name}"))
    });
    let Some(repository) = repository else { return false };
    globs.iter().any(|glob| {
        GlobBuilder::new(glob)
            .literal_separator(true)
            .case_insensitive(true)
            .build()
            .is_ok_and(|glob| glob.compile_matcher().is_match(&repository))
    })
}

/// By id, or by the key that identifiers of the team's issues begin with.
fn in_teams(teams: &[String], event: &Event) -> bool {
    let is_it = |wanted: &String| {
        let facts = ["team", "team_id"].into_iter().filter_map(|name| event.facts.get(name));
        facts.into_iter().any(|found| found.eq_ignore_ascii_case(wanted))
    };
    teams.is_empty() || teams.iter().any(is_it)
}

fn has_label(wanted: Option<&str>, event: &Event) -> bool {
    let Some(wanted) = wanted else { return true };
    let found = match &event.kind {
        Kind::Labelled { label } => Some(label),
        _ => event.facts.get("label"),
    };
    found.is_some_and(|found| found.eq_ignore_ascii_case(wanted))
}
