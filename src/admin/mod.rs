//! What the operator sees and does beside every platform: the approvals that wait, and an answer to one.
//!
//! Reading goes past the gateway, into its journal. Acting goes through it and is no second way: the operator's answer is an
//! event of the terminal for the instance that asks, admitted, decided about and recorded as a platform's are. Who the
//! operator is a token in the storage folder says: whoever can read that folder runs the gateway.

mod asked;
mod decide;
mod ledger;
#[cfg(test)]
mod tests;
mod token;

use std::sync::Arc;

pub use asked::Asked;
pub use decide::{Answer, Desk, NotSettled, Settled};
pub use ledger::Ledger;
pub use token::{ApiToken, TOKEN_FILE, TokenError};

/// What a gateway's API for the operator rests on.
#[derive(Debug, Clone)]
pub struct Admin {
    /// Shows that a request is the operator's.
    pub token: Arc<ApiToken>,
    /// The approvals of the gateway's journal.
    pub ledger: Arc<Ledger>,
}
