//! Discord's text as CommonMark ("Reference: Message Formatting"): references undone, our own mention taken away.

use std::collections::HashMap;

/// What references in a text stand for.
#[derive(Debug, Default)]
pub(crate) struct Names {
    /// Us: id and handle.
    pub(crate) own: Option<(String, String)>,
    /// Roles that were made for us.
    pub(crate) own_roles: Vec<String>,
    /// Users by id: what people call them.
    pub(crate) users: HashMap<String, String>,
    /// Channels by id.
    pub(crate) channels: HashMap<String, String>,
}

/// A message's text for a model.
pub(crate) fn read(text: &str, names: &Names) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, from)) = rest.split_once('<') {
        out.push_str(before);
        let Some((reference, after)) = from.split_once('>').filter(|(reference, _)| !reference.contains(['<', '\n']))
        else {
            out.push('<');
            rest = from;
            continue;
        };
        match meaning(reference, names) {
            Some(Meaning::Us) => {
                // "@bot: do it" and "@bot do it" ask for the same.
                if out.trim().is_empty() {
                    rest = after.trim_start_matches([':', ',', ' ']);
                    continue;
                }
                out.push('@');
                out.push_str(names.own.as_ref().map_or("bot", |(_, handle)| handle));
            }
            Some(Meaning::Text(text)) => out.push_str(&text),
            None => {
                out.push('<');
                out.push_str(reference);
                out.push('>');
            }
        }
        rest = after;
    }
    out.push_str(rest);
    out.trim().to_owned()
}

enum Meaning {
    Us,
    Text(String),
}

fn meaning(reference: &str, names: &Names) -> Option<Meaning> {
    let is_id = |id: &str| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
    if let Some(role) = reference.strip_prefix("@&").filter(|id| is_id(id)) {
        let is_ours = names.own_roles.iter().any(|own| own == role);
        return Some(if is_ours { Meaning::Us } else { Meaning::Text(format!("@role-{role}")) });
    }
    if let Some(user) = reference.strip_prefix('@').map(|id| id.trim_start_matches('!')).filter(|id| is_id(id)) {
        if names.own.as_ref().is_some_and(|(own, _)| own == user) {
            return Some(Meaning::Us);
        }
        let name = names.users.get(user).map_or(user, String::as_str);
        return Some(Meaning::Text(format!("@{name}")));
    }
    if let Some(channel) = reference.strip_prefix('#').filter(|id| is_id(id)) {
        let name = names.channels.get(channel).map_or(channel, String::as_str);
        return Some(Meaning::Text(format!("#{name}")));
    }
    // `<:name:id>`, `<a:name:id>` and `</command:id>`.
    let (kind, named) = reference.split_once(':').map(|(kind, named)| (kind, named.split_once(':')))?;
    match named {
        Some((name, id)) if matches!(kind, "" | "a") && is_id(id) => Some(Meaning::Text(format!(":{name}:"))),
        None if kind.starts_with('/') => Some(Meaning::Text(kind.to_owned())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_become_readable_and_our_own_mention_goes() {
        let names = Names {
            own: Some(("1".into(), "assistant".into())),
            own_roles: vec!["9".into()],
            users: HashMap::from([("2".into(), "Bob".into())]),
            channels: HashMap::from([("5".into(), "general".into())]),
        };
        let read = |text: &str| read(text, &names);
        assert_eq!(read("<@1>: ask <@!2> and <@3> in <#5> or <#6>"), "ask @Bob and @3 in #general or #6");
        assert_eq!(read("<@&9> hi <@&8>"), "hi @role-8");
        assert_eq!(
            read("hi <@1>, look: <:yes:77> <a:no:78> </triage now:79>"),
            "hi @assistant, look: :yes: :no: /triage now"
        );
        for same in
            ["a < b > c", "<https://a.b>", "<t:1618953630:R>", "Vec<u8>", "<", "<@>", "<@x>", "<<@", "if <\n@1>"]
        {
            assert_eq!(read(same), same);
        }
    }
}
