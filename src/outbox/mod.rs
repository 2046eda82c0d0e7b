//! Owed replies: what should be visible, what is, and the next operation that brings them together.
//!
//! A [`Reply`] is folded from records; [`plan`] compares the two sides and is pure. The owner task records the intent,
//! waits until it is durable, lets the channel perform the operation, and records what is visible then. After a crash
//! nothing is posted before the platform was asked whether it is there already.

mod plan;
mod question;
mod reply;
mod tasks;
#[cfg(test)]
mod tests;

pub use plan::{Action, plan, plan_again_at, status_again_at};
pub use question::{Question, QuestionAction};
pub use reply::{Reply, Segment, UNKNOWN_HASH, text_hash};
pub use tasks::{TasksDue, tasks_due};
