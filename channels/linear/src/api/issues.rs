//! Calls on issues and what stands around them, for tools.

use reveille_channel::ReplyError;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Api, Done, MOST_PER_PAGE};
use crate::client::Failure;
use crate::documents;
use crate::model::{Comment, Issue, Named, Nodes, State};

/// An issue to be opened (`IssueCreateInput`).
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewIssue {
    /// The id of our choosing: a repeat is refused.
    pub id: String,
    /// The team it is opened in.
    pub team_id: String,
    /// Its title.
    pub title: String,
    /// Its text, Markdown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The issue it is part of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<String>,
    /// 0 none, 1 urgent, 2 high, 3 medium, 4 low.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<u8>,
    /// Its state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state_id: Option<String>,
    /// Its project.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    /// Its labels.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub label_ids: Vec<String>,
}

/// What is to be changed of an issue (`IssueUpdateInput`); what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct IssueChanges {
    /// Its title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Its text, Markdown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// 0 none, 1 urgent, 2 high, 3 medium, 4 low.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<u8>,
    /// Its state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state_id: Option<String>,
    /// Its project.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    /// Who is responsible for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assignee_id: Option<String>,
    /// The app it is delegated to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delegate_id: Option<String>,
    /// Labels to be put on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub added_label_ids: Vec<String>,
    /// Labels to be taken off.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub removed_label_ids: Vec<String>,
}

/// Issues of one team (`IssueFilter`).
fn of_team(team: &str) -> Value {
    json!({ "team": { "id": { "eq": team } } })
}

impl Api {
    /// One issue, by its id or identifier.
    ///
    /// # Errors
    /// See [`ReplyError`]; [`ReplyError::Gone`] when there is none.
    pub async fn get_issue(&self, id: &str) -> Result<Issue, ReplyError> {
        #[derive(Deserialize)]
        struct Data {
            issue: Issue,
        }
        Ok(self.client.call::<Data>(&documents::ISSUE, json!({ "id": id })).await?.issue)
    }

    /// Issues of a team, those changed last first; `state_type` such as `started` narrows them.
    ///
    /// # Errors
    /// See [`ReplyError`].
    pub async fn list_issues(
        &self,
        team: &str,
        state_type: Option<&str>,
        first: u32,
        after: Option<&str>,
    ) -> Result<Nodes<Issue>, ReplyError> {
        #[derive(Deserialize)]
        struct Data {
            issues: Nodes<Issue>,
        }
        let mut filter = of_team(team);
        if let (Some(kind), Some(filter)) = (state_type, filter.as_object_mut()) {
            filter.insert("state".to_owned(), json!({ "type": { "eq": kind } }));
        }
        let variables = json!({ "filter": filter, "first": first, "after": after });
        Ok(self.client.call::<Data>(&documents::ISSUES, variables).await?.issues)
    }

