//! `reveille tail`: records as they are committed, of all instances or of one.

use std::collections::HashMap;
use std::time::Duration;

use reveille_channel::InstanceId;
use serde::Serialize;

use super::context::Context;
use super::failure::Failure;
use super::journal::{self, Opened, wall_time};
use super::records;
use crate::journal::embedded::reader::{Followed, Reader};

/// How often it is looked for new records. The gateway is another process: there is nothing to wait on.
const PAUSE: Duration = Duration::from_millis(200);

/// How many records are taken at once.
const BATCH: u32 = 500;

/// The most addresses that are remembered.
const MOST_ADDRESSES: usize = 10_000;

/// Arguments of `tail`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only this instance: its address, its id, or the beginning of its id
    instance: Option<String>,

    /// Begin with so many of the newest records
    #[arg(long, short = 'n', value_name = "N", default_value_t = 10)]
    lines: u32,

    /// Stop when the newest record is printed, instead of following
    #[arg(long)]
    no_follow: bool,

    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
}

/// A record in `--json`. The names stay.
#[derive(Debug, Serialize)]
struct Shown<'a> {
    address: &'a str,
    #[serde(flatten)]
    followed: &'a Followed,
}

pub(super) async fn run(context: &mut Context, args: &Args) -> Result<(), Failure> {
    let reader = match journal::open(context).await? {
        Opened::Journal(reader) => reader,
        Opened::Nothing(folder) => return Err(journal::no_journal(&folder)),
    };
    let only = match &args.instance {
        Some(name) => Some(journal::pick(&reader, name).await?.id),
        None => None,
    };
    let stop = tokio::signal::ctrl_c();
    tokio::select! {
        // Dropping the loop between two records loses nothing: it only prints.
        outcome = follow(context, args, &reader, only) => outcome,
        _ = stop => Ok(()),
    }
}

async fn follow(context: &mut Context, args: &Args, reader: &Reader, only: Option<InstanceId>) -> Result<(), Failure> {
    let mut addresses: HashMap<InstanceId, String> = HashMap::new();
    let mut after = reader.newest().await?.saturating_sub(i64::from(args.lines)).max(0);
    loop {
        let batch = reader.tail(after, BATCH).await?;
        for followed in &batch {
            after = followed.seq;
            if only.is_some_and(|only| only != followed.instance) {
                continue;
            }
            if addresses.len() >= MOST_ADDRESSES {
                addresses.clear();
            }
            let address = match addresses.get(&followed.instance) {
                Some(address) => address.clone(),
                None => {
                    let address = reader.address(followed.instance).await?;
                    addresses.insert(followed.instance, address.clone());
                    address
                }
            };
            print(context, args, followed, &address)?;
        }
        context.output.flush()?;
        if batch.is_empty() {
            if args.no_follow {
                return Ok(());
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

fn print(context: &mut Context, args: &Args, followed: &Followed, address: &str) -> Result<(), Failure> {
    if args.json {
        context.output.json_line(&Shown { address, followed })?;
        return Ok(());
    }
    let record = &followed.record;
    let kind = record.body.kind();
    let says = records::line(&record.body);
    context.output.line(format!("{} {address} #{} {kind} {says}", wall_time(record.at_ms), record.offset))?;
    Ok(())
}
