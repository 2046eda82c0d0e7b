//! "REST API endpoints for repository contents".

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reveille_channel::ReplyError;
use serde::Deserialize;

use super::{Api, Repository, read, segments};
use crate::client::As;
use crate::token::Need;

/// What a path leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A file.
    File {
        /// Its bytes; nothing where GitHub does not send them along (above a megabyte).
        bytes: Option<Vec<u8>>,
        /// How many it has.
        size: u64,
    },
    /// A folder, of which GitHub tells at most a thousand entries.
    Directory(Vec<Entry>),
    /// A submodule, or a link that leads out of the repository.
    Other,
}

/// An entry of a folder.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Entry {
    /// Its path from the top of the repository.
    #[serde(default)]
    pub path: String,
    /// `file`, `dir`, `symlink` or `submodule`.
    #[serde(rename = "type", default)]
    pub kind: String,
    /// Bytes.
    #[serde(default)]
    pub size: u64,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Answered {
    Directory(Vec<Entry>),
    One {
        #[serde(rename = "type", default)]
        kind: String,
        #[serde(default)]
        size: u64,
        #[serde(default)]
        encoding: String,
        #[serde(default, deserialize_with = "crate::model::null_is_empty")]
        content: String,
    },
}

impl Api {
    /// What stands at a path, at a branch, tag or commit; at the default branch if none is named.
    ///
    /// # Errors
    /// See [`ReplyError`]; [`ReplyError::Gone`] when nothing does.
    pub async fn get_content(
        &self,
        repository: &Repository,
        path: &str,
        at: Option<&str>,
    ) -> Result<Content, ReplyError> {
        let words = path.split('/').filter(|word| !word.is_empty());
        let below = segments(words).ok_or_else(|| ReplyError::Refused("that is no path".to_owned()))?;
        let query = at.map_or_else(String::new, |at| {
            let at: String = url::form_urlencoded::byte_serialize(at.as_bytes()).collect();
            format!("?ref={at}")
        });
        let place = format!("{}/contents{}{query}", repository.path()?, below.trim_end_matches('/'));
        let answer = self.get(As::In(repository, Need::ReadContents), &place).await?;
        match read::<Answered>(&answer)? {
            Answered::Directory(entries) => Ok(Content::Directory(entries)),
            Answered::One { kind, size, encoding, content } if kind == "file" => {
                let packed: String = content.split_ascii_whitespace().collect();
                let unreadable =
                    |_| ReplyError::Refused("GitHub sent the file in an encoding that is not known".into());
                let bytes = match encoding.as_str() {
                    "base64" => Some(STANDARD.decode(packed).map_err(unreadable)?),
                    // Above a megabyte there is none.
                    _ => None,
                };
                Ok(Content::File { bytes, size })
            }
            Answered::One { .. } => Ok(Content::Other),
        }
    }
}
