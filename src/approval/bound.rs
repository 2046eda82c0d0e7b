//! What an answer binds, read back from its canonical text.

use serde_json::Value;

use super::{canonical, sha256};

/// What people want to know of a request at a glance.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bound {
    /// The tools of its calls, in their order.
    pub tools: Vec<String>,
    /// The platform's id of the person whose message is being answered.
    pub requester: String,
}

impl Bound {
    /// That of a request in its canonical form.
    #[must_use]
    pub fn of(request: &str) -> Self {
        let Ok(request) = serde_json::from_str::<Value>(request) else { return Self::default() };
        let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
        let items = request.get("items").and_then(Value::as_array);
        Self {
            tools: items.into_iter().flatten().map(|item| text(item.get("tool"))).collect(),
            requester: text(request.get("requester")),
        }
    }
}

/// A request in its canonical form, for people: see [`super::Request::page`]. `None`: it is none.
#[must_use]
pub fn page_of(request: &str) -> Option<String> {
    serde_json::from_str(request).ok().map(|request| canonical::page(&request))
}

/// The hash of a request in its canonical form: see [`super::Request::hash`].
#[must_use]
pub fn hash_of(request: &str) -> String {
    sha256(request)
}
