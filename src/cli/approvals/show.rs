//! `reveille approvals show`: everything that a yes binds.

use serde::Serialize;
use serde_json::Value;

use super::{list, pick};
use crate::admin::{Asked, Ledger};
use crate::approval::{hash_of, page_of};
use crate::cli::context::Context;
use crate::cli::failure::{Code, Failure};
use crate::cli::journal::{self, Opened, wall_time};
use crate::cli::listing::{Cell, Listing, Tone};
use crate::clock::{Clock, SystemClock};

/// Which one.
#[derive(Debug, clap::Args)]
pub(super) struct ShowArgs {
    /// Its id, the beginning of its id, or the reference that stands in the thread
    id: String,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// An approval in `approvals show --json`. The names stay.
#[derive(Debug, Serialize)]
struct Whole<'a> {
    #[serde(flatten)]
    asked: &'a Asked,
    /// SHA-256 of the canonical text, hexadecimal.
    sha256: String,
    /// Everything that the answer binds.
    request: Value,
    /// The same to the byte, as it is hashed.
    canonical: &'a str,
}

pub(super) async fn run(context: &mut Context, args: &ShowArgs) -> Result<(), Failure> {
    let ledger = match journal::open(context).await? {
        Opened::Journal(reader) => Ledger::new(reader),
        Opened::Nothing(folder) => return Err(journal::no_journal(&folder)),
    };
    let asked = pick(&ledger, &args.id, SystemClock.now_ms()).await?;
    let sha256 = hash_of(&asked.request);
    if args.json {
        let request = serde_json::from_str(&asked.request).map_err(|_| unreadable(&asked))?;
        let whole = Whole { asked: &asked, sha256, request, canonical: &asked.request };
        return Ok(context.output.json(&whole)?);
    }
    let mut facts = Listing::new(&[]);
    let mut fact = |name: &str, value: Cell| facts.row([Cell::new(name, Tone::Quiet), value]);
    fact("approval", asked.id.clone().into());
    fact("instance", asked.address.clone().into());
    fact("turn", asked.turn.to_string().into());
    fact("asked", wall_time(asked.asked_at_ms).into());
    fact("expires", wall_time(asked.expires_at_ms).into());
    if asked.four_eyes {
        fact("four eyes", format!("somebody else than {} has to answer", asked.requester).into());
    }
    fact("came to", list::verdict(&asked));
    if let Some(by) = &asked.by {
        fact("by", format!("{} ({})", by.name, by.id).into());
    }
    if let Some(at_ms) = asked.decided_at_ms {
        fact("decided", wall_time(at_ms).into());
    }
    fact("sha256", sha256.into());
    context.output.listing(&facts)?;
    let page = page_of(&asked.request).ok_or_else(|| unreadable(&asked))?;
    context.output.line("\nEverything that the answer binds:\n")?;
    context.output.line(page)?;
    if asked.verdict.is_none() {
        let id = super::short(&asked);
        context
            .output
            .line(format!("\n`reveille approvals approve {id}` says yes to it, `reveille approvals deny {id}` no."))?;
    }
    Ok(())
}

fn unreadable(asked: &Asked) -> Failure {
    let what = format!("the request of {} in {} is no JSON", asked.id, asked.address);
    Failure::new(Code::Corrupt, what, "keep a copy of the data folder, and report this; deny it, if it is open")
}
