//! `linear.create_issue`, `linear.create_comment` and `linear.link_url`: what is made carries an id that is the call's own, so
//! that making it again is refused, and as good.

use std::time::Duration;

use async_trait::async_trait;
use reveille_channel::ReplyError;
use reveille_linear::{NewIssue, session_of};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::update::{chosen, description, label_ids, priority, state_id};
use super::{LinearConnections, failed, place, spec, title};
use crate::journal::Effect;
use crate::tool::{Class, Tool, ToolContext, ToolError, ToolSpec, parse_arguments, schema_of};

/// The longest address.
const URL_BYTES: usize = 2_048;
/// A wait that a tool takes by itself; a longer one is the model's to know of.
const SHORT_WAIT_MS: u64 = 2_000;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct NewArguments {
    /// Its title.
    title: String,
    /// Its description, Markdown.
    #[serde(default)]
    description: Option<String>,
    /// 0 none, 1 urgent, 2 high, 3 medium, 4 low.
    #[serde(default)]
    priority: Option<u8>,
    /// A state of this team: its id, its name, or a type such as unstarted.
    #[serde(default)]
    state_id: Option<String>,
    /// A project of this team: its id or name.
    #[serde(default)]
    project_id: Option<String>,
    /// Labels: ids or names, 10 at most.
    #[serde(default)]
    label_ids: Vec<String>,
    /// Whether it is to be a part of this thread's issue.
    #[serde(default)]
    is_sub_issue: bool,
}

/// `linear.create_issue`.
#[derive(Debug)]
pub(crate) struct CreateIssue {
    spec: ToolSpec,
    connections: LinearConnections,
}

impl CreateIssue {
    pub(super) fn new(connections: LinearConnections) -> Self {
        let spec = spec(
            "linear.create_issue",
            "Opens an issue in this thread's team. Look for one that says the same first.",
            schema_of::<NewArguments>(),
            (Effect::Idempotent, Class::Egress),
            4 * 1024,
        );
        Self { spec, connections }
    }
}

fn opened(identifier: &str, url: &str) -> String {
    format!("The issue {identifier} is open: {url}")
}

