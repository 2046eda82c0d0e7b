//! The names an agent file may hold, and the nearest of them to one that it may not.

/// The tools that come with the gateway. `tool` registers exactly these (a test there holds both together);
/// they stand here because an agent file is checked before any tool exists.
pub const BUILT_IN_TOOLS: &[&str] = &[
    "clock.now",
    "discord.add_reaction",
    "discord.create_thread",
    "discord.get_channel",
    "discord.get_member",
    "discord.list_messages",
    "discord.list_threads",
    "github.add_labels",
    "github.close_issue",
    "github.comment",
    "github.create_check_run",
    "github.create_issue",
    "github.create_review",
    "github.get_file",
    "github.get_issue",
    "github.get_pull",
    "github.list_comments",
    "github.list_directory",
    "github.list_issues",
    "github.list_labels",
    "github.list_pull_files",
    "github.list_pulls",
    "github.list_review_comments",
    "github.list_reviews",
    "github.search_issues",
    "github.update_check_run",
    "github.update_issue",
    "linear.create_comment",
    "linear.create_issue",
    "linear.get_issue",
    "linear.link_url",
    "linear.list_comments",
    "linear.list_issues",
    "linear.list_labels",
    "linear.list_projects",
    "linear.list_states",
    "linear.search_issues",
    "linear.update_issue",
    "linear.update_plan",
    "skill.load",
    "slack.get_channel",
    "slack.get_person",
    "slack.list_bookmarks",
    "slack.list_channels",
    "slack.list_pins",
    "slack.post_message",
    "slack.read_channel",
    "slack.read_thread",
    "thread.history",
    "thread.react",
    "thread.read_file",
    "workspace.append_file",
    "workspace.apply_patch",
    "workspace.copy",
    "workspace.delete",
    "workspace.diff",
    "workspace.edit_file",
    "workspace.glob",
    "workspace.grep",
    "workspace.list_files",
    "workspace.move",
    "workspace.read_file",
    "workspace.rollback",
    "workspace.snapshot",
    "workspace.stat",
    "workspace.write_file",
];

/// First parts of tool names that later versions have.
pub(super) const LATER_TOOLS: &[&str] = &["mcp", "code", "http"];

/// Platforms of this version.
pub(super) const PLATFORMS: &[&str] = &["discord", "github", "linear", "local", "slack"];

/// GitHub's events that an agent can name, those that its adapter lets in: `X-GitHub-Event` and the payload's `action`
/// (docs.github.com, "Webhook events and payloads").
pub(super) const GITHUB_EVENTS: &[&str] = &[
    "check_run.requested_action",
    "check_run.rerequested",
    "discussion.answered",
    "discussion.category_changed",
    "discussion.closed",
    "discussion.created",
    "discussion.deleted",
    "discussion.edited",
    "discussion.labeled",
    "discussion.reopened",
    "discussion.unanswered",
    "discussion.unlabeled",
    "discussion_comment.created",
    "discussion_comment.deleted",
    "discussion_comment.edited",
    "issue_comment.created",
    "issue_comment.deleted",
    "issue_comment.edited",
    "issues.assigned",
    "issues.closed",
    "issues.deleted",
    "issues.edited",
    "issues.labeled",
    "issues.opened",
    "issues.reopened",
    "issues.unassigned",
    "issues.unlabeled",
    "pull_request.assigned",
    "pull_request.closed",
    "pull_request.converted_to_draft",
    "pull_request.edited",
    "pull_request.labeled",
    "pull_request.opened",
    "pull_request.ready_for_review",
    "pull_request.reopened",
    "pull_request.review_request_removed",
    "pull_request.review_requested",
    "pull_request.synchronize",
    "pull_request.unassigned",
    "pull_request.unlabeled",
    "pull_request_review.dismissed",
    "pull_request_review.edited",
    "pull_request_review.submitted",
    "pull_request_review_comment.created",
    "pull_request_review_comment.deleted",
    "pull_request_review_comment.edited",
];

/// Linear's events that an agent can name: the body's `type` and `action`, of those that happen where something can be said
/// (Linear developer documentation, "Webhooks" and "Developing the agent interaction").
pub(super) const LINEAR_EVENTS: &[&str] = &[
    "AgentSessionEvent.created",
    "AgentSessionEvent.prompted",
    "AppUserNotification.issueAssignedToYou",
    "AppUserNotification.issueCommentMention",
    "AppUserNotification.issueMention",
    "AppUserNotification.issueStatusChanged",
    "AppUserNotification.issueUnassignedFromYou",
    "Comment.create",
    "Comment.remove",
    "Comment.update",
    "Issue.create",
    "Issue.remove",
    "Issue.update",
    "Reaction.create",
];

/// Discord's events that an agent can name: those of the gateway ("Gateway Events") and the types of interactions.
pub(super) const DISCORD_EVENTS: &[&str] = &[
    "APPLICATION_COMMAND",
    "GUILD_CREATE",
    "GUILD_DELETE",
    "MESSAGE_COMPONENT",
    "MESSAGE_CREATE",
    "MESSAGE_DELETE",
    "MESSAGE_REACTION_ADD",
    "MESSAGE_UPDATE",
    "MODAL_SUBMIT",
    "THREAD_CREATE",
];

/// Slack's events that an agent can name (docs.slack.dev, "Events").
pub(super) const SLACK_EVENTS: &[&str] =
    &["app_mention", "message", "message_changed", "message_deleted", "reaction_added", "reaction_removed"];

/// Whether `tool` is meant by `pattern`: its name, or `prefix.*`.
#[must_use]
pub fn matches_pattern(pattern: &str, tool: &str) -> bool {
    match pattern.strip_suffix(".*") {
        Some(prefix) => tool.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('.')),
        None => pattern == tool,
    }
}

/// The candidate that `word` most likely was meant to be, if any is near enough to be worth saying.
pub(crate) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let bound = (word.chars().count() / 3).clamp(1, 4);
    candidates
        .into_iter()
        .map(|candidate| (strsim::osa_distance(&word, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= bound)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Whether it can name an agent or a skill: 1 to 64 of `a-z`, `0-9` and `-`.
#[must_use]
pub fn is_name(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// `a`, `b` and `c`, for sentences.
pub(crate) fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
