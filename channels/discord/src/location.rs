//! What a [`reveille_channel::ThreadRef`] carries so that replies find their way: the names of its parts.

use reveille_channel::ThreadRef;

/// The server, where there is one.
pub(crate) const GUILD: &str = "guild";
/// The channel or thread it happened in.
pub(crate) const CHANNEL: &str = "channel";
/// That channel's type.
pub(crate) const KIND: &str = "channel_type";
/// The message in a channel that a thread is to be started from.
pub(crate) const ROOT: &str = "root";
/// The name of that thread.
pub(crate) const TITLE: &str = "title";
/// The interaction whose answer is awaited.
pub(crate) const INTERACTION: &str = "interaction";
/// That interaction's token. It is worth something for fifteen minutes, and nothing then.
pub(crate) const TOKEN: &str = "token";

/// A part of a thread's location.
pub(crate) fn part<'a>(thread: &'a ThreadRef, name: &str) -> Option<&'a str> {
    thread.location.get(name).map(String::as_str)
}
