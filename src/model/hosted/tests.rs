use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::IntoResponse;
use futures::StreamExt;
use serde_json::{Value, json};

use super::*;
use crate::journal::{StopReason, ToolCall, Usage};
use crate::model::{Message, ToolSchema};

const KEY: &str = "k-123456";

const ANTHROPIC: &str = r#"event: message_start
data: {"type":"message_start","message":{"id":"m","usage":{"input_tokens":10,"cache_read_input_tokens":5,"output_tokens":1}}}

event: content_block_start
data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hallø"}}

event: content_block_stop
data: {"type":"content_block_stop","index":0}

event: content_block_start
data: {"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"c1","name":"github__add_labels","input":{}}}

event: content_block_delta
data: {"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"{\"labels\":[\"b"}}

event: content_block_delta
data: {"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"ug\"]}"}}

event: content_block_stop
data: {"type":"content_block_stop","index":1}

event: message_delta
data: {"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":20}}

event: message_stop
data: {"type":"message_stop"}

"#;

const OPENAI: &str = r#"data: {"choices":[{"index":0,"delta":{"role":"assistant","content":"Hallø"},"finish_reason":null}]}

data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"c1","type":"function","function":{"name":"github__add_labels","arguments":"{\"labels\":[\"b"}}]},"finish_reason":null}]}

data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"ug\"]}"}}]},"finish_reason":null}]}

