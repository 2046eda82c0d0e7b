//! A [`Request`] in genai's terms.

use genai::chat::{
    CacheControl, ChatMessage, ChatOptions, ChatRequest, ContentPart, MessageContent, Tool, ToolCall, ToolResponse,
};
use serde_json::{Value, json};

use super::names::Names;
use super::{Protocol, Request};
use crate::journal;
use crate::model::Message;

pub(super) fn options(request: &Request) -> ChatOptions {
    let options = ChatOptions::default()
        .with_max_tokens(request.max_tokens)
        .with_capture_usage(true)
        .with_capture_tool_calls(true);
    match request.temperature {
        Some(temperature) => options.with_temperature(temperature),
        None => options,
    }
}

pub(super) fn request(request: &Request, names: &Names, protocol: Protocol) -> ChatRequest {
    let is_cached = protocol == Protocol::Anthropic;
    let mut messages = conversation(&request.messages, names, protocol);
    if is_cached && let Some(last) = messages.pop() {
        messages.push(last.with_options(CacheControl::Ephemeral));
    }
    if !request.system.is_empty() {
        let system = ChatMessage::system(request.system.clone());
        // The tools stand before it in Anthropic's order: one mark covers both.
        let system = if is_cached { system.with_options(CacheControl::Ephemeral) } else { system };
        messages.insert(0, system);
    }
    let asked = ChatRequest::new(messages);
    if request.tools.is_empty() {
        return asked;
    }
    asked.with_tools(request.tools.iter().map(|tool| {
        Tool::new(names.wire(&tool.name))
            .with_description(tool.description.clone())
            .with_schema(tool.parameters.clone())
    }))
}

fn conversation(messages: &[Message], names: &Names, protocol: Protocol) -> Vec<ChatMessage> {
    let mut list: Vec<ChatMessage> = Vec::new();
    let mut was_tool = false;
    for message in messages {
        let is_tool = matches!(message, Message::Tool { .. });
        match message {
            Message::User { text } if text.trim().is_empty() => list.push(ChatMessage::user("(no text)")),
            Message::User { text } => list.push(ChatMessage::user(text.clone())),
            Message::Assistant { text, tool_calls } => {
                let mut parts = Vec::new();
                // Anthropic refuses a text of nothing but blanks, and with it every later request of the conversation.
                if !text.trim().is_empty() {
                    parts.push(ContentPart::Text(text.clone()));
                }
                parts.extend(tool_calls.iter().map(|made| ContentPart::ToolCall(call(made, names))));
                if !parts.is_empty() {
                    list.push(ChatMessage::assistant(MessageContent::from_parts(parts)));
                }
            }
            Message::Tool { call, name, text, is_error } => {
                let text = if *is_error { format!("error: {text}") } else { text.clone() };
                let mut response = ToolResponse::new(call.clone(), text);
                response.fn_name = Some(names.wire(name));
                // Anthropic wants the results of one answer's calls in one message; genai keeps only one of them for Ollama.
                match list.last_mut().filter(|_| was_tool && protocol == Protocol::Anthropic) {
                    Some(last) => last.content.push(ContentPart::ToolResponse(response)),
                    None => list.push(ChatMessage::tool(MessageContent::from_tool_responses(vec![response]))),
                }
            }
        }
        was_tool = is_tool;
    }
    list
}

fn call(made: &journal::ToolCall, names: &Names) -> ToolCall {
    // Providers refuse a conversation whose calls have arguments of any other kind, for ever.
    let arguments = match &made.arguments {
        Value::Object(_) => made.arguments.clone(),
        other => json!({ "not_an_object": other }),
    };
    ToolCall {
        call_id: made.id.clone(),
        fn_name: names.wire(&made.name),
        fn_arguments: arguments,
        thought_signatures: None,
    }
}
