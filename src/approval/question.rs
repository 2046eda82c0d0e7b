//! The question that people see.

use jiff::Timestamp;
use reveille_channel::{Ask, Choice, Style};

use super::visible::visible;
use super::{APPROVE, DENY, Item, Request, canonical};

/// The most of a question's detail, in UTF-16 units with each backtick counted twice: what the narrowest platform shows beside title,
/// outcome and fences (Discord: messages of 2,000 units; Slack's blocks, GitHub's and Linear's comments take more).
pub(super) const DETAIL_UNITS: usize = 1_500;

/// The most of a name in the title, characters.
const NAME_CHARACTERS: usize = 48;

/// The most of the place where calls act, characters.
const PLACE_CHARACTERS: usize = 160;

/// Kept of a cut item's share for saying so.
const CUT_UNITS: usize = 32;

impl Request {
    /// The question, rendered by code from the values that were hashed. `now_ms` only decides how the time left is told.
    #[must_use]
    pub fn ask(&self, now_ms: i64) -> Ask {
        let choice = |id: &str, label: &str, style| Choice { id: id.to_owned(), label: label.to_owned(), style };
        Ask {
            reference: self.reference(),
            title: self.title(),
            detail: self.detail(now_ms),
            choices: vec![choice(APPROVE, "Approve", Style::Primary), choice(DENY, "Deny", Style::Danger)],
        }
    }

    fn title(&self) -> String {
        let agent = short(&self.agent);
        match self.items.as_slice() {
            [item] => format!("May {agent} use {}?", short(&item.tool)),
            items => format!("May {agent} make these {} calls?", items.len()),
        }
    }

    fn detail(&self, now_ms: i64) -> String {
        let items: Vec<String> = self.items.iter().enumerate().map(|(index, item)| shown(index, item)).collect();
        let terms = self.terms(now_ms);
        let id = self.id();
        let whole = format!("{}\n\n{terms}\nRequest {id}", items.join("\n\n"));
        if units(&whole) <= DETAIL_UNITS {
            return whole;
        }
        // First, so that nobody takes what follows for all there is.
        let warning = format!("NOT ALL OF IT IS SHOWN. All of it: reveille approvals show {id}");
        let end = format!("{terms}\nsha256 {}", self.hash());
        let between = 2 * items.len().saturating_add(1);
        let room = DETAIL_UNITS.saturating_sub(units(&warning) + units(&end) + between);
        format!("{warning}\n\n{}\n\n{end}", fitted(&items, room).join("\n\n"))
    }

    /// Who and until when.
    fn terms(&self, now_ms: i64) -> String {
        let left = self.expires_at_ms.saturating_sub(now_ms);
        let until = utc(self.expires_at_ms);
        let expires = match left / 60_000 {
            _ if left <= 0 => format!("Expired {until}."),
            0 => format!("Expires {until}, in less than a minute."),
            1 => format!("Expires {until}, in a minute."),
            minutes @ 2..120 => format!("Expires {until}, in {minutes} minutes."),
            minutes @ 120..2_880 => format!("Expires {until}, in {} hours.", minutes / 60),
            minutes => format!("Expires {until}, in {} days.", minutes / 1_440),
        };
        // Calls of one turn act in one place, and it is told once.
        let mut places: Vec<&str> =
            self.items.iter().map(|item| item.place.as_str()).filter(|place| !place.is_empty()).collect();
        places.dedup();
        let place = if places.is_empty() { String::new() } else { format!("Place: {}.\n", longer(&places.join("; "))) };
        let who = match self.four_eyes {
            true => format!("Somebody else than {} has to answer.\n", short(&self.requester)),
            false => String::new(),
        };
        format!("{place}{who}{expires}")
    }
}

/// A call to the letter. The arguments are JSON on lines that begin with its own signs: none of them can pass for a line of ours.
fn shown(index: usize, item: &Item) -> String {
    format!("{}. {}\n{}", index + 1, visible(&item.tool), canonical::page(&item.arguments))
}

/// As much of each text as goes into the room, shared so that the short ones are whole; what is missing is counted.
fn fitted(texts: &[String], room: usize) -> Vec<String> {
    let mut sizes: Vec<usize> = texts.iter().map(|text| units(text)).collect();
    sizes.sort_unstable();
    let mut left = room;
    let mut share = 0;
    for (index, size) in sizes.iter().enumerate() {
        share = left / (sizes.len() - index);
        if *size > share {
            break;
        }
        left -= size;
    }
    texts.iter().map(|text| if units(text) <= share { text.clone() } else { cut(text, share) }).collect()
}

fn cut(text: &str, share: usize) -> String {
    let mut room = share.saturating_sub(CUT_UNITS);
    let kept: String = text
        .chars()
        .take_while(|c| {
            let fits = unit(*c) <= room;
            room = room.saturating_sub(unit(*c));
            fits
        })
        .collect();
    let missing = text.chars().count().saturating_sub(kept.chars().count());
    format!("{kept}… ({missing} more characters)")
}

fn units(text: &str) -> usize {
    text.chars().map(unit).sum()
}

fn unit(c: char) -> usize {
    // Where a fence stands around the text, signs that nobody sees are put between backticks.
    if c == '`' { 2 } else { c.len_utf16() }
}

/// A name on one line.
fn short(name: &str) -> String {
    within(name, NAME_CHARACTERS)
}

/// A place on one line.
fn longer(place: &str) -> String {
    within(place, PLACE_CHARACTERS)
}

fn within(text: &str, most: usize) -> String {
    let text = visible(text);
    if text.chars().count() <= most {
        return text;
    }
    text.chars().take(most.saturating_sub(1)).chain(std::iter::once('…')).collect()
}

fn utc(at_ms: i64) -> String {
    match Timestamp::from_millisecond(at_ms) {
        Ok(at) => at.strftime("%Y-%m-%d %H:%M UTC").to_string(),
        Err(_) => format!("{at_ms} ms after 1970-01-01"),
    }
}
