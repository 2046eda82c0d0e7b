//! Reading a request whole, within bounds that hold before anything is buffered.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, StatusCode, header};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How long a body may take to arrive.
const BODY_DEADLINE: Duration = Duration::from_secs(10);

/// What all bodies that are in work may hold together, KiB: 256 MiB.
pub(super) const HELD_KIB_MAX: usize = 256 * 1024;

/// The most header fields of a request, and the most bytes of them together.
const HEADERS_MAX: usize = 64;
const HEADER_BYTES_MAX: usize = 16 * 1024;

/// The longest path and query, bytes.
const URI_MAX: usize = 8 * 1024;

/// Checks what stands before the body.
pub(super) fn check_head(uri: &http::Uri, headers: &HeaderMap, forms: bool) -> Result<(), StatusCode> {
    let bytes: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if headers.len() > HEADERS_MAX || bytes > HEADER_BYTES_MAX {
        return Err(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
    }
    let uri_bytes = uri.path().len() + uri.query().map_or(0, str::len);
    if uri_bytes > URI_MAX {
        return Err(StatusCode::BAD_REQUEST);
    }
    // Both, or one of them twice, is how requests are smuggled past a proxy (RFC 9112, section 6.3).
    let lengths = headers.get_all(header::CONTENT_LENGTH).iter().count();
    let codings = headers.get_all(header::TRANSFER_ENCODING).iter().count();
    if lengths + codings > 1 {
        return Err(StatusCode::BAD_REQUEST);
    }
    // Nothing is decompressed: what was signed is what was sent.
    if headers.contains_key(header::CONTENT_ENCODING) {
        return Err(StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let essence = match (types.next().map(|value| value.to_str()), types.next()) {
        (Some(Ok(value)), None) => value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase(),
        _ => return Err(StatusCode::UNSUPPORTED_MEDIA_TYPE),
    };
    let accepted = essence == "application/json" || (forms && essence == "application/x-www-form-urlencoded");
    if accepted { Ok(()) } else { Err(StatusCode::UNSUPPORTED_MEDIA_TYPE) }
}

/// A body, and its share of what all bodies together may hold.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) bytes: Bytes,
    _share: Option<OwnedSemaphorePermit>,
}

/// Reads a body of at most `limit` bytes, as far as `room` for it is left: nobody has shown yet who they are.
pub(super) async fn read(
    headers: &HeaderMap,
    body: Body,
    limit: usize,
    room: &Arc<Semaphore>,
) -> Result<Held, StatusCode> {
    let announced =
        headers.get(header::CONTENT_LENGTH).map(|value| value.to_str().ok().and_then(|text| text.parse::<u64>().ok()));
    match announced {
        Some(None) => return Err(StatusCode::BAD_REQUEST),
        Some(Some(length)) if usize::try_from(length).map_or(true, |length| length > limit) => {
            return Err(StatusCode::PAYLOAD_TOO_LARGE);
        }
        _ => {}
    }
    tokio::time::timeout(BODY_DEADLINE, collect(body, limit, room)).await.unwrap_or(Err(StatusCode::REQUEST_TIMEOUT))
}

/// Room is taken as bytes arrive, not as they are announced: announcing costs the sender nothing.
async fn collect(mut body: Body, limit: usize, room: &Arc<Semaphore>) -> Result<Held, StatusCode> {
    let mut whole = BytesMut::new();
    let mut share: Option<OwnedSemaphorePermit> = None;
    let mut held_kib = 0;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| StatusCode::BAD_REQUEST)?.into_data() else {
            continue;
        };
        if whole.len().saturating_add(data.len()) > limit {
            return Err(StatusCode::PAYLOAD_TOO_LARGE);
        }
        whole.extend_from_slice(&data);
        let wanted_kib = whole.len().div_ceil(1024);
        let more = u32::try_from(wanted_kib - held_kib).unwrap_or(u32::MAX);
        if more > 0 {
            let more = Arc::clone(room).try_acquire_many_owned(more).map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
            match &mut share {
                None => share = Some(more),
                Some(share) => share.merge(more),
            }
            held_kib = wanted_kib;
        }
    }
    Ok(Held { bytes: whole.freeze(), _share: share })
}