    /// Issues of a team by words.
    ///
    /// # Errors
    /// See [`ReplyError`].
    pub async fn search_issues(&self, term: &str, team: &str, first: u32) -> Result<Vec<Issue>, ReplyError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Data {
            search_issues: Nodes<Issue>,
        }
        let variables = json!({ "term": term, "first": first, "filter": of_team(team) });
        Ok(self.client.call::<Data>(&documents::SEARCH_ISSUES, variables).await?.search_issues.nodes)
    }

    /// Opens an issue. One that was opened under the same id before is answered as it is.
    ///
    /// # Errors
    /// See [`ReplyError`].
    pub async fn create_issue(&self, new: &NewIssue) -> Result<Issue, ReplyError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Data {
            issue_create: Done<Issue>,
        }
        let document = &documents::CREATE_ISSUE;
        let made = match self.client.call::<Data>(document, json!({ "input": new })).await {
            Ok(data) => data.issue_create.made(document)?,
            Err(Failure::Duplicate) => None,
            Err(failure) => return Err(failure.into()),
        };
        match made {
            Some(issue) => Ok(issue),
            None => self.get_issue(&new.id).await,
        }
    }

    /// Changes an issue.
    ///
    /// # Errors
    /// See [`ReplyError`].
    pub async fn update_issue(&self, id: &str, changes: &IssueChanges) -> Result<Option<Issue>, ReplyError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Data {
            issue_update: Done<Issue>,
        }
        let document = &documents::UPDATE_ISSUE;
        let data: Data = self.client.call(document, json!({ "id": id, "input": changes })).await?;
        Ok(data.issue_update.made(document)?)
    }

    /// The states of a team's workflow, in its order.
    ///
    /// # Errors
    /// See [`ReplyError`].
    pub async fn list_states(&self, team: &str) -> Result<Vec<State>, ReplyError> {
        #[derive(Deserialize)]
        struct Data {
            team: TeamStates,
        }
        #[derive(Deserialize)]
        struct TeamStates {
            #[serde(default)]
            states: Nodes<State>,
        }
        let data: Data = self.client.call(&documents::STATES, json!({ "id": team })).await?;
        let mut states = data.team.states.nodes;
        states.sort_by(|one, other| one.position.total_cmp(&other.position));
        Ok(states)
    }

    /// The labels that a team's issues can have: its own and the workspace's.
    ///
    /// # Errors
    /// See [`ReplyError`].
    pub async fn list_labels(&self, team: &str) -> Result<Vec<Named>, ReplyError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Data {
            issue_labels: Nodes<Named>,
        }
        let filter = json!({ "or": [{ "team": { "id": { "eq": team } } }, { "team": { "null": true } }] });
        let variables = json!({ "filter": filter, "first": MOST_PER_PAGE });
        Ok(self.client.call::<Data>(&documents::LABELS, variables).await?.issue_labels.nodes)
    }

    /// The projects of a team.
    ///
    /// # Errors
    /// See [`ReplyError`].
    pub async fn list_projects(&self, team: &str) -> Result<Vec<Named>, ReplyError> {
        #[derive(Deserialize)]
        struct Data {
            team: TeamProjects,
        }
        #[derive(Deserialize)]
        struct TeamProjects {
            #[serde(default)]
            projects: Nodes<Named>,
        }
        Ok(self.client.call::<Data>(&documents::PROJECTS, json!({ "id": team })).await?.team.projects.nodes)
    }

    /// The last `first` comments of an issue, the oldest of them first.
    ///
    /// # Errors
    /// See [`ReplyError`].
    pub async fn list_comments(&self, issue: &str, first: u32) -> Result<Vec<Comment>, ReplyError> {
        #[derive(Deserialize)]
        struct Data {
            issue: Issue,
        }
        let variables = json!({ "id": issue, "first": first });
        let mut comments = self.client.call::<Data>(&documents::COMMENTS, variables).await?.issue.comments.nodes;
        comments.sort_by_key(|comment| comment.created_at_ms);
        Ok(comments)
    }

    /// Writes a comment below an issue. One that was written under the same id before is answered as it is.
    ///
    /// # Errors
    /// See [`ReplyError`].
    pub async fn create_comment(
        &self,
        id: &str,
        issue: &str,
        parent: Option<&str>,
        body: &str,
    ) -> Result<Option<Comment>, ReplyError> {
        match self.new_comment(id, issue, parent, body).await {
            Ok(comment) => Ok(comment),
            Err(Failure::Duplicate) => self.find_comment(id).await,
            Err(failure) => Err(failure.into()),
        }
    }

    /// Links an address to an issue.
    ///
    /// # Errors
    /// See [`ReplyError`].
    pub async fn link_url(&self, issue: &str, url: &str, title: Option<&str>) -> Result<(), ReplyError> {
        #[derive(Deserialize)]
        struct Data {
            #[serde(rename = "attachmentLinkURL")]
            linked: Done<Value>,
        }
        let document = &documents::LINK_URL;
        let variables = json!({ "issueId": issue, "url": url, "title": title });
        let data: Data = self.client.call(document, variables).await?;
        Ok(data.linked.made(document).map(|_| ())?)
    }
}
