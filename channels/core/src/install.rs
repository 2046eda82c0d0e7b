//! Installing an app by OAuth 2.0 (RFC 6749, section 4.1): what the gateway asks of an adapter, and what it keeps for it.
//!
//! The gateway owns the browser's side: `state`, cookie and pages. An adapter knows its platform's addresses and calls, and
//! which token belongs to which tenant. What an installation gave us is kept by [`Installations`], sealed.

use std::sync::Arc;

use async_trait::async_trait;
use url::Url;

use crate::{Event, Secret};

/// Where credentials of one connection's installations are kept: durably, and sealed.
#[async_trait]
pub trait Installations: Send + Sync + std::fmt::Debug {
    /// All of them: the installation's id, and what was kept.
    ///
    /// # Errors
    /// [`NotKept`] when they cannot be read.
    async fn all(&self) -> Result<Vec<(String, Secret)>, NotKept>;

    /// Keeps it in place of what was kept for this installation. It is durable when this returns.
    ///
    /// # Errors
    /// [`NotKept`]: what was kept before still is.
    async fn keep(&self, installation: &str, data: &Secret) -> Result<(), NotKept>;

    /// Keeps nothing for this installation any more.
    ///
    /// # Errors
    /// [`NotKept`]: it still is kept.
    async fn forget(&self, installation: &str) -> Result<(), NotKept>;
}

/// Storage did not do it now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("installations cannot be kept or read now: {0}")]
pub struct NotKept(pub String);

/// What the browser is sent to the platform with.
#[derive(Debug, Clone, Copy)]
pub struct Authorization<'a> {
    /// Where the platform sends it back to; the same as in [`Code::redirect`].
    pub redirect: &'a Url,
    /// Comes back as it is.
    pub state: &'a str,
    /// The challenge of PKCE, `S256` (RFC 7636), where the platform takes one.
    pub challenge: &'a str,
    /// The tenant that is meant, where that is known: the platform is asked to offer no other.
    pub installation: Option<&'a str>,
}

/// What the browser came back with.
#[derive(Debug, Clone, Copy)]
pub struct Code<'a> {
    /// Good for one exchange.
    pub code: &'a Secret,
    /// Where it came back to.
    pub redirect: &'a Url,
    /// What the challenge was made of.
    pub verifier: &'a Secret,
    /// The tenant that was meant; any other is refused.
    pub installation: Option<&'a str>,
}

/// Where the app is installed now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    /// The tenant.
    pub installation: String,
    /// What people call it; for display.
    pub name: String,
    /// What people call us there, without `@`; for display.
    pub handle: String,
}

/// Why an installation was not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InstallError {
    /// The platform does not give a token for the code.
    #[error("the platform refuses: {0}")]
    Refused(String),
    /// The platform gave one for a tenant or by a person that we do not take.
    #[error("it is not wanted: {0}")]
    NotWanted(String),
    /// The platform did not answer, or is too busy.
    #[error("the platform does not answer: {0}")]
    Unreachable(String),
    /// It could not be made durable.
    #[error(transparent)]
    NotKept(#[from] NotKept),
}

/// An adapter's part in being installed.
#[async_trait]
pub trait Installer: Send + Sync {
    /// Takes over what was kept. Called once, before any delivery.
    ///
    /// # Errors
    /// [`NotKept`].
    async fn restore(&self, kept: Arc<dyn Installations>) -> Result<(), NotKept>;

    /// The platform's page on which somebody agrees.
    fn authorize(&self, authorization: &Authorization<'_>) -> Url;

    /// Exchanges the code for credentials and keeps them. When this returns the installation is durable and in use.
    ///
    /// # Errors
    /// [`InstallError`]: nothing changed.
    async fn install(&self, code: &Code<'_>) -> Result<Installed, InstallError>;

    /// An event of kind [`crate::Kind::Lifecycle`] came: where it says that the installation ended, its credentials are
    /// removed, for good when this returns.
    ///
    /// # Errors
    /// [`NotKept`]: the platform has to bring the event again.
    async fn changed(&self, event: &Event) -> Result<(), NotKept>;

    /// Waits until no credential is being exchanged: an answer that nobody waits for could be the only copy of a new one.
    async fn rest(&self);
}
