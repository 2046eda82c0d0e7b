//! `reveille approvals`: those that wait, or all.

use super::{short, tools};
use crate::admin::{Asked, Ledger};
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::journal::{self, Opened, wall_time};
use crate::cli::listing::{Cell, Listing, Tone};
use crate::cli::records;
use crate::clock::{Clock, SystemClock};
use crate::journal::Verdict;

/// What is listed.
#[derive(Debug, clap::Args)]
pub(super) struct ListArgs {
    /// Those that were decided too, the newest first
    #[arg(long)]
    all: bool,

    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: usize,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(context: &mut Context, args: &ListArgs) -> Result<(), Failure> {
    let ledger = match journal::open(context).await? {
        Opened::Journal(reader) => Ledger::new(reader),
        Opened::Nothing(_) if args.json => return Ok(context.output.json(&[(); 0])?),
        Opened::Nothing(folder) => {
            return Ok(context.output.line(format!("No approvals yet: {}", journal::nothing_in(&folder)))?);
        }
    };
    let now_ms = SystemClock.now_ms();
    let mut found = if args.all { ledger.all(now_ms).await? } else { ledger.pending(now_ms).await? };
    let left_out = found.len().saturating_sub(args.limit);
    found.truncate(args.limit);
    if args.json {
        return Ok(context.output.json(&found)?);
    }
    if found.is_empty() {
        let none = if args.all {
            "No approvals yet. An agent asks for one before it makes a call that its file, or the call's nature, makes wait."
        } else {
            "No approval waits for an answer. `reveille approvals --all` shows those that were decided."
        };
        return Ok(context.output.line(none)?);
    }
    let header: &[_] = if args.all {
        &["ID", "ASKED", "CAME TO", "BY", "TOOLS", "ADDRESS"]
    } else {
        &["ID", "ASKED", "EXPIRES", "TOOLS", "ADDRESS"]
    };
    let mut listing = Listing::new(header);
    for asked in &found {
        let mut cells = vec![short(asked).into(), wall_time(asked.asked_at_ms).into()];
        if args.all {
            cells.push(verdict(asked));
            cells.push(asked.by.as_ref().map_or_else(String::new, |actor| actor.name.clone()).into());
        } else {
            cells.push(wall_time(asked.expires_at_ms).into());
        }
        cells.extend([tools(asked).into(), asked.address.clone().into()]);
        listing.row(cells);
    }
    context.output.listing(&listing)?;
    if left_out > 0 {
        context.output.line(format!("\n{left_out} more are left out: `--limit` shows more."))?;
    }
    Ok(())
}

/// What came of it, as a word.
pub(super) fn verdict(asked: &Asked) -> Cell {
    match asked.verdict {
        None => Cell::new("waits", Tone::Doubtful),
        Some(verdict) => {
            let tone = match verdict {
                Verdict::Approved => Tone::Good,
                Verdict::Denied | Verdict::Unasked => Tone::Bad,
                Verdict::Expired | Verdict::Withdrawn => Tone::Quiet,
            };
            Cell::new(records::verdict(verdict), tone)
        }
    }
}
