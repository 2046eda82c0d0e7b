//! Where something happened, in the words that all platforms share.

use std::collections::BTreeMap;

use reveille_channel::ThreadRef;

use super::Reader;
use crate::location;
use crate::payload::Channel;
use crate::places::{is_direct, is_group, is_thread};

/// The tenant of conversations outside of any server.
pub(crate) const DIRECT: &str = "dm";

/// The most characters of a thread's name that is taken from somebody's words; Discord takes a hundred.
const TITLE_MAX: usize = 80;

/// A channel or thread in which something happened.
#[derive(Debug)]
pub(super) struct Spot {
    pub(super) guild: Option<String>,
    pub(super) channel: String,
    pub(super) name: Option<String>,
    /// The channel's type, where it is known.
    pub(super) kind: Option<u64>,
    /// The channel that a thread is in.
    pub(super) parent: Option<String>,
    parent_name: Option<String>,
}

impl Spot {
    /// What is known of a channel: from the delivery itself, else from earlier ones.
    pub(super) fn of(
        reader: Reader<'_>,
        guild: Option<String>,
        channel: String,
        told: Option<&Channel>,
        kind: Option<u64>,
    ) -> Self {
        let known = reader.places.get(&channel).unwrap_or_default();
        let told = told.filter(|told| told.id == channel);
        let parent = told.and_then(|told| told.parent_id.clone()).or(known.parent);
        let kind = told.and_then(|told| told.kind).or(kind).or(known.kind);
        let parent = parent.filter(|_| kind.is_none_or(is_thread));
        let parent_name = parent.as_deref().and_then(|parent| reader.places.name(parent));
        Self { guild, channel, name: told.and_then(|told| told.name.clone()).or(known.name), kind, parent, parent_name }
    }

    pub(super) fn is_thread(&self) -> bool {
        self.kind.is_some_and(is_thread)
    }

    /// A conversation with the bot alone.
    pub(super) fn is_direct(&self) -> bool {
        match self.kind {
            Some(kind) => is_direct(kind) && !is_group(kind),
            None => self.guild.is_none(),
        }
    }

    /// The tenant.
    pub(super) fn installation(&self) -> String {
        self.guild.clone().unwrap_or_else(|| DIRECT.to_owned())
    }

    pub(super) fn display(&self) -> String {
        if self.guild.is_none() {
            return "a direct message".to_owned();
        }
        format!("#{}", self.name.as_deref().unwrap_or(&self.channel))
    }

    /// What rules match on. A thread is in its channel.
    pub(super) fn facts(&self) -> BTreeMap<String, String> {
        let mut facts = BTreeMap::new();
        if let Some(guild) = &self.guild {
            facts.insert("guild".to_owned(), guild.clone());
        }
        let (channel, name) = match &self.parent {
            Some(parent) => {
                facts.insert("thread".to_owned(), self.channel.clone());
                (parent, &self.parent_name)
            }
            None => (&self.channel, &self.name),
        };
        facts.insert("channel".to_owned(), channel.clone());
        if let Some(name) = name {
            facts.insert("channel_name".to_owned(), name.clone());
        }
        facts
    }

    /// The conversation with this key.
    pub(super) fn thread(&self, key: String) -> ThreadRef {
        let mut location = BTreeMap::from([(location::CHANNEL.to_owned(), self.channel.clone())]);
        if let Some(guild) = &self.guild {
            location.insert(location::GUILD.to_owned(), guild.clone());
        }
        if let Some(kind) = self.kind {
            location.insert(location::KIND.to_owned(), kind.to_string());
        }
        ThreadRef { installation: self.installation(), key, location, display: self.display() }
    }
}

/// A name for a thread that begins with these words: their first line.
pub(super) fn title(text: &str) -> Option<String> {
    let line = text.lines().map(str::trim).find(|line| line.chars().any(char::is_alphanumeric))?;
    let line: String = line.chars().filter(|c| !c.is_control()).collect();
    if line.chars().count() <= TITLE_MAX {
        return Some(line);
    }
    let cut: String = line.chars().take(TITLE_MAX - 1).collect();
    let cut = cut.rsplit_once(' ').map_or(cut.as_str(), |(words, _)| words);
    Some(format!("{}…", cut.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threads_name_is_the_first_line_cut_at_a_word() {
        assert_eq!(title("\n--\n What is this?\nmore").as_deref(), Some("What is this?"));
        assert_eq!(title(" ?! "), None);
        let long = title(&"word ".repeat(40)).unwrap();
        assert!(long.ends_with("word…") && long.chars().count() <= TITLE_MAX, "{long}");
        assert_eq!(title(&"é".repeat(200)).unwrap().chars().count(), TITLE_MAX);
    }
}
