//! Linear's calls, typed. Each has a deadline, and none is repeated here.

mod issues;

use std::sync::Arc;

use reveille_channel::ReplyError;
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use crate::client::{Client, Failure};
use crate::documents::{self, Document};
use crate::model::{Comment, Issue, Session, User};
use crate::settings::{Auth, SettingsError};
use crate::token::Credentials;
use crate::transport::Transport;

pub use issues::{IssueChanges, NewIssue};

/// The most Linear gives on a page.
pub const MOST_PER_PAGE: u32 = 100;

/// The API through one connection's credentials.
#[derive(Debug, Clone)]
pub struct Api {
    client: Arc<Client>,
}

/// An activity to be made ("Developing the agent interaction", activity content payload).
pub(crate) struct NewActivity<'a> {
    pub(crate) session: &'a str,
    /// The id of our choosing; without one it cannot be told whether it was made.
    pub(crate) id: Option<String>,
    pub(crate) content: Value,
    /// It disappears with the next one.
    pub(crate) is_ephemeral: bool,
    pub(crate) signal: Option<(&'static str, Value)>,
}

/// What a mutation says.
#[derive(Debug, Deserialize)]
struct Done<T> {
    #[serde(default)]
    success: Option<bool>,
    #[serde(default = "Option::default", alias = "comment", alias = "issue")]
    made: Option<T>,
}

/// That something is there.
#[derive(Debug, Deserialize)]
struct Exists {
    #[expect(dead_code, reason = "that it can be read is what is asked")]
    id: String,
}

impl<T> Done<T> {
    /// What was made; `success: false` is Linear's way to say that it was not.
    fn made(self, document: &Document) -> Result<Option<T>, Failure> {
        match self.success {
            Some(false) => Err(Failure::Other(ReplyError::Refused(format!("{}: not successful", document.name)))),
            Some(true) | None => Ok(self.made),
        }
    }
}

impl Api {
    pub(crate) fn new(url: Url, auth: Auth) -> Result<Self, SettingsError> {
        Ok(Self { client: Arc::new(Client::new(url, auth)?) })
    }

    /// The same server, called with other credentials.
    pub(crate) fn with(&self, credentials: Credentials) -> Self {
        Self { client: Arc::new(self.client.with(credentials)) }
    }

    /// Where it is, and how it is reached.
    pub(crate) fn server(&self) -> (&Url, &Transport) {
        (self.client.url(), self.client.transport())
    }

    pub(crate) async fn viewer(&self) -> Result<User, ReplyError> {
        #[derive(Deserialize)]
        struct Data {
            viewer: User,
        }
        Ok(self.client.call::<Data>(&documents::VIEWER, json!({})).await?.viewer)
    }

    pub(crate) async fn user(&self, id: &str) -> Result<User, ReplyError> {
        #[derive(Deserialize)]
        struct Data {
            user: User,
        }
        Ok(self.client.call::<Data>(&documents::USER, json!({ "id": id })).await?.user)
    }