data: {"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}

data: {"choices":[],"usage":{"prompt_tokens":15,"completion_tokens":20,"total_tokens":35,"prompt_tokens_details":{"cached_tokens":5}}}

data: [DONE]

"#;

const GEMINI: &str = r#"data: {"candidates":[{"content":{"role":"model","parts":[{"text":"Hallø"}]}}],"usageMetadata":{"promptTokenCount":15}}

data: {"candidates":[{"content":{"role":"model","parts":[{"functionCall":{"id":"c1","name":"github__add_labels","args":{"labels":["bug"]}}}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":15,"candidatesTokenCount":20,"totalTokenCount":35,"cachedContentTokenCount":5}}

"#;

const OLLAMA: &str = r#"{"message":{"role":"assistant","content":"Hallø"},"done":false}
{"message":{"role":"assistant","content":"","tool_calls":[{"id":"c1","function":{"name":"github__add_labels","arguments":{"labels":["bug"]}}}]},"done":false}
{"message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","prompt_eval_count":15,"prompt_eval_cached_count":5,"eval_count":20}
"#;

const RECORDED: [(Protocol, &str, &str); 4] = [
    (Protocol::Anthropic, "/v1/messages", ANTHROPIC),
    (Protocol::OpenAi, "/chat/completions", OPENAI),
    (Protocol::Gemini, "/v1beta/models/m-1:streamGenerateContent?alt=sse", GEMINI),
    (Protocol::Ollama, "/api/chat", OLLAMA),
];

/// What a stand-in was asked: path, headers, body.
type Asked = Arc<Mutex<Vec<(String, HeaderMap, Value)>>>;

async fn stand_in(status: u16, headers: &'static [(&'static str, &'static str)], body: Vec<u8>) -> (Url, Asked) {
    let asked = Asked::default();
    let seen = asked.clone();
    let answer = move |_: Method, uri: Uri, sent: HeaderMap, text: Bytes| async move {
        let text = serde_json::from_slice(&text).unwrap_or(Value::Null);
        seen.lock().unwrap().push((uri.to_string(), sent, text));
        let mut response = (StatusCode::from_u16(status).unwrap(), body).into_response();
        for (name, value) in headers {
            response.headers_mut().insert(*name, value.parse().unwrap());
        }
        response
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
    (url, asked)
}

fn hosted(protocol: Protocol, base_url: Url) -> Hosted {
    let api_key = Some(Secret::new(KEY));
    Hosted::new(HostedSettings { table: "main".into(), protocol, base_url, api_key }).unwrap()
}

fn request() -> Request {
    let call = ToolCall { id: "c0".into(), name: "github.add_labels".into(), arguments: json!("broken") };
    Request {
        model: "m-1".into(),
        system: "Be brief.".into(),
        messages: vec![
            Message::User { text: "hello".into() },
            Message::Assistant { text: String::new(), tool_calls: vec![call] },
            Message::Tool { call: "c0".into(), name: "github.add_labels".into(), text: "no".into(), is_error: true },
        ],
        tools: vec![ToolSchema {
            name: "github.add_labels".into(),
            description: "Adds labels.".into(),
            parameters: json!({"type": "object", "properties": {"labels": {"type": "array", "items": {"type": "string"}}}}),
        }],
        max_tokens: 100,
        temperature: None,
    }
}

async fn answered(protocol: Protocol, base_url: Url) -> Result<Vec<Delta>, ModelError> {
    let mut stream = hosted(protocol, base_url).stream(&request()).await?;
    let mut deltas = Vec::new();
    while let Some(delta) = stream.next().await {
        match delta {
            Ok(delta) => deltas.push(delta),
            Err(error) => {
                assert!(!deltas.iter().any(|delta| matches!(delta, Delta::ToolCall(_))), "a call of a cut answer");
                return Err(error);
            }
        }
    }
    Ok(deltas)
}

fn whole() -> Vec<Delta> {
    vec![
        Delta::Text("Hallø".into()),
        Delta::ToolCall(ToolCall {
            id: "c1".into(),
            name: "github.add_labels".into(),
            arguments: json!({"labels": ["bug"]}),
        }),
        Delta::Done {
            stop: StopReason::ToolCalls,
            usage: Usage { input_tokens: 15, output_tokens: 20, cached_tokens: 5 },
        },
    ]
}

#[tokio::test]
async fn each_protocol_is_asked_where_it_listens_and_understood() {
    for (protocol, path, body) in RECORDED {
        let (url, asked) = stand_in(200, &[], body.as_bytes().to_vec()).await;
        let deltas = answered(protocol, url).await.unwrap();
        assert_eq!(deltas, whole(), "{protocol:?}");
        let asked = asked.lock().unwrap();
        let (to, headers, sent) = asked.first().unwrap();
        assert_eq!(to, path);
        let header = match protocol {
            Protocol::Anthropic => "x-api-key",
            Protocol::Gemini => "x-goog-api-key",
            Protocol::OpenAi | Protocol::Ollama => "authorization",
        };
        assert!(headers.get(header).unwrap().to_str().unwrap().ends_with(KEY), "{protocol:?}");
        let sent = sent.to_string();
        assert!(sent.contains("github__add_labels") && !sent.contains("github.add_labels"), "{sent}");
        assert_eq!(sent.contains("cache_control"), protocol == Protocol::Anthropic, "{sent}");
    }
}

#[tokio::test]
async fn an_answer_cut_at_any_byte_is_tried_again_and_calls_no_tool() {
    for (protocol, _, body) in RECORDED {
        for end in 0..body.len() {
            let (url, _) = stand_in(200, &[], body.as_bytes()[..end].to_vec()).await;
            match answered(protocol, url).await {
                Ok(deltas) => assert_eq!(deltas, whole(), "{protocol:?} at {end}"),
                Err(error) => assert_eq!(error, faults::cut(), "{protocol:?} at {end}"),
            }
        }
    }
}

#[tokio::test]
async fn what_is_no_answer_is_tried_again() {
    let bodies: [&[u8]; 4] = [b"", b"<html>Welcome</html>", b"data: {]\n\n", b"\xff\xfe\n\n"];
    for (protocol, ..) in RECORDED {
        for body in bodies {
            let (url, _) = stand_in(200, &[("content-type", "text/html")], body.to_vec()).await;
            assert_eq!(answered(protocol, url).await, Err(faults::cut()), "{protocol:?} {body:?}");
        }
    }
}

#[tokio::test]
async fn a_status_says_whether_to_try_again_or_what_to_look_at() {
    let body = format!(r#"{{"error":{{"message":"no\u0007 {KEY} https://h/p?key=x {}"}}}}"#, "long ".repeat(200));
    for (protocol, ..) in RECORDED {
        for (status, look_at) in [
            (401, "models.main.api_key"),
            (403, "models.main.api_key"),
            (404, "models.main.base_url and the model `m-1`"),
            (400, "the model `m-1`"),
            (422, "the model `m-1`"),
            (302, "models.main.base_url"),
        ] {
            let (url, _) = stand_in(status, &[("location", "/elsewhere")], body.clone().into_bytes()).await;
            let Err(ModelError::Fatal { reason }) = answered(protocol, url).await else {
                panic!("{protocol:?} {status}")
            };
            assert!(reason.contains(look_at) && reason.chars().count() <= 300, "{reason}");
            assert!(!reason.contains(KEY) && !reason.contains("key=x") && !reason.contains('\u{7}'), "{reason}");
        }
        for status in [408, 409, 425, 429, 500, 503, 529] {
            let (url, _) = stand_in(status, &[("retry-after", "7")], body.clone().into_bytes()).await;
            let Err(ModelError::Retry { reason, after_ms }) = answered(protocol, url).await else { panic!("{status}") };
            assert_eq!(after_ms, Some(7_000));
            assert!(!reason.contains(KEY), "{reason}");
        }
    }
    let (url, _) = stand_in(503, &[("retry-after", "Fri, 31 Dec 2100 23:59:59 GMT")], Vec::new()).await;
    let Err(ModelError::Retry { after_ms, .. }) = answered(Protocol::OpenAi, url).await else { panic!() };
    assert_eq!(after_ms, Some(300_000));
}

#[tokio::test]
async fn an_error_amid_the_answer_is_told_by_its_kind() {
    let overloaded = "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n";
    let (url, _) = stand_in(200, &[], overloaded.as_bytes().to_vec()).await;
    let Err(ModelError::Retry { reason, .. }) = answered(Protocol::Anthropic, url).await else { panic!() };
    assert_eq!(reason, "models.main broke off: Overloaded");
    let refused = "data: {\"error\":{\"type\":\"invalid_request_error\",\"message\":\"too long\"}}\n\n";
    let (url, _) = stand_in(200, &[], refused.as_bytes().to_vec()).await;
    assert!(matches!(answered(Protocol::OpenAi, url).await, Err(ModelError::Fatal { .. })));
}

#[tokio::test]
async fn a_server_without_a_key_is_sent_none_and_one_that_is_gone_is_tried_again() {
    let (url, asked) = stand_in(200, &[], OPENAI.as_bytes().to_vec()).await;
    let settings = HostedSettings { table: "own".into(), protocol: Protocol::OpenAi, base_url: url, api_key: None };
    let hosted_without = Hosted::new(settings).unwrap();
    assert!(hosted_without.stream(&request()).await.is_ok());
    assert!(asked.lock().unwrap().iter().all(|(_, headers, _)| !headers.contains_key("authorization")));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gone = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    drop(listener);
    assert!(matches!(answered(Protocol::OpenAi, gone).await, Err(ModelError::Retry { .. })));
}

#[tokio::test]
async fn a_check_lists_the_models() {
    let headers = &[("content-type", "application/json")];
    let (url, asked) = stand_in(200, headers, br#"{"data":[{"id":"a"},{"id":"b"}]}"#.to_vec()).await;
    assert_eq!(hosted(Protocol::Anthropic, url).check().await.unwrap(), "answers, 2 models");
    assert_eq!(asked.lock().unwrap().first().unwrap().0, "/v1/models");
    let (url, _) = stand_in(401, headers, b"{}".to_vec()).await;
    assert!(matches!(hosted(Protocol::OpenAi, url).check().await, Err(ModelError::Fatal { .. })));
}

#[test]
fn addresses_are_taken_with_and_without_slash_and_version() {
    for (protocol, given, wanted) in [
        (Protocol::Anthropic, "https://api.anthropic.com", "https://api.anthropic.com/v1/"),
        (Protocol::Anthropic, "https://api.anthropic.com/v1/", "https://api.anthropic.com/v1/"),
        (Protocol::OpenAi, "https://api.openai.com/v1", "https://api.openai.com/v1/"),
        (Protocol::Gemini, "https://g.example/v1beta/", "https://g.example/v1beta/"),
        (Protocol::Gemini, "https://g.example", "https://g.example/v1beta/"),
        (Protocol::Ollama, "http://127.0.0.1:11434/", "http://127.0.0.1:11434/"),
    ] {
        assert_eq!(root(protocol, &Url::parse(given).unwrap()).as_deref(), Some(wanted));
    }
    assert_eq!(root(Protocol::OpenAi, &Url::parse("https://h/v1?key=x").unwrap()), None);
}

#[test]
fn tool_names_stay_apart() {
    let mut asked = request();
    let schema = asked.tools.pop().unwrap();
    let known = ["a.b", "a__b", "a b", "a_b"];
    asked.tools = known.iter().map(|name| ToolSchema { name: (*name).into(), ..schema.clone() }).collect();
    let names = Names::of(&asked);
    for name in known {
        assert_eq!(names.dotted(&names.wire(name)), name);
    }
    assert_eq!(names.dotted("made__up"), "made.up");
}
