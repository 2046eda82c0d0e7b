//! Slack's text as CommonMark ("Formatting message text"): entities and references undone, our own mention taken away.

/// A message's text for a model, and the ids of the people it mentions.
pub(crate) fn read(text: &str, own_user: Option<&str>) -> (String, Vec<String>) {
    let mut out = String::with_capacity(text.len());
    let mut mentions = Vec::new();
    let mut rest = text;
    while let Some((before, from)) = rest.split_once('<') {
        out.push_str(&unescape(before));
        let Some((reference, after)) = from.split_once('>') else {
            out.push('<');
            rest = from;
            continue;
        };
        let (target, label) = match reference.split_once('|') {
            Some((target, label)) => (target, Some(label)),
            None => (reference, None),
        };
        rest = after;
        if let Some(user) = target.strip_prefix('@') {
            if Some(user) == own_user {
                // "@bot: do it" and "@bot do it" ask for the same.
                if out.trim().is_empty() {
                    rest = rest.trim_start_matches([':', ',', ' ']);
                    continue;
                }
            } else {
                mentions.push(user.to_ascii_lowercase());
            }
            out.push('@');
            out.push_str(&unescape(label.unwrap_or(user)));
        } else if let Some(channel) = target.strip_prefix('#') {
            out.push('#');
            out.push_str(&unescape(label.filter(|label| !label.is_empty()).unwrap_or(channel)));
        } else if let Some(special) = target.strip_prefix('!') {
            out.push('@');
            out.push_str(&unescape(label.unwrap_or(special)));
        } else {
            let url = unescape(target);
            match label {
                Some(label) if label != target => out.push_str(&format!("[{}]({url})", unescape(label))),
                _ => out.push_str(&url),
            }
        }
    }
    out.push_str(&unescape(rest));
    (out.trim().to_owned(), mentions)
}

/// Slack escapes these three and no others.
fn unescape(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_become_readable_and_our_own_mention_goes() {
        let (text, mentions) = read(
            "<@UBOT>: see <https://a.b/c?d=1&amp;e|this>, ask <@U2|bob> in <#C1|general> &lt;now&gt; <!here>",
            Some("UBOT"),
        );
        assert_eq!(text, "see [this](https://a.b/c?d=1&e), ask @bob in #general <now> @here");
        assert_eq!(mentions, ["u2"]);
        assert_eq!(read("a < b", None).0, "a < b");
        assert_eq!(read("<https://a.b>", None).0, "https://a.b");
        assert_eq!(read("&amp;lt;", None).0, "&lt;", "undone once");
    }
}
