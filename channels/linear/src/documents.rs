//! The GraphQL documents that are sent. `tests/channel/documents_fit_the_schema.rs` validates each against Linear's public
//! schema; what they return is read in `model`, field by field.

/// A document, and what is known of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Document {
    /// The name of its operation.
    pub name: &'static str,
    /// Its text.
    pub text: &'static str,
    /// Doing it twice is the same as doing it once.
    pub is_repeatable: bool,
}

macro_rules! documents {
    ($($(#[$doc:meta])* $constant:ident $name:ident $repeatable:literal $text:literal)*) => {
        $(
            $(#[$doc])*
            pub(crate) const $constant: Document =
                Document { name: stringify!($name), text: $text, is_repeatable: $repeatable };
        )*

        /// All of them.
        pub const DOCUMENTS: &[Document] = &[$($constant),*];
    };
}

documents! {
    /// Who we are.
    VIEWER Viewer true
    "query Viewer {
      viewer {
        id name displayName url app isAssignable isMentionable supportsAgentSessions
        organization { id name urlKey }
      }
    }"

    /// What somebody may do.
    USER User true
    "query User($id: String!) {
      user(id: $id) { id name displayName active admin owner guest app }
    }"

    /// Says something in an agent session. It carries an id of our choosing, or is a passing thought.
    CREATE_ACTIVITY AgentActivityCreate false
    "mutation AgentActivityCreate($input: AgentActivityCreateInput!) {
      agentActivityCreate(input: $input) { success agentActivity { id } }
    }"

    /// Whether an activity is there.
    ACTIVITY AgentActivity true
    "query AgentActivity($id: String!) { agentActivity(id: $id) { id } }"

    /// Sets a session's plan or addresses.
    UPDATE_SESSION AgentSessionUpdate true
    "mutation AgentSessionUpdate($id: String!, $input: AgentSessionUpdateInput!) {
      agentSessionUpdate(id: $id, input: $input) { success }
    }"

    /// What was said in a session.
    SESSION_HISTORY AgentSessionHistory true
    "query AgentSessionHistory($id: String!, $first: Int!) {
      agentSession(id: $id) {
        issue { id identifier title description createdAt creator { id name displayName } }
        activities(first: $first) {
          nodes {
            id createdAt
            user { id name displayName }
            content {
              __typename
              ... on AgentActivityPromptContent { body }
              ... on AgentActivityResponseContent { body }
              ... on AgentActivityElicitationContent { body }
              ... on AgentActivityErrorContent { body }
            }
          }
        }
      }
    }"

    /// Writes a comment under an id of our choosing.
    CREATE_COMMENT CommentCreate false
    "mutation CommentCreate($input: CommentCreateInput!) {
      commentCreate(input: $input) { success comment { id url } }
    }"

    /// Replaces a comment's text.
    UPDATE_COMMENT CommentUpdate true
    "mutation CommentUpdate($id: String!, $input: CommentUpdateInput!) {
      commentUpdate(id: $id, input: $input) { success comment { id url } }
    }"

    /// Whether a comment is there.
    COMMENT Comment true
    "query Comment($id: String!) { comment(id: $id) { id url } }"

    /// What was said in a thread of comments.
    THREAD_HISTORY CommentHistory true
    "query CommentHistory($id: String!, $first: Int!) {
      comment(id: $id) {
        id body createdAt
        user { id name displayName }
        issue { id identifier title description createdAt creator { id name displayName } }
        children(first: $first) {
          nodes { id body createdAt user { id name displayName } }
        }
      }
    }"

    /// An issue and what was said below it.
    ISSUE_HISTORY IssueHistory true
    "query IssueHistory($id: String!, $first: Int!) {
      issue(id: $id) {
        id identifier title description createdAt
        creator { id name displayName }
        comments(first: $first) {
          nodes { id body createdAt user { id name displayName } }
        }
      }
    }"

    /// Puts a reaction on something.
    CREATE_REACTION ReactionCreate true
    "mutation ReactionCreate($input: ReactionCreateInput!) {
      reactionCreate(input: $input) { success reaction { id } }
    }"

    /// One issue, whole.
    ISSUE Issue true
    "query Issue($id: String!) {
      issue(id: $id) {
        id identifier title description url branchName priority priorityLabel createdAt updatedAt
        state { id name type }
        team { id key name }
        creator { id name displayName }
        assignee { id name displayName }
        delegate { id name displayName }
        project { id name }
        parent { id identifier title }
        labels(first: 50) { nodes { id name } }
        attachments(first: 25) { nodes { title url } }
      }
    }"

    /// Issues of a team, those changed last first.
    ISSUES Issues true
    "query Issues($filter: IssueFilter, $first: Int!, $after: String) {
      issues(filter: $filter, first: $first, after: $after, orderBy: updatedAt) {
        nodes {
          id identifier title url priority priorityLabel updatedAt
          state { id name type }
          assignee { id name displayName }
          labels(first: 10) { nodes { id name } }
        }
        pageInfo { hasNextPage endCursor }
      }
    }"

    /// Issues by words.
    SEARCH_ISSUES SearchIssues true
    "query SearchIssues($term: String!, $first: Int!, $filter: IssueFilter) {
      searchIssues(term: $term, first: $first, filter: $filter) {
        nodes {
          id identifier title url priority priorityLabel updatedAt
          state { id name type }
          assignee { id name displayName }
          labels(first: 10) { nodes { id name } }
        }
      }
    }"

    /// Opens an issue under an id of our choosing.
    CREATE_ISSUE IssueCreate false
    "mutation IssueCreate($input: IssueCreateInput!) {
      issueCreate(input: $input) { success issue { id identifier url } }
    }"

    /// Changes an issue.
    UPDATE_ISSUE IssueUpdate true
    "mutation IssueUpdate($id: String!, $input: IssueUpdateInput!) {
      issueUpdate(id: $id, input: $input) {
        success
        issue { id identifier title url state { id name type } }
      }
    }"

    /// The states of a team's workflow.
    STATES TeamStates true
    "query TeamStates($id: String!) {
      team(id: $id) { states(first: 100) { nodes { id name type position } } }
    }"

    /// The labels of a team and of the workspace.
    LABELS IssueLabels true
    "query IssueLabels($filter: IssueLabelFilter, $first: Int!) {
      issueLabels(filter: $filter, first: $first) { nodes { id name description } }
    }"

    /// The projects of a team.
    PROJECTS TeamProjects true
    "query TeamProjects($id: String!) {
      team(id: $id) { projects(first: 50) { nodes { id name description url } } }
    }"

    /// The comments of an issue, the newest first.
    COMMENTS IssueComments true
    "query IssueComments($id: String!, $first: Int!) {
      issue(id: $id) {
        comments(first: $first) {
          nodes { id body url createdAt parent { id } user { id name displayName } }
        }
      }
    }"

    /// Links an address to an issue; the same address is linked once.
    LINK_URL AttachmentLinkUrl true
    "mutation AttachmentLinkUrl($issueId: String!, $url: String!, $title: String) {
      attachmentLinkURL(issueId: $issueId, url: $url, title: $title) { success attachment { id } }
    }"
}
