//! A check run as the progress of a turn that works in a pull request: people see it beside the commit, and can let it run again.
//!
//! Best effort, as every sign: an app without `checks: write` shows none, and nothing else changes. A token cannot have any.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reveille_channel::{Progress, ReplyContext, ReplyError};
use tokio::sync::OnceCell;
use tokio::time::Instant;

use crate::GitHub;
use crate::api::{CheckChanges, CheckOutput, Repository};
use crate::normalise::check_run_id;
use crate::place::Place;

/// Turns whose check runs are remembered; the oldest is forgotten, and looked up if it is needed.
const MOST_KEPT: usize = 256;
/// After a refusal for want of a permission, an installation is asked no more for so long.
const REFUSED_FOR: Duration = Duration::from_secs(3_600);

/// The check run of a turn, by the marker of its reply. Of two that come at once one begins it and the other waits.
type Kept = (String, Arc<OnceCell<u64>>);

/// The check runs of the turns of late.
#[derive(Debug, Default)]
pub(crate) struct Runs {
    kept: Mutex<VecDeque<Kept>>,
    refused: Mutex<VecDeque<(String, Instant)>>,
}

impl Runs {
    fn cell(&self, marker: &str) -> Arc<OnceCell<u64>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, cell)) = kept.iter().find(|(known, _)| known == marker) {
            return Arc::clone(cell);
        }
        if kept.len() >= MOST_KEPT {
            kept.pop_front();
        }
        let cell = Arc::new(OnceCell::new());
        kept.push_back((marker.to_owned(), Arc::clone(&cell)));
        cell
    }

    fn is_refused(&self, installation: &str, now: Instant) -> bool {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        refused.retain(|(_, at)| now.saturating_duration_since(*at) < REFUSED_FOR);
        refused.iter().any(|(known, _)| known == installation)
    }

    fn refuse(&self, installation: &str, now: Instant) {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        if refused.len() >= MOST_KEPT {
            refused.pop_front();
        }
        refused.push_back((installation.to_owned(), now));
    }
}

/// Shows how far the turn is. Nothing where there is no pull request, or no app that may.
pub(super) async fn show(github: &GitHub, context: &ReplyContext, progress: Progress) -> Result<(), ReplyError> {
    let (repository, place) = Place::of(&context.thread)?;
    let Place::Pull { number } = place else { return Ok(()) };
    if !github.own.is_app() || github.runs.is_refused(&repository.installation, Instant::now()) {
        return Ok(());
    }
    let shown = shown(github, context, &repository, number, progress).await;
    if let Err(ReplyError::Credentials(_)) = shown {
        github.runs.refuse(&repository.installation, Instant::now());
    }
    shown
}

async fn shown(
    github: &GitHub,
    context: &ReplyContext,
    repository: &Repository,
    number: u64,
    progress: Progress,
) -> Result<(), ReplyError> {
    let cell = github.runs.cell(context.marker.as_str());
    let begin = || async { begun(github, context, repository, number).await };
    let id = *cell.get_or_try_init(begin).await?;
    let conclusion = match progress {
        Progress::Began => return Ok(()),
        // An answer is no verdict on the commit.
        Progress::Done => "neutral",
        Progress::Failed => "failure",
    };
    let changes = CheckChanges { status: None, conclusion: Some(conclusion), output: Some(output(context, progress)) };
    github.api.update_check_run(repository, id, &changes).await?;
    Ok(())
}

/// The turn's check run: one that is there from before a crash, or a new one.
async fn begun(
    github: &GitHub,
    context: &ReplyContext,
    repository: &Repository,
    number: u64,
) -> Result<u64, ReplyError> {
    let pull = github.api.get_pull(repository, number).await?;
    let head = pull.head.ok_or_else(|| ReplyError::Gone("the pull request has no branch any more".to_owned()))?;
    let external_id = check_run_id(number, context.marker.as_str());
    let there = github.api.list_check_runs(repository, &head.sha).await?;
    if let Some(check) = there.iter().find(|check| check.external_id == external_id) {
        return Ok(check.id);
    }
    let output = output(context, Progress::Began);
    let changes = CheckChanges { status: Some("in_progress"), conclusion: None, output: Some(output) };
    let check = github.api.create_check_run(repository, &head.sha, &github.name(), &external_id, &changes).await?;
    Ok(check.id)
}

/// What the check run's page says: our own words, and a login that calls nobody.
fn output(context: &ReplyContext, progress: Progress) -> CheckOutput {
    let who: String =
        context.recipient.name.chars().filter(|c| c.is_ascii_alphanumeric() || "-_[]".contains(*c)).collect();
    let (title, step, end) = match progress {
        Progress::Began => ("Working on it", "🔵", "The answer will stand in the conversation."),
        Progress::Done => ("Done", "✅", "The answer stands in the conversation."),
        Progress::Failed => ("It came to no end", "❌", "The conversation says why. It can be run again."),
    };
    CheckOutput {
        title: title.to_owned(),
        summary: format!("Asked for by `{who}`. {end}"),
        text: format!("* ✅ Read what was asked\n* {step} Work on it and answer"),
    }
}
