//! Socket Mode ("Using Socket Mode"): deliveries over a WebSocket of our own making, for those without a public address.
//!
//! Slack ends every socket after some hours and says so before: the next one is opened then, and the old one is read until it
//! ends, so that nothing falls between them. What comes over a socket is believed because Slack's API gave us its address. An
//! envelope is acknowledged when what it holds is durable; what is not acknowledged comes again, on another socket if need be.

mod connect;
mod frame;
mod one;

use std::time::Duration;

use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt};
use reveille_channel::{Intake, Listened, ReplyError, Secret};
use tokio::sync::mpsc;

use crate::Slack;
use connect::Socket;
use one::{End, One};

pub(crate) use connect::open_address;

/// How long we stay away where Slack says that there are too many sockets, or that none is wanted. Other connections of the
/// app may be another process of ours that is about to end.
const AWAY: Duration = Duration::from_secs(60);

/// The waits between tries to open a further socket while an old one still runs.
const AGAIN_LEAST: Duration = Duration::from_secs(1);
const AGAIN_MOST: Duration = Duration::from_secs(30);

/// Warnings that wait to be heard: each socket gives a few at most.
const WARNINGS_MAX: usize = 16;

/// What happened to a socket.
enum Happened {
    Opened(Result<Box<Socket>, ReplyError>),
    Ended(End),
}

/// Keeps one socket up, and two while they change over, until none is left.
pub(crate) async fn listen(slack: &Slack, app_token: &Secret, intake: &dyn Intake) -> Result<Listened, ReplyError> {
    let (warn, mut warned) = mpsc::channel::<()>(WARNINGS_MAX);
    let mut work: FuturesUnordered<BoxFuture<'_, Happened>> = FuturesUnordered::new();
    let open_after = |wait: Duration| -> BoxFuture<'_, Happened> {
        Box::pin(async move {
            tokio::time::sleep(wait).await;
            Happened::Opened(connect::open(&slack.api, app_token).await.map(Box::new))
        })
    };
    work.push(open_after(Duration::ZERO));
    let (mut running, mut opening, mut wait) = (0u32, true, AGAIN_LEAST);
    loop {
        let happened = tokio::select! {
            Some(()) = warned.recv() => {
                if !opening {
                    opening = true;
                    work.push(open_after(Duration::ZERO));
                }
                continue;
            }
            happened = work.next() => happened,
        };
        let error = match happened {
            None => return Ok(Listened::Ended),
            Some(Happened::Opened(Ok(socket))) => {
                (opening, wait) = (false, AGAIN_LEAST);
                running += 1;
                let one = One { socket: *socket, slack, intake, warn: warn.clone() };
                work.push(Box::pin(async move { Happened::Ended(one.run().await) }));
                continue;
            }
            Some(Happened::Opened(Err(error))) if running == 0 => error,
            Some(Happened::Opened(Err(error))) => {
                tracing::warn!(%error, "the next socket cannot be opened yet; the old one still runs");
                work.push(open_after(wait));
                wait = (wait * 2).min(AGAIN_MOST);
                continue;
            }
            Some(Happened::Ended(end)) => {
                running = running.saturating_sub(1);
                if running > 0 || opening {
                    if let End::Broken(error) | End::Refused(error) = end {
                        tracing::warn!(%error, "a socket ended; another goes on");
                    }
                    continue;
                }
                match end {
                    End::Expected => return Ok(Listened::Ended),
                    End::Broken(error) => return Err(error),
                    End::Refused(error) => error,
                }
            }
        };
        return Err(stay_away(error).await);
    }
}

/// Waits where trying again at once would only make it worse: Slack counts sockets and calls.
async fn stay_away(error: ReplyError) -> ReplyError {
    let wait = match &error {
        ReplyError::Retry { after_ms, .. } => Duration::from_millis(*after_ms),
        ReplyError::Credentials(_) | ReplyError::Refused(_) => AWAY,
        _ => Duration::ZERO,
    };
    if wait > AGAIN_LEAST {
        tracing::warn!(%error, seconds = wait.as_secs(), "no socket for now");
    }
    tokio::time::sleep(wait).await;
    error
}
