//! The turn: a fold over an instance's records.
//!
//! [`InstanceState::apply`] folds a record in, [`InstanceState::next`] says what is to be done, and neither has any other
//! input: running is `next`, perform, append, `apply`, for ever; resuming is `apply` of all, then the same. Performing is
//! the owner task's work (`actor`); this module touches neither clock nor network nor disk.

mod apply;
mod approval;
mod next;
mod program;
mod prompt;
mod state;
#[cfg(test)]
mod tests;

pub use approval::{Approval, answer_to};
pub use next::{NO_ANSWER, Next, Todo};
pub use program::{Kept, Program, alarm_of, host_call_id};
pub use prompt::{event_text, request};
pub use state::{Call, Ended, Entry, InstanceState, ModelCall, Pending, Running};
