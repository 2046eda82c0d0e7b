//! The connections that tools act through, by platform. Credentials stay inside.

use super::{DiscordConnections, GitHubConnections, LinearConnections, SlackConnections};

/// The connections of the gateway that have tools.
#[derive(Debug, Clone, Default)]
pub struct Platforms {
    /// GitHub's.
    pub github: GitHubConnections,
    /// Linear's.
    pub linear: LinearConnections,
    /// Slack's.
    pub slack: SlackConnections,
    /// Discord's.
    pub discord: DiscordConnections,
}
