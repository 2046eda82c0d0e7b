//! One pump of a program, as a child of the owner: begun or woken, given its answers, and kept where it waits for more than reading.

use std::collections::HashSet;

use reveille_channel::InstanceId;
use reveille_codemode::{Answer, Event, Given, Run, Sandbox, SandboxError};

use super::Services;
use super::children::Left;
use crate::codemode::{self, Place};
use crate::journal::{ToolOutcome, Turn};
use crate::turn::Kept;

/// What a program is begun with.
pub(super) struct Begin {
    pub(super) instance: InstanceId,
    pub(super) turn: Turn,
    pub(super) call: String,
    pub(super) source: String,
    pub(super) given: Given,
    pub(super) kept: Option<Kept>,
    /// Host calls that need no snapshot before they are made.
    pub(super) quiet: HashSet<String>,
}

pub(super) async fn begin_in(services: &Services, begin: Begin) -> Left {
    let is_resumed = begin.kept.is_some();
    match try_begin(services, begin).await {
        Ok(left) => left,
        Err(reason) => {
            tracing::warn!(reason, is_resumed, "a program could not begin");
            let message = match is_resumed {
                true => format!(
                    "The program could not go on where it was kept: {reason}. What it had done by then is done; it was not run again."
                ),
                false => format!("The program did not run. {reason}"),
            };
            lost(if is_resumed { ToolOutcome::Unknown { message } } else { ToolOutcome::Error { message } })
        }
    }
}

async fn try_begin(services: &Services, begin: Begin) -> Result<Left, String> {
    let Begin { instance, turn, call, source, given, kept, quiet } = begin;
    let say = |error: SandboxError| error.to_string();
    let codemode = &services.codemode;
    let sandbox = codemode.sandbox().await.map_err(say)?;
    let program = sandbox.read(source).await.map_err(say)?;
    let Some(kept) = kept else {
        let (events, run) = sandbox.start(program, codemode.limits().clone(), given).await.map_err(say)?;
        return Ok(leave(services, sandbox, (instance, turn, &call), events, run, &quiet).await);
    };
    let sealed = services.engine.snapshot(instance, turn, &call).await.map_err(|error| error.to_string())?;
    let sealed = sealed.ok_or("its snapshot is not in the journal")?;
    let from = Place { instance, turn, call: &call, image: &kept.image };
    let snapshot = codemode::open(codemode.keys(), from, &sealed).map_err(|error| error.to_string())?;
    let run = sandbox.restore(program, snapshot).await.map_err(say)?;
    if run.waiting() != kept.waiting {
        return Err("its snapshot is not the one that the journal tells of".to_owned());
    }
    Ok(Left { events: Vec::new(), run: Some(run), snapshot: None, lost: None })
}

#[expect(clippy::too_many_arguments, reason = "where the program is from, what it gets, and what may be made of it")]
pub(super) async fn go_on(
    services: &Services,
    instance: InstanceId,
    turn: Turn,
    call: &str,
    mut run: Run,
    answers: Vec<Answer>,
    now_ms: i64,
    quiet: &HashSet<String>,
) -> Left {
    let failed = |error: SandboxError| lost(ToolOutcome::Unknown { message: error.to_string() });
    let sandbox = match services.codemode.sandbox().await {
        Ok(sandbox) => sandbox,
        Err(error) => return failed(error),
    };
    match run.answer(answers, unsigned(now_ms)).await {
        Ok(events) => leave(services, sandbox, (instance, turn, call), events, run, quiet).await,
        Err(error) => failed(error),
    }
}

/// Where a program stands after a pump: kept, where it waits for more than reading.
async fn leave(
    services: &Services,
    sandbox: &Sandbox,
    (instance, turn, call): (InstanceId, Turn, &str),
    events: Vec<Event>,
    mut run: Run,
    quiet: &HashSet<String>,
) -> Left {
    let is_loud = |event: &Event| matches!(event, Event::Call(request) if !quiet.contains(&request.name));
    if run.is_over() || !events.iter().any(is_loud) {
        return Left { events, run: Some(run), snapshot: None, lost: None };
    }
    let snapshot = match run.snapshot().await {
        Ok(snapshot) => snapshot,
        Err(error) => {
            let message = format!("The program stopped before its next call, which was not made: {error}");
            return lost(ToolOutcome::Error { message });
        }
    };
    let image = sandbox.image().hash();
    let place = Place { instance, turn, call, image: &image };
    match codemode::seal(services.codemode.keys(), place, &snapshot) {
        Some(sealed) => {
            metrics::histogram!("snapshot_bytes").record(f64::from(u32::try_from(sealed.len()).unwrap_or(u32::MAX)));
            Left { events, run: Some(run), snapshot: Some((image, sealed)), lost: None }
        }
        None => {
            let message = "The program stopped before its next call, which was not made: it cannot be sealed.".into();
            lost(ToolOutcome::Error { message })
        }
    }
}

fn lost(outcome: ToolOutcome) -> Left {
    Left { events: Vec::new(), run: None, snapshot: None, lost: Some(outcome) }
}

/// Milliseconds since the Unix epoch, as a program sees them.
pub(super) fn unsigned(ms: i64) -> u64 {
    u64::try_from(ms).unwrap_or(0)
}
