//! `reach:`: places beside its own thread that the operator lets an agent act on.

use super::Reach;
use super::error::Problems;
use super::node::Node;

/// Platforms on which nothing beside the thread's own place can be named.
const WITHOUT: &[&str] = &["discord", "linear", "local", "slack"];

/// The lists under `reach:`.
pub(super) fn reach(node: &Node, problems: &mut Problems<'_>) -> Vec<Reach> {
    let mut all = Vec::new();
    for (on, value) in node.entries(problems) {
        if WITHOUT.contains(&on.text.as_str()) {
            let advice = "only `github`, or the name of a connection to GitHub, has a reach".to_owned();
            problems.add(on.at.clone(), format!("on {} the thread's own place is all there is", on.text), advice);
            continue;
        }
        let places = places(value, problems);
        all.push(Reach { on: on.text.clone(), places });
    }
    all
}

/// Repositories, each by its full name: a pattern would let in what does not exist yet, and whoever makes it.
fn places(node: &Node, problems: &mut Problems<'_>) -> Vec<String> {
    let mut places: Vec<String> = Vec::new();
    for (place, at) in node.texts(problems) {
        if !is_repository(&place) {
            let advice = match place.contains('*') {
                true => "name each of them: a pattern would let in repositories that nobody thought of",
                false => "write OWNER/REPOSITORY, as in `acme/app`",
            };
            problems.add(at, format!("`{place}` is no repository"), advice.to_owned());
        } else if places.iter().any(|other| other.eq_ignore_ascii_case(&place)) {
            problems.add(at, format!("`{place}` stands here twice"), None);
        } else {
            places.push(place);
        }
    }
    places
}

fn is_repository(text: &str) -> bool {
    let is_name = |part: &str| {
        (1..=100).contains(&part.len())
            && !matches!(part, "." | "..")
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
    };
    text.split_once('/').is_some_and(|(owner, name)| is_name(owner) && is_name(name))
}
