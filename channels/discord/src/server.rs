//! What tools may see and do of a server, from one of its conversations: the conversation's own channel and that channel's public
//! threads. The bot may be in private channels that the people of this conversation are not.

use reveille_channel::{ContextMessage, ReplyError, ThreadRef};

use crate::api::{PAGE, Part};
use crate::location::{self, part};
use crate::payload::{Channel, Member};
use crate::places::{is_direct, is_thread};
use crate::refusal::{HAS_A_THREAD, UNKNOWN_CHANNEL};
use crate::settings::is_id;
use crate::transport::Failure;
use crate::{Discord, emoji};

/// "Channel Types": a thread that only those see who were added to it.
const PRIVATE_THREAD: u64 = 12;

/// The longest name of a thread ("Start Thread from Message"), characters.
const NAME_MAX: usize = 100;

/// A channel or thread of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it is: `text channel`, `public thread`, ...
    pub kind: &'static str,
    /// What it is for, where somebody wrote that.
    pub topic: Option<String>,
    /// The channel that a thread is in.
    pub parent: Option<String>,
    /// A thread in which nothing was said for a while.
    pub is_archived: bool,
}

/// A member of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Their id.
    pub id: String,
    /// Their unique name.
    pub username: String,
    /// What people call them there.
    pub shown: String,
    /// Their roles' names.
    pub roles: Vec<String>,
    /// Another program.
    pub is_bot: bool,
    /// When they joined, as Discord writes it.
    pub joined_at: Option<String>,
}

/// A server, seen from one of its conversations.
#[derive(Debug)]
pub struct Server<'a> {
    discord: &'a Discord,
    guild: &'a str,
    /// Where it was spoken.
    channel: &'a str,
    /// The thread of what was said in a channel, whether it is there yet or not.
    root: Option<&'a str>,
    is_in_thread: bool,
}

impl Discord {
    /// The server of a conversation; `None` for direct messages.
    #[must_use]
    pub fn server_of<'a>(&'a self, thread: &'a ThreadRef) -> Option<Server<'a>> {
        let kind = part(thread, location::KIND).and_then(|kind| kind.parse().ok());
        Some(Server {
            discord: self,
            guild: part(thread, location::GUILD)?,
            channel: part(thread, location::CHANNEL)?,
            root: part(thread, location::ROOT),
            is_in_thread: kind.is_some_and(is_thread),
        })
    }
}

