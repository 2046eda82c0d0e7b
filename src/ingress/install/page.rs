//! The pages a person sees who installs the app. They are words of ours alone: what a browser brings is never shown, and what
//! a platform says is escaped.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// One page.
pub(super) struct Page<'a> {
    pub(super) status: StatusCode,
    pub(super) title: &'a str,
    /// Paragraphs.
    pub(super) text: &'a [&'a str],
    /// Where to begin again: the path of a connection's `install`.
    pub(super) again: Option<&'a str>,
}

impl IntoResponse for Page<'_> {
    fn into_response(self) -> Response {
        let title = escaped(self.title);
        let mut body = format!(
            "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>{title}</title>\
             <meta name=\"viewport\" content=\"width=device-width\"></head>\n<body>\n<h1>{title}</h1>\n"
        );
        for paragraph in self.text {
            body.push_str(&format!("<p>{}</p>\n", escaped(paragraph)));
        }
        if let Some(again) = self.again {
            body.push_str(&format!("<p><a href=\"{}\">Begin again</a></p>\n", escaped(again)));
        }
        body.push_str("</body>\n</html>\n");
        let mut answer = (self.status, body).into_response();
        guard(&mut answer);
        answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        answer
    }
}

/// Nothing is loaded, framed, kept or passed on: the address that leads here holds a code.
pub(super) fn guard(answer: &mut Response) {
    let headers = answer.headers_mut();
    for (name, value) in [
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c if c.is_control() => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    #[tokio::test]
    async fn what_a_platform_says_is_shown_to_the_letter_and_nothing_is_loaded() {
        let page = Page {
            status: StatusCode::OK,
            title: "<script>alert(1)</script>",
            text: &["it's \"quoted\" & \u{0}"],
            again: Some("/a?b=\"><img src=x>"),
        };
        let answer = page.into_response();
        assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
        assert_eq!(answer.headers()["cache-control"], "no-store");
        assert_eq!(answer.headers()["referrer-policy"], "no-referrer");
        assert!(answer.headers()["content-security-policy"].to_str().unwrap().starts_with("default-src 'none'"));
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        let body = std::str::from_utf8(&body).unwrap();
        assert!(!body.contains("<script") && !body.contains("<img"), "{body}");
        assert!(body.contains("it&#39;s &quot;quoted&quot; &amp;"), "{body}");
    }
}
