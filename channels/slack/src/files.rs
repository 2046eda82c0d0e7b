//! Files that come with messages ("File object"): named in events, fetched from Slack's own hosts alone.
//!
//! Our token goes along, so an address that is not Slack's is never called, and no redirect is followed. Slack answers a token that may
//! not read files with a page to sign in on, and `200`.

use bytes::Bytes;
use reveille_channel::{Attachment, ReplyError};
use url::Url;

use crate::api::Api;
use crate::payload::File;

/// A file that lies with Slack. Others are named and cannot be fetched: our token goes nowhere else.
pub(crate) fn attachment(api: &Api, file: &File) -> Attachment {
    let url = file.url_private.clone().filter(|url| place_of(api, url).is_some()).unwrap_or_default();
    Attachment {
        name: file.name.clone().unwrap_or_default(),
        media_type: file.mimetype.clone().unwrap_or_default(),
        size: file.size.unwrap_or(0),
        url,
    }
}

/// The address, if it is on one of Slack's file hosts ("File object": `url_private`) or on the server whose API we call.
fn place_of(api: &Api, url: &str) -> Option<Url> {
    let url = Url::parse(url).ok()?;
    (is_slacks(&url) || api.is_same_server(&url)).then_some(url)
}

fn is_slacks(url: &Url) -> bool {
    url.scheme() == "https"
        && url.username().is_empty()
        && url.port().is_none()
        && url.host_str().is_some_and(|host| {
            ["slack.com", "slack-files.com", "slack-edge.com"]
                .iter()
                .any(|own| host == *own || host.strip_suffix(own).is_some_and(|rest| rest.ends_with('.')))
        })
}

/// The file, whole. Its address is checked again: it was read from an event, which may have been written by another version.
pub(crate) async fn fetch(api: &Api, file: &Attachment, most: usize) -> Result<Bytes, ReplyError> {
    let Some(url) = place_of(api, &file.url) else {
        return Err(ReplyError::Refused("the file does not lie with Slack".into()));
    };
    let (media_type, body) = api.get(url, most).await?;
    let is_page = media_type.is_some_and(|sent| sent.starts_with("text/html"));
    if is_page && !file.media_type.starts_with("text/html") {
        return Err(ReplyError::Credentials("the file: missing_scope; the app needs the scope files:read".into()));
    }
    Ok(body)
}