impl Server<'_> {
    /// The channel that the conversation is in, or its thread is.
    async fn home(&self) -> Result<String, ReplyError> {
        if !self.is_in_thread {
            return Ok(self.channel.to_owned());
        }
        let known = self.discord.places.get(self.channel).and_then(|place| place.parent);
        if let Some(parent) = known {
            return Ok(parent);
        }
        let thread = self.discord.api.channel(self.channel).await?;
        Ok(thread.parent_id.unwrap_or_else(|| self.channel.to_owned()))
    }

    /// A channel or thread that the conversation's people may read; the conversation's own if none is named.
    async fn readable(&self, wanted: Option<&str>) -> Result<Channel, ReplyError> {
        let Some(wanted) = wanted else {
            return match (self.root, self.root.map(|root| self.discord.api.channel(root))) {
                (Some(_), Some(asked)) => match asked.await {
                    // Nothing was answered yet, so there is no thread: what there is was said in the channel.
                    Err(Failure::Refused(refusal)) if refusal.code == UNKNOWN_CHANNEL => {
                        Ok(self.discord.api.channel(self.channel).await?)
                    }
                    asked => Ok(asked?),
                },
                _ => Ok(self.discord.api.channel(self.channel).await?),
            };
        };
        checked_id(wanted, "a channel")?;
        let found = self.discord.api.channel(wanted).await?;
        let is_here = found.guild_id.as_deref() == Some(self.guild);
        if !is_here || found.kind.is_some_and(is_direct) {
            return Err(ReplyError::Refused("it is of another server, or of none".into()));
        }
        let is_own = wanted == self.channel || Some(wanted) == self.root;
        if is_own {
            return Ok(found);
        }
        let home = self.home().await?;
        let is_public_thread = found.kind.is_some_and(|kind| is_thread(kind) && kind != PRIVATE_THREAD)
            && found.parent_id.as_ref() == Some(&home);
        if wanted == home || is_public_thread {
            return Ok(found);
        }
        Err(ReplyError::Refused(
            "it is another channel, which the people of this conversation may not be allowed to read".into(),
        ))
    }

    /// A channel or thread.
    ///
    /// # Errors
    /// `Refused` for one that is neither this conversation's channel nor a public thread of it.
    pub async fn place(&self, id: Option<&str>) -> Result<Place, ReplyError> {
        Ok(shown(self.readable(id).await?))
    }

    /// Messages of a channel or thread, the oldest first: the newest `limit` of them, or those before a message.
    ///
    /// # Errors
    /// See [`Server::place`].
    pub async fn messages(
        &self,
        id: Option<&str>,
        before: Option<&str>,
        limit: usize,
    ) -> Result<Vec<ContextMessage>, ReplyError> {
        before.map_or(Ok(()), |before| checked_id(before, "a message"))?;
        let place = self.readable(id).await?;
        let of = before.map_or(Part::Latest, Part::Before);
        let page = self.discord.api.messages(&place.id, of, limit.clamp(1, PAGE)).await?;
        let said = page.into_iter().rev().filter(|message| !message.content.is_empty());
        Ok(said.map(|message| self.discord.replies.shown(message)).collect())
    }

    /// The public threads of the conversation's channel in which something was said lately.
    ///
    /// # Errors
    /// When Discord does not tell.
    pub async fn threads(&self) -> Result<Vec<Place>, ReplyError> {
        let home = self.home().await?;
        let all = self.discord.api.active_threads(self.guild).await?;
        let is_of_it = |thread: &Channel| {
            thread.parent_id.as_ref() == Some(&home) && thread.kind.is_none_or(|kind| kind != PRIVATE_THREAD)
        };
        Ok(all.into_iter().filter(is_of_it).map(shown).collect())
    }

    /// A member.
    ///
    /// # Errors
    /// `Gone` for somebody who is not one.
    pub async fn member(&self, user: &str) -> Result<Person, ReplyError> {
        checked_id(user, "a person")?;
        let member: Member = self.discord.api.member(self.guild, user).await?;
        let guild = self.discord.api.guild(self.guild).await?;
        let known = member.user.unwrap_or_default();
        let is_its = |role: &&crate::payload::Role| member.roles.contains(&role.id);
        let roles = guild.roles.iter().filter(is_its).filter_map(|role| role.name.clone()).collect();
        Ok(Person {
            shown: member.nick.clone().unwrap_or_else(|| known.shown().to_owned()),
            username: known.username.clone().unwrap_or_default(),
            id: known.id,
            roles,
            is_bot: known.bot,
            joined_at: member.joined_at,
        })
    }

    /// Puts an emoji on a message of a place that can be read. Idempotent.
    ///
    /// # Errors
    /// `Refused` for an emoji that is not known by this name; see [`Server::place`].
    pub async fn react(&self, place: Option<&str>, message: &str, name: &str) -> Result<(), ReplyError> {
        checked_id(message, "a message")?;
        let characters = emoji::characters(name)
            .ok_or_else(|| ReplyError::Refused(format!("`{name}` is no emoji that is known by this name")))?;
        let place = self.readable(place).await?;
        Ok(self.discord.api.react(&place.id, message, characters).await?)
    }

    /// Starts a thread from a message of the conversation's channel; its id is the message's. Idempotent: a message has one thread.
    ///
    /// # Errors
    /// `Refused` for a name that cannot be one, and where the bot may not start threads.
    pub async fn start_thread(&self, message: &str, name: &str) -> Result<(), ReplyError> {
        checked_id(message, "a message")?;
        let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
        if name.is_empty() || name.chars().count() > NAME_MAX {
            return Err(ReplyError::Refused(format!("a thread's name has 1 to {NAME_MAX} characters")));
        }
        let home = self.home().await?;
        match self.discord.api.start_thread(&home, message, &name).await {
            Ok(thread) => {
                self.discord.places.learn(&thread);
                Ok(())
            }
            Err(Failure::Refused(refusal)) if refusal.code == HAS_A_THREAD => Ok(()),
            Err(failure) => Err(failure.into()),
        }
    }
}

fn checked_id(id: &str, what: &str) -> Result<(), ReplyError> {
    if is_id(id) {
        Ok(())
    } else {
        Err(ReplyError::Refused(format!("{what} is named by its id, a number of 17 digits or more")))
    }
}

fn shown(channel: Channel) -> Place {
    Place {
        name: channel.name.unwrap_or_default(),
        kind: kind(channel.kind),
        topic: channel.topic.filter(|topic| !topic.trim().is_empty()),
        is_archived: channel.thread_metadata.is_some_and(|metadata| metadata.archived),
        parent: channel.parent_id.filter(|_| channel.kind.is_some_and(is_thread)),
        id: channel.id,
    }
}

/// "Channel Types", in words.
fn kind(kind: Option<u64>) -> &'static str {
    match kind {
        Some(0) => "text channel",
        Some(2) => "voice channel",
        Some(4) => "category",
        Some(5) => "announcement channel",
        Some(10) => "announcement thread",
        Some(11) => "public thread",
        Some(PRIVATE_THREAD) => "private thread",
        Some(13) => "stage channel",
        Some(15) => "forum",
        Some(16) => "media channel",
        _ => "channel",
    }
}
