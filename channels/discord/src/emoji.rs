//! Emoji by the short names people type: Discord's API takes the characters themselves ("Create Reaction").

/// Short names and characters, the ones that bots and people put on messages most.
const EMOJI: &[(&str, &str)] = &[
    ("+1", "👍"),
    ("thumbsup", "👍"),
    ("-1", "👎"),
    ("thumbsdown", "👎"),
    ("100", "💯"),
    ("bell", "🔔"),
    ("bug", "🐛"),
    ("bulb", "💡"),
    ("clap", "👏"),
    ("confused", "😕"),
    ("construction", "🚧"),
    ("eyes", "👀"),
    ("exclamation", "❗"),
    ("fire", "🔥"),
    ("gear", "⚙️"),
    ("hammer", "🔨"),
    ("heart", "❤️"),
    ("heavy_check_mark", "✔️"),
    ("hourglass", "⌛"),
    ("hourglass_flowing_sand", "⏳"),
    ("laughing", "😆"),
    ("lock", "🔒"),
    ("mag", "🔍"),
    ("memo", "📝"),
    ("no_entry", "⛔"),
    ("ok", "🆗"),
    ("ok_hand", "👌"),
    ("package", "📦"),
    ("pray", "🙏"),
    ("question", "❓"),
    ("raised_hands", "🙌"),
    ("robot_face", "🤖"),
    ("rocket", "🚀"),
    ("rotating_light", "🚨"),
    ("smile", "😄"),
    ("sob", "😭"),
    ("sparkles", "✨"),
    ("speech_balloon", "💬"),
    ("star", "⭐"),
    ("tada", "🎉"),
    ("thinking_face", "🤔"),
    ("thinking", "🤔"),
    ("ticket", "🎫"),
    ("warning", "⚠️"),
    ("wave", "👋"),
    ("white_check_mark", "✅"),
    ("wrench", "🔧"),
    ("x", "❌"),
    ("zap", "⚡"),
];

/// The characters of a short name; `None` where it is not known.
pub(crate) fn characters(name: &str) -> Option<&'static str> {
    let name = name.trim_matches(':');
    EMOJI.iter().find(|(known, _)| *known == name).map(|(_, characters)| *characters)
}

/// The short name of an emoji; what has none, such as a server's own, keeps the name it has.
pub(crate) fn short_name(emoji: &str) -> String {
    let bare = emoji.trim_end_matches('\u{fe0f}');
    let known = EMOJI.iter().find(|(_, characters)| characters.trim_end_matches('\u{fe0f}') == bare);
    known.map_or(emoji, |(name, _)| name).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_characters_lead_to_each_other() {
        for (name, shown) in EMOJI {
            assert_eq!(characters(name), Some(*shown));
            assert_eq!(characters(&short_name(shown)), Some(*shown));
        }
        assert_eq!(characters(":eyes:"), Some("👀"));
        assert_eq!(short_name("❤"), "heart");
        assert_eq!(short_name("party_parrot"), "party_parrot");
        assert_eq!(characters("party_parrot"), None);
    }
}
