//! Programs as models write them, as they get them wrong, and as an attacker would: each run through, and each put to
//! sleep and woken at every host call.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what is not as it must be fails the test"
)]

mod arbitrary;
mod corpus;
mod door;
mod limits;
mod others_go_on;
mod programs;
mod properties;
mod snapshots;
mod typescript;
