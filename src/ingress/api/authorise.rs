//! Who is let in: whoever shows the token.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::Api;
use crate::admin::ApiToken;
use crate::ingress::deliver::come_back;

/// Passes on what shows the token, and answers everything else alike.
pub(super) async fn authorise(State(api): State<Api>, request: Request, next: Next) -> Response {
    let answer = if !is_authorised(request.headers(), &api.token) {
        tracing::warn!("a request to the API without its token");
        let mut answer = StatusCode::UNAUTHORIZED.into_response();
        answer.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        answer
    } else if let Ok(_permit) = api.requests.clone().try_acquire_owned() {
        next.run(request).await
    } else {
        come_back()
    };
    let status = answer.status().as_u16().to_string();
    metrics::counter!("api_requests_total", "status" => status).increment(1);
    answer
}

/// Whether the header `Authorization` is there once and holds the token (RFC 6750, section 2.1).
fn is_authorised(headers: &HeaderMap, token: &ApiToken) -> bool {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return false };
    let Some((scheme, presented)) = value.to_str().ok().and_then(|value| value.split_once(' ')) else { return false };
    scheme.eq_ignore_ascii_case("bearer") && token.is(presented)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_token_itself_in_its_one_header_lets_in() {
        let folder = tempfile::tempdir().unwrap();
        let token = ApiToken::of_folder(folder.path()).unwrap();
        let right = token.expose().to_owned();
        let with = |values: &[String]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(header::AUTHORIZATION, HeaderValue::from_str(value).unwrap());
            }
            is_authorised(&headers, &token)
        };
        assert!(with(&[format!("Bearer {right}")]));
        assert!(with(&[format!("bearer {right}")]));
        for wrong in [
            String::new(),
            "Bearer".into(),
            "Bearer ".into(),
            right.clone(),
            format!("Basic {right}"),
            format!("Bearer  {right}"),
            format!("Bearer {right} "),
            format!("Bearer {right}0"),
            format!("Bearer {}", "0".repeat(64)),
        ] {
            assert!(!with(std::slice::from_ref(&wrong)), "{wrong}");
        }
        assert!(!with(&[]));
        assert!(!with(&[format!("Bearer {right}"), format!("Bearer {right}")]), "twice is how requests are smuggled");
    }
}