#[async_trait]
impl Tool for CreateIssue {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, context: &ToolContext, arguments: &Value) -> Result<String, ToolError> {
        let given: NewArguments = parse_arguments(arguments)?;
        let place = place(&self.connections, context)?;
        let team = place.team().await?;
        let mut new = NewIssue {
            id: place.linear.id_for(&context.key),
            title: title(&given.title)?,
            description: given.description.as_deref().map(|text| description(&place, text)).transpose()?,
            priority: priority(given.priority)?,
            parent_id: given.is_sub_issue.then(|| place.issue.to_owned()),
            label_ids: label_ids(context, &place, &team, &given.label_ids).await?,
            ..NewIssue::default()
        };
        if let Some(wanted) = &given.state_id {
            new.state_id = Some(state_id(context, &place, &team, wanted).await?);
        }
        if let Some(wanted) = &given.project_id {
            let known = place.linear.api().list_projects(&team).await.map_err(failed("The projects"))?;
            new.project_id = Some(chosen(context, "project", wanted, &known)?);
        }
        new.team_id = team;
        let issue = place.linear.api().create_issue(&new).await.map_err(failed("The new issue"))?;
        Ok(opened(&issue.identifier, &issue.url))
    }

    async fn look_up(&self, context: &ToolContext, _arguments: &Value) -> Result<Option<String>, ToolError> {
        let place = place(&self.connections, context)?;
        match place.linear.api().get_issue(&place.linear.id_for(&context.key)).await {
            Ok(issue) => Ok(Some(opened(&issue.identifier, &issue.url))),
            Err(reveille_channel::ReplyError::Gone(_)) => Ok(None),
            Err(error) => Err(ToolError::Unknown(format!("the issue cannot be looked up: {error}"))),
        }
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CommentArguments {
    /// The comment, as Markdown.
    body: String,
}

/// `linear.create_comment`.
#[derive(Debug)]
pub(crate) struct CreateComment {
    spec: ToolSpec,
    connections: LinearConnections,
}

impl CreateComment {
    pub(super) fn new(connections: LinearConnections) -> Self {
        let spec = spec(
            "linear.create_comment",
            "Writes a further comment on this thread's issue. What you answer is posted by itself: this is for a comment \
             beside the answer, such as a plan.",
            schema_of::<CommentArguments>(),
            (Effect::Idempotent, Class::Egress),
            2 * 1024,
        );
        Self { spec, connections }
    }
}

fn posted(url: Option<&str>) -> String {
    url.filter(|url| !url.is_empty())
        .map_or_else(|| "The comment is posted.".to_owned(), |url| format!("The comment is posted: {url}"))
}

#[async_trait]
impl Tool for CreateComment {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, context: &ToolContext, arguments: &Value) -> Result<String, ToolError> {
        let CommentArguments { body } = parse_arguments(arguments)?;
        if body.trim().is_empty() {
            return Err(ToolError::Failed("The comment is empty. Nothing was posted.".to_owned()));
        }
        let place = place(&self.connections, context)?;
        let body = description(&place, &body)?;
        let id = place.linear.id_for(&context.key);
        let api = place.linear.api();
        let comment = api.create_comment(&id, place.issue, None, &body).await.map_err(failed("The comment"))?;
        Ok(posted(comment.as_ref().map(|comment| comment.url.as_str())))
    }

    async fn look_up(&self, context: &ToolContext, _arguments: &Value) -> Result<Option<String>, ToolError> {
        let place = place(&self.connections, context)?;
        let found = place.linear.api().find_comment(&place.linear.id_for(&context.key)).await;
        let found = found.map_err(|error| ToolError::Unknown(format!("the comment cannot be looked up: {error}")))?;
        Ok(found.map(|comment| posted(Some(&comment.url))))
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct LinkArguments {
    /// The address, such as that of a pull request.
    url: String,
    /// What it is called; the address if left out.
    #[serde(default)]
    title: Option<String>,
}

/// `linear.link_url`.
#[derive(Debug)]
pub(crate) struct LinkUrl {
    spec: ToolSpec,
    connections: LinearConnections,
}

impl LinkUrl {
    pub(super) fn new(connections: LinearConnections) -> Self {
        let spec = spec(
            "linear.link_url",
            "Links an address to this thread's issue, such as that of the pull request for it, and shows it beside this agent \
             session.",
            schema_of::<LinkArguments>(),
            (Effect::Idempotent, Class::Egress),
            1024,
        );
        Self { spec, connections }
    }
}

/// Whoever follows a link brings its address there, and with it what a misled model may have put into it.
const NOT_CHOSEN: &str = "Links lead only to hosts that this gateway's operator chose ([output] link_hosts), and have no query. \
                          Nothing was linked: say the address in your answer, where people can read it, or whom to ask.";

/// An address of the web that hides nothing.
fn address(text: &str) -> Result<Url, ToolError> {
    let wrong = || ToolError::Failed("That is no https address of a page. Nothing was linked.".to_owned());
    let url: Url = text.trim().parse().map_err(|_| wrong())?;
    let is_plain =
        url.scheme() == "https" && url.host_str().is_some() && url.username().is_empty() && url.password().is_none();
    if is_plain && url.as_str().len() <= URL_BYTES { Ok(url) } else { Err(wrong()) }
}

#[async_trait]
impl Tool for LinkUrl {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, context: &ToolContext, arguments: &Value) -> Result<String, ToolError> {
        let given: LinkArguments = parse_arguments(arguments)?;
        let url = address(&given.url)?;
        let name = title(given.title.as_deref().unwrap_or(url.as_str()))?;
        let place = place(&self.connections, context)?;
        if !place.linear.may_link(&url) {
            return Err(ToolError::Failed(NOT_CHOSEN.to_owned()));
        }
        let api = place.linear.api();
        let mut linked = api.link_url(place.issue, url.as_str(), Some(&name)).await;
        // "Attachments": the address identifies the attachment of an issue, so linking it again changes nothing.
        if let Err(ReplyError::Retry { after_ms: wait_ms @ ..=SHORT_WAIT_MS, .. }) = linked {
            tokio::time::sleep(Duration::from_millis(wait_ms)).await;
            linked = api.link_url(place.issue, url.as_str(), Some(&name)).await;
        }
        linked.map_err(failed("The link"))?;
        if let Some(session) = session_of(&context.thread) {
            api.add_session_url(session, &name, url.as_str()).await.map_err(failed("The link beside the session"))?;
        }
        Ok("The address is linked to the issue.".to_owned())
    }
}