    pub(crate) async fn create_activity(&self, new: NewActivity<'_>) -> Result<(), Failure> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Data {
            agent_activity_create: Done<Exists>,
        }
        let mut input = json!({ "agentSessionId": new.session, "content": new.content });
        let mut set = |name: &str, value: Value| {
            if let Some(input) = input.as_object_mut() {
                input.insert(name.to_owned(), value);
            }
        };
        if let Some(id) = new.id {
            set("id", Value::String(id));
        }
        if new.is_ephemeral {
            set("ephemeral", Value::Bool(true));
        }
        if let Some((signal, metadata)) = new.signal {
            set("signal", Value::String(signal.to_owned()));
            set("signalMetadata", metadata);
        }
        let document = &documents::CREATE_ACTIVITY;
        let data: Data = self.client.call(document, json!({ "input": input })).await?;
        data.agent_activity_create.made(document).map(|_| ())
    }

    /// Whether the activity is there.
    pub(crate) async fn has_activity(&self, id: &str) -> Result<bool, ReplyError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Data {
            agent_activity: Option<Exists>,
        }
        let asked = self.client.call::<Data>(&documents::ACTIVITY, json!({ "id": id })).await;
        is_there(asked.map(|data| data.agent_activity.is_some()))
    }

    /// The issue of a session, and the last `first` things said in it.
    pub(crate) async fn session(&self, id: &str, first: u32) -> Result<Session, ReplyError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Data {
            agent_session: Session,
        }
        let variables = json!({ "id": id, "first": first });
        Ok(self.client.call::<Data>(&documents::SESSION_HISTORY, variables).await?.agent_session)
    }

    /// Replaces the plan of a session: the whole list of steps, each time ("Agent plans").
    ///
    /// # Errors
    /// See [`ReplyError`].
    pub async fn set_plan(&self, session: &str, steps: &[(String, &'static str)]) -> Result<(), ReplyError> {
        let steps: Vec<Value> =
            steps.iter().map(|(content, status)| json!({ "content": content, "status": status })).collect();
        self.update_session(session, json!({ "plan": steps })).await
    }

    /// Shows an address beside a session. The same address is shown once.
    ///
    /// # Errors
    /// See [`ReplyError`].
    pub async fn add_session_url(&self, session: &str, label: &str, url: &str) -> Result<(), ReplyError> {
        self.update_session(session, json!({ "addedExternalUrls": [{ "label": label, "url": url }] })).await
    }

    async fn update_session(&self, session: &str, input: Value) -> Result<(), ReplyError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Data {
            agent_session_update: Done<Exists>,
        }
        let document = &documents::UPDATE_SESSION;
        let data: Data = self.client.call(document, json!({ "id": session, "input": input })).await?;
        Ok(data.agent_session_update.made(document).map(|_| ())?)
    }

    /// Writes a comment under `id`; `None` in the answer where Linear does not say more than that it is there.
    pub(crate) async fn new_comment(
        &self,
        id: &str,
        issue: &str,
        parent: Option<&str>,
        body: &str,
    ) -> Result<Option<Comment>, Failure> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Data {
            comment_create: Done<Comment>,
        }
        let mut input = json!({ "id": id, "issueId": issue, "body": body });
        if let (Some(parent), Some(input)) = (parent, input.as_object_mut()) {
            input.insert("parentId".to_owned(), Value::String(parent.to_owned()));
        }
        let document = &documents::CREATE_COMMENT;
        let data: Data = self.client.call(document, json!({ "input": input })).await?;
        data.comment_create.made(document)
    }

    pub(crate) async fn update_comment(&self, id: &str, body: &str) -> Result<(), ReplyError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Data {
            comment_update: Done<Comment>,
        }
        let document = &documents::UPDATE_COMMENT;
        let data: Data = self.client.call(document, json!({ "id": id, "input": { "body": body } })).await?;
        Ok(data.comment_update.made(document).map(|_| ())?)
    }

    /// A comment, if it is there.
    ///
    /// # Errors
    /// See [`ReplyError`].
    pub async fn find_comment(&self, id: &str) -> Result<Option<Comment>, ReplyError> {
        #[derive(Deserialize)]
        struct Data {
            comment: Option<Comment>,
        }
        match self.client.call::<Data>(&documents::COMMENT, json!({ "id": id })).await.map_err(ReplyError::from) {
            Ok(data) => Ok(data.comment),
            Err(ReplyError::Gone(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A root comment with its issue and the last `first` answers.
    pub(crate) async fn thread(&self, root: &str, first: u32) -> Result<Comment, ReplyError> {
        #[derive(Deserialize)]
        struct Data {
            comment: Comment,
        }
        let variables = json!({ "id": root, "first": first });
        Ok(self.client.call::<Data>(&documents::THREAD_HISTORY, variables).await?.comment)
    }

    /// An issue with the last `first` comments.
    pub(crate) async fn issue_history(&self, id: &str, first: u32) -> Result<Issue, ReplyError> {
        #[derive(Deserialize)]
        struct Data {
            issue: Issue,
        }
        let variables = json!({ "id": id, "first": first });
        Ok(self.client.call::<Data>(&documents::ISSUE_HISTORY, variables).await?.issue)
    }

    /// Puts a reaction on a comment or an issue; one that is there already is as good.
    pub(crate) async fn add_reaction(&self, target: (&'static str, &str), emoji: &str) -> Result<(), ReplyError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Data {
            reaction_create: Done<Exists>,
        }
        let document = &documents::CREATE_REACTION;
        let (name, id) = target;
        let input = json!({ "emoji": emoji, name: id });
        match self.client.call::<Data>(document, json!({ "input": input })).await {
            Ok(data) => Ok(data.reaction_create.made(document).map(|_| ())?),
            Err(Failure::Duplicate) => Ok(()),
            Err(failure) => Err(failure.into()),
        }
    }
}

/// Linear answers that something is not there with an error.
fn is_there(asked: Result<bool, Failure>) -> Result<bool, ReplyError> {
    match asked.map_err(ReplyError::from) {
        Err(ReplyError::Gone(_)) => Ok(false),
        asked => asked,
    }
}
