//! Discussions: "Using the GraphQL API for Discussions". A fixed set of documents; nothing in them is put together.

use reveille_channel::ReplyError;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{Api, Repository};
use crate::client::As;
use crate::pace::Pacing;
use crate::token::Need;

const ADD: &str = "mutation($discussion: ID!, $body: String!, $answers: ID) {
  addDiscussionComment(input: {discussionId: $discussion, body: $body, replyToId: $answers}) { comment { id } }
}";

const UPDATE: &str = "mutation($id: ID!, $body: String!) {
  updateDiscussionComment(input: {commentId: $id, body: $body}) { comment { id } }
}";

const REACT: &str = "mutation($id: ID!, $content: ReactionContent!) {
  addReaction(input: {subjectId: $id, content: $content}) { reaction { content } }
}";

const ANSWERED: &str = "query($id: ID!) { node(id: $id) { ... on DiscussionComment { replyTo { id } } } }";

const COMMENTS: &str = "query($id: ID!, $before: String) {
  node(id: $id) { ... on Discussion {
    title body createdAt viewerDidAuthor author { login }
    comments(last: 50, before: $before) {
      nodes {
        id body createdAt viewerDidAuthor author { login }
        replies(last: 50) { nodes { id body createdAt viewerDidAuthor author { login } } }
      }
      pageInfo { hasPreviousPage startCursor }
    }
  } }
}";

const ANSWERS: &str = "query($id: ID!, $before: String) {
  node(id: $id) { ... on DiscussionComment {
    comments: replies(last: 50, before: $before) {
      nodes { id body createdAt viewerDidAuthor author { login } }
      pageInfo { hasPreviousPage startCursor }
    }
  } }
}";

/// A comment of a discussion, or an answer to one.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DiscussionComment {
    #[serde(default)]
    pub(crate) id: String,
    #[serde(default, deserialize_with = "crate::model::null_is_empty")]
    pub(crate) body: String,
    /// Whether the credential's account wrote it.
    #[serde(default)]
    pub(crate) viewer_did_author: bool,
    #[serde(default)]
    pub(crate) author: Option<Author>,
    /// Milliseconds since the Unix epoch; 0 when GitHub does not say.
    #[serde(rename = "createdAt", default, deserialize_with = "crate::model::milliseconds")]
    pub(crate) created_at_ms: i64,
    #[serde(default)]
    replies: Option<Nodes>,
}

/// Who wrote something.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Author {
    pub(crate) login: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Nodes {
    #[serde(default)]
    nodes: Vec<DiscussionComment>,
    #[serde(default)]
    page_info: Option<PageInfo>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageInfo {
    #[serde(default)]
    has_previous_page: bool,
    #[serde(default)]
    start_cursor: Option<String>,
}

/// A page of a discussion.
#[derive(Debug, Deserialize)]
pub(crate) struct DiscussionPage {
    #[serde(default)]
    pub(crate) title: String,
    /// The discussion's own text.
    #[serde(flatten)]
    pub(crate) opening: DiscussionComment,
    #[serde(default)]
    comments: Option<Nodes>,
}

impl DiscussionPage {
    /// The comments of this page with their answers, as they stand there.
    pub(crate) fn comments(&mut self) -> Vec<DiscussionComment> {
        let mut all = Vec::new();
        for mut comment in self.comments.as_mut().map(|it| std::mem::take(&mut it.nodes)).unwrap_or_default() {
            let answers = comment.replies.take().map(|it| it.nodes).unwrap_or_default();
            all.push(comment);
            all.extend(answers);
        }
        all
    }

    /// From where on there are earlier comments.
    pub(crate) fn before(&self) -> Option<String> {
        let info = self.comments.as_ref()?.page_info.as_ref()?;
        info.start_cursor.clone().filter(|_| info.has_previous_page)
    }
}

/// Which comments are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CommentsOf<'i> {
    /// Those of a discussion, with their answers.
    Discussion(&'i str),
    /// The answers to a comment.
    Comment(&'i str),
}

impl Api {
    /// The latest comments, or those before a cursor of an earlier page; the oldest of them first.
    pub(crate) async fn discussion_page(
        &self,
        repository: &Repository,
        of: CommentsOf<'_>,
        before: Option<&str>,
    ) -> Result<DiscussionPage, ReplyError> {
        let (document, id) = match of {
            CommentsOf::Discussion(id) => (COMMENTS, id),
            CommentsOf::Comment(id) => (ANSWERS, id),
        };
        let found: Node<DiscussionPage> =
            self.graphql(repository, document, json!({ "id": id, "before": before }), true).await?;
        found.node.ok_or_else(|| ReplyError::Gone("the discussion is gone".to_owned()))
    }

    /// The comment that an answer stands below.
    pub(crate) async fn answered_by(&self, repository: &Repository, id: &str) -> Result<Option<String>, ReplyError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Answer {
            #[serde(default)]
            reply_to: Option<Id>,
        }
        let found: Node<Answer> = self.graphql(repository, ANSWERED, json!({ "id": id }), true).await?;
        Ok(found.node.and_then(|answer| answer.reply_to).map(|to| to.id))
    }

    /// Writes a comment, below another one if there is one to answer; its id. Not idempotent.
    pub(crate) async fn add_discussion_comment(
        &self,
        repository: &Repository,
        discussion: &str,
        answers: Option<&str>,
        text: &str,
    ) -> Result<String, ReplyError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Added {
            add_discussion_comment: Made,
        }
        self.take_pace(repository, Pacing::Content).await?;
        let variables = json!({ "discussion": discussion, "body": text, "answers": answers });
        let added: Added = self.graphql(repository, ADD, variables, false).await?;
        added.add_discussion_comment.comment.map(|comment| comment.id).ok_or_else(no_id)
    }

    /// Replaces the text of a comment.
    pub(crate) async fn update_discussion_comment(
        &self,
        repository: &Repository,
        id: &str,
        text: &str,
        pacing: Pacing,
    ) -> Result<(), ReplyError> {
        self.take_pace(repository, pacing).await?;
        let _: Value = self.graphql(repository, UPDATE, json!({ "id": id, "body": text }), true).await?;
        Ok(())
    }

    /// Puts a reaction on a discussion or a comment of one. Idempotent.
    pub(crate) async fn add_reaction_to_node(
        &self,
        repository: &Repository,
        id: &str,
        content: &str,
        pacing: Pacing,
    ) -> Result<(), ReplyError> {
        self.take_pace(repository, pacing).await?;
        let _: Value = self.graphql(repository, REACT, json!({ "id": id, "content": content }), true).await?;
        Ok(())
    }

    async fn graphql<T: DeserializeOwned>(
        &self,
        repository: &Repository,
        document: &str,
        variables: Value,
        is_repeatable: bool,
    ) -> Result<T, ReplyError> {
        let body = json!({ "query": document, "variables": variables });
        let data = self.client.graphql(As::In(repository, Need::Discussions), &body, is_repeatable).await?;
        serde_json::from_value(data).map_err(|error| {
            let what = format!("the answer is not what the API documents ({:?})", error.classify());
            // It may have been made: an answer nobody can read leaves its id unknown.
            if is_repeatable { ReplyError::Retry { after_ms: 5_000, reason: what } } else { ReplyError::Unknown(what) }
        })
    }
}

fn no_id() -> ReplyError {
    ReplyError::Unknown("the answer has no id".to_owned())
}

#[derive(Deserialize)]
struct Node<T> {
    node: Option<T>,
}

#[derive(Deserialize)]
struct Made {
    comment: Option<Id>,
}

#[derive(Deserialize)]
struct Id {
    id: String,
}
