//! What GitHub reads out of plain text: `@handle`, `#42`, `GH-42`, addresses of issues, `/command`.
//!
//! The rules are wider than GitHub's own wherever its documentation ("Autolinked references and URLs", "Mentioning
//! people and teams") leaves room: a place too many made inert costs nothing, one too few notifies a stranger.

use std::ops::Range;

use reveille_channel::links::{Links, Reach, scan};
use url::Url;

/// Something in a text that acts on GitHub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Act {
    /// A mention or reference: it is broken by an invisible character before this byte.
    Break(usize),
    /// An `@` inside an address: there it can be percent-encoded, and the address still works.
    Encode(usize),
    /// An address that is to be none: of an issue or the like, which leaves a trace there, or of a host that nobody chose.
    Address(Range<usize>),
}

/// The character before byte `at`.
fn before(text: &str, at: usize) -> Option<char> {
    text.get(..at)?.chars().next_back()
}

/// What follows byte `at`.
fn from(text: &str, at: usize) -> &str {
    text.get(at..).unwrap_or_default()
}

/// The handle behind an `@` at byte `at`, when somebody could be called by it.
fn handle_at(text: &str, at: usize) -> Option<&str> {
    if before(text, at).is_some_and(|c| c.is_ascii_alphanumeric()) {
        return None;
    }
    let rest = from(text, at + 1);
    let length = rest
        .bytes()
        .position(|byte| !(byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'))
        .unwrap_or(rest.len());
    let handle = rest.get(..length)?;
    handle.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_').then_some(handle)
}

/// Whether `text` begins with digits that end at a word's end.
fn starts_with_number(text: &str) -> bool {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    digits > 0 && !from(text, digits).starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
}

/// The bare addresses of a text, in order: where GitHub makes a link of them (GFM, "Autolinks (extension)").
fn addresses(text: &str) -> Vec<Range<usize>> {
    // Lower-casing ASCII keeps every byte in its place.
    let lower = text.to_ascii_lowercase();
    let mut starts: Vec<(usize, usize)> = ["http://", "https://", "www."]
        .iter()
        .flat_map(|scheme| lower.match_indices(scheme).map(|(start, _)| (start, scheme.len())))
        .collect();
    starts.sort_unstable();
    let mut found: Vec<Range<usize>> = Vec::new();
    for (start, scheme) in starts {
        // A scheme is found behind anything but a letter; `www.` only where a word begins.
        let follows_text = before(text, start).is_some_and(|c| match scheme {
            4 => !(c.is_whitespace() || matches!(c, '*' | '_' | '~' | '(')),
            _ => c.is_ascii_alphabetic(),
        });
        if follows_text || found.last().is_some_and(|other| other.contains(&start)) {
            continue;
        }
        let rest = from(text, start);
        let end = rest.find(|c: char| c.is_whitespace() || c == '<').unwrap_or(rest.len());
        let address = rest.get(..end).unwrap_or_default();
        let address = address.trim_end_matches(['?', '!', '.', ',', ':', '*', '_', '~', ')', '"', '\'', ';', ']']);
        if address.len() > scheme {
            found.push(start..start + address.len());
        }
    }
    found
}

/// The address around byte `at`.
fn address_at(addresses: &[Range<usize>], at: usize) -> Option<&Range<usize>> {
    let behind = addresses.partition_point(|range| range.start <= at);
    addresses.get(behind.checked_sub(1)?).filter(|range| range.contains(&at))
}

/// Whether an address leads to something on GitHub that shows who referred to it.
pub(crate) fn is_reference(address: &str, web: &Url) -> bool {
    let address = address.trim();
    let with_scheme = if address.to_ascii_lowercase().starts_with("www.") {
        format!("https://{address}")
    } else {
        address.to_owned()
    };
    let Ok(url) = web.join(&with_scheme) else { return false };
    let Some(host) = url.host_str() else { return false };
    let host = host.trim_end_matches('.');
    let is_github = Some(host) == web.host_str() || matches!(host, "github.com" | "www.github.com");
    // `/OWNER/REPOSITORY/KIND/...`, and `/orgs/ORGANISATION/discussions/...` alike.
    let kind = url.path_segments().and_then(|segments| segments.filter(|segment| !segment.is_empty()).nth(2));
    let kinds = ["issues", "issue", "pull", "pulls", "discussions", "commit", "commits", "milestone"];
    is_github && kind.is_some_and(|kind| kinds.iter().any(|known| known.eq_ignore_ascii_case(kind)))
}

/// Whether an address may be a link: it leads to a host that was chosen, and leaves no trace.
pub(crate) fn may_be_link(address: &str, web: &Url, links: &Links) -> bool {
    links.allows(address) && !is_reference(address, web)
}

/// Everything in one run of text that acts on GitHub.
pub(crate) fn acts(text: &str, web: &Url, links: &Links) -> Vec<Act> {
    let addresses = addresses(text);
    let found = scan(text, Reach::Addresses, &|address| may_be_link(address, web, links));
    let foreign: Vec<_> = found.into_iter().filter(|one| !one.is_allowed).map(|one| one.range).collect();
    let mut acts: Vec<Act> = foreign.iter().cloned().map(Act::Address).collect();
    for (at, character) in text.char_indices() {
        if !matches!(character, '@' | '#' | 'g' | 'G') || address_at(&foreign, at).is_some() {
            continue;
        }
        let address = address_at(&addresses, at);
        match character {
            '@' if handle_at(text, at).is_some() => {
                acts.push(if address.is_some() { Act::Encode(at) } else { Act::Break(at + 1) });
            }
            '#' if address.is_none() && starts_with_number(from(text, at + 1)) => acts.push(Act::Break(at + 1)),
            'g' | 'G'
                if address.is_none()
                    && from(text, at + 1).starts_with(['h', 'H'])
                    && from(text, at + 2).starts_with('-')
                    && !before(text, at).is_some_and(|c| c.is_ascii_alphanumeric())
                    && starts_with_number(from(text, at + 3)) =>
            {
                acts.push(Act::Break(at + 3));
            }
            _ => {}
        }
    }
    acts
}

/// The handles a text calls; teams (`@org/team`) and addresses call nobody.
pub(crate) fn handles(text: &str) -> Vec<&str> {
    if !text.contains('@') {
        return Vec::new();
    }
    let addresses = addresses(text);
    text.match_indices('@')
        .filter(|(at, _)| address_at(&addresses, *at).is_none())
        .filter_map(|(at, _)| {
            let handle = handle_at(text, at)?;
            let behind = from(text, at + 1 + handle.len());
            let is_team = behind.strip_prefix('/').is_some_and(|team| team.starts_with(|c: char| c.is_alphanumeric()));
            let handle = handle.trim_end_matches(['-', '_']);
            (!is_team && !handle.is_empty()).then_some(handle)
        })
        .collect()
}

/// The name of the command that `text` begins with: `/name`, then a blank or the end of the line.
pub(crate) fn command(text: &str) -> Option<&str> {
    let rest = text.strip_prefix('/')?;
    let length = rest
        .bytes()
        .position(|byte| !(byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'))
        .unwrap_or(rest.len());
    let name = rest.get(..length)?;
    let ends = from(rest, length).chars().next().is_none_or(char::is_whitespace);
    (ends && name.starts_with(|c: char| c.is_ascii_alphabetic())).then_some(name)
}
