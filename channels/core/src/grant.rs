//! A token that runs out, and how there is always a good one.
//!
//! The platforms replace the refresh token at each use, so an answer that is lost may be the only copy of the next one. A
//! refresh therefore begins long before the end of the token it replaces, which stays in use meanwhile; it runs in a task of
//! its own, which ends when it ends and not when the call ends that needed it; there is one at a time; and what it brought is
//! kept before it is used.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use crate::{Installations, NotKept, ReplyError, Secret};

/// How long before its end a token is replaced, milliseconds; but not before half of its life.
const EARLY_MS: i64 = 2 * 3600 * 1000;

/// How long after a refresh that failed the next one is begun, while the token still holds.
const AGAIN: Duration = Duration::from_secs(60);

/// What callers are told to wait where the token does not hold any more, milliseconds.
const AGAIN_MS: u64 = 5_000;

/// What an installation gave us.
#[derive(Debug, Clone)]
pub struct Tokens {
    /// Goes with each call.
    pub access: Secret,
    /// Brings the next ones.
    pub refresh: Option<Secret>,
    /// When `access` was given, milliseconds since the Unix epoch.
    pub given_at_ms: i64,
    /// When it ends; `None`: it does not.
    pub ends_at_ms: Option<i64>,
}

impl Tokens {
    fn is_good(&self, now_ms: i64) -> bool {
        self.ends_at_ms.is_none_or(|end| now_ms < end)
    }

    fn is_due(&self, now_ms: i64) -> bool {
        let Some(end) = self.ends_at_ms.filter(|_| self.refresh.is_some()) else {
            return false;
        };
        let life = end.saturating_sub(self.given_at_ms).max(0);
        now_ms >= end.saturating_sub(EARLY_MS.min(life / 2))
    }
}

/// Exchanges a refresh token.
#[async_trait]
pub trait Refresh: Send + Sync {
    /// Asks the platform, once.
    ///
    /// # Errors
    /// See [`ReplyError`]; `Credentials` where the app has to be installed again.
    async fn refresh(&self, token: &Secret) -> Result<Tokens, ReplyError>;
}

/// One installation's tokens.
pub struct Grant {
    installation: String,
    about: Map<String, Value>,
    store: Arc<dyn Installations>,
    state: Mutex<State>,
}

type Running = Shared<BoxFuture<'static, Result<Secret, ReplyError>>>;

struct State {
    tokens: Tokens,
    /// What a refresh brought and storage did not take yet.
    unkept: Option<Tokens>,
    running: Option<Running>,
    again_at: Instant,
    has_ended: bool,
    /// Another installation of the same tenant takes its place: what waits finds that one.
    is_superseded: bool,
}

impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grant").field("installation", &self.installation).finish_non_exhaustive()
    }
}

impl Grant {
    /// A grant of these tokens. `about` is what the adapter wants to know of the installation, and no secret.
    #[must_use]
    pub fn new(
        installation: impl Into<String>,
        tokens: Tokens,
        about: Map<String, Value>,
        store: Arc<dyn Installations>,
    ) -> Arc<Self> {
        let state = State {
            tokens,
            unkept: None,
            running: None,
            again_at: Instant::now(),
            has_ended: false,
            is_superseded: false,
        };
        Arc::new(Self { installation: installation.into(), about, store, state: Mutex::new(state) })
    }

    /// What was kept. `None`: it cannot be read.
    #[must_use]
    pub fn restored(installation: &str, data: &Secret, store: Arc<dyn Installations>) -> Option<Arc<Self>> {
        let kept: Map<String, Value> = serde_json::from_str(data.expose()).ok()?;
        let secret = |name: &str| kept.get(name).and_then(Value::as_str).map(Secret::new);
        let tokens = Tokens {
            access: secret("access")?,
            refresh: secret("refresh"),
            given_at_ms: kept.get("given_at_ms").and_then(Value::as_i64).unwrap_or_default(),
            ends_at_ms: kept.get("ends_at_ms").and_then(Value::as_i64),
        };
        let about = kept.get("about").and_then(Value::as_object).cloned().unwrap_or_default();
        Some(Self::new(installation, tokens, about, store))
    }

    /// Makes it durable as it is now.
    ///
    /// # Errors
    /// [`NotKept`].
    pub async fn keep(&self) -> Result<(), NotKept> {
        let tokens = self.lock().tokens.clone();
        self.keep_with(&tokens).await
    }

    /// The tenant.
    #[must_use]
    pub fn installation(&self) -> &str {
        &self.installation
    }

    /// A fact about the installation.
    #[must_use]
    pub fn about(&self, name: &str) -> Option<&str> {
        self.about.get(name).and_then(Value::as_str)
    }

    /// The token for the next call. Waits for a refresh only where there is none that holds.
    ///
    /// # Errors
    /// `Gone` when the installation ended, else what the refresh came to.
    pub async fn token(self: &Arc<Self>, with: &Arc<dyn Refresh>, now_ms: i64) -> Result<Secret, ReplyError> {
        let running = {
            let mut state = self.lock();
            if state.has_ended {
                return Err(self.ended(&state));
            }
            let is_good = state.tokens.is_good(now_ms);
            if is_good && (!state.tokens.is_due(now_ms) || Instant::now() < state.again_at) {
                return Ok(state.tokens.access.clone());
            }
            let running = self.run(&mut state, with);
            if is_good {
                return Ok(state.tokens.access.clone());
            }
            running
        };
        running.await
    }

    /// The platform says that `refused` ran out. Another one, where one can be had.
    ///
    /// # Errors
    /// As [`Grant::token`].
    pub async fn instead_of(
        self: &Arc<Self>,
        refused: &Secret,
        with: &Arc<dyn Refresh>,
    ) -> Result<Option<Secret>, ReplyError> {
        let running = {
            let mut state = self.lock();
            if state.has_ended {
                return Err(self.ended(&state));
            }
            if state.tokens.access.expose() != refused.expose() {
                return Ok(Some(state.tokens.access.clone()));
            }
            if state.tokens.refresh.is_none() {
                return Ok(None);
            }
            self.run(&mut state, with)
        };
        running.await.map(Some)
    }

    /// No token is given out any more, and when this returns none is being exchanged or kept.
    pub async fn end(&self) {
        self.lock().has_ended = true;
        self.rest().await;
    }

    /// As [`Grant::end`], since another installation of the tenant is about to take its place: whoever asks for a token is to come
    /// again.
    pub async fn make_room(&self) {
        {
            let mut state = self.lock();
            (state.has_ended, state.is_superseded) = (true, true);
        }
        self.rest().await;
    }

    /// Takes [`Grant::make_room`] back.
    pub fn resume(&self) {
        let mut state = self.lock();
        (state.has_ended, state.is_superseded) = (false, false);
    }

    /// Waits for a refresh that is under way.
    pub async fn rest(&self) {
        let running = self.lock().running.clone();
        if let Some(running) = running {
            // What it came to is known to the grant.
            let _ = running.await;
        }
    }

    fn run(self: &Arc<Self>, state: &mut State, with: &Arc<dyn Refresh>) -> Running {
        if let Some(running) = &state.running {
            return running.clone();
        }
        let (grant, with) = (Arc::clone(self), Arc::clone(with));
        let task = tokio::spawn(async move {
            let outcome = grant.refresh(with.as_ref()).await;
            let mut state = grant.lock();
            state.running = None;
            if let Err(error) = &outcome {
                state.again_at = Instant::now() + AGAIN;
                tracing::warn!(installation = grant.installation, %error, "its token was not replaced; it is tried again");
            }
            outcome
        });
        let ended = || ReplyError::Retry { after_ms: AGAIN_MS, reason: "the refresh of a token was ended".into() };
        let running = async move { task.await.unwrap_or_else(|_| Err(ended())) }.boxed().shared();
        state.running = Some(running.clone());
        running
    }

    async fn refresh(&self, with: &dyn Refresh) -> Result<Secret, ReplyError> {
        let (unkept, token) = {
            let state = self.lock();
            (state.unkept.clone(), state.tokens.refresh.clone())
        };
        let fresh = match (unkept, token) {
            (Some(fresh), _) => fresh,
            (None, Some(token)) => {
                let mut fresh = with.refresh(&token).await?;
                // Without a new one the old one stays good (RFC 6749, section 6).
                fresh.refresh = fresh.refresh.or(Some(token));
                fresh
            }
            (None, None) => {
                return Err(ReplyError::Credentials("the token ran out and cannot be replaced; install again".into()));
            }
        };
        {
            let mut state = self.lock();
            if state.has_ended {
                // The old refresh token is used up: should this one go on after all, it goes on with the new one.
                state.unkept = Some(fresh);
                return Err(self.ended(&state));
            }
        }
        if let Err(error) = self.keep_with(&fresh).await {
            self.lock().unkept = Some(fresh);
            return Err(ReplyError::Retry { after_ms: AGAIN_MS, reason: error.to_string() });
        }
        tracing::info!(installation = self.installation, "its token was replaced");
        let mut state = self.lock();
        state.unkept = None;
        state.tokens = fresh;
        Ok(state.tokens.access.clone())
    }

    async fn keep_with(&self, tokens: &Tokens) -> Result<(), NotKept> {
        let data = json!({
            "access": tokens.access.expose(),
            "refresh": tokens.refresh.as_ref().map(Secret::expose),
            "given_at_ms": tokens.given_at_ms,
            "ends_at_ms": tokens.ends_at_ms,
            "about": self.about,
        });
        self.store.keep(&self.installation, &Secret::new(data.to_string())).await
    }

    fn ended(&self, state: &State) -> ReplyError {
        if state.is_superseded {
            let reason = format!("another installation in {} takes the place of this one", self.installation);
            return ReplyError::Retry { after_ms: AGAIN_MS, reason };
        }
        ReplyError::Gone(format!("the app is not installed in {} any more", self.installation))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    /// Keeps what it is told to, unless it is full.
    #[derive(Debug, Default)]
    struct Shelf {
        kept: Mutex<Vec<String>>,
        full: AtomicU32,
    }

    #[async_trait]
    impl Installations for Shelf {
        async fn all(&self) -> Result<Vec<(String, Secret)>, NotKept> {
            Ok(Vec::new())
        }
        async fn keep(&self, _: &str, data: &Secret) -> Result<(), NotKept> {
            if self.full.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok() {
                return Err(NotKept("full".into()));
            }
            self.kept.lock().unwrap().push(data.expose().to_owned());
            Ok(())
        }
        async fn forget(&self, _: &str) -> Result<(), NotKept> {
            Ok(())
        }
    }

    /// Gives `new-1`, `new-2`, ..., after a while.
    #[derive(Default)]
    struct Platform {
        asked: Mutex<Vec<String>>,
        lose: AtomicU32,
    }

    #[async_trait]
    impl Refresh for Platform {
        async fn refresh(&self, token: &Secret) -> Result<Tokens, ReplyError> {
            let number = {
                let mut asked = self.asked.lock().unwrap();
                asked.push(token.expose().to_owned());
                asked.len()
            };
            tokio::time::sleep(Duration::from_secs(1)).await;
            if self.lose.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok() {
                return Err(ReplyError::Retry { after_ms: 1, reason: "no answer".into() });
            }
            Ok(tokens(&format!("new-{number}"), 100_000_000))
        }
    }

    fn tokens(access: &str, ends_at_ms: i64) -> Tokens {
        Tokens {
            access: Secret::new(access),
            refresh: Some(Secret::new(format!("refresh-of-{access}"))),
            given_at_ms: ends_at_ms - 43_200_000,
            ends_at_ms: Some(ends_at_ms),
        }
    }

    fn grant() -> (Arc<Grant>, Arc<Shelf>, Arc<Platform>, Arc<dyn Refresh>) {
        let (shelf, platform) = (Arc::new(Shelf::default()), Arc::new(Platform::default()));
        let grant = Grant::new("T1", tokens("old", 43_200_000), Map::new(), shelf.clone());
        let with: Arc<dyn Refresh> = platform.clone();
        (grant, shelf, platform, with)
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_that_holds_is_used_while_the_next_one_is_fetched_once() {
        let (grant, shelf, platform, with) = grant();
        assert_eq!(grant.token(&with, 1).await.unwrap().expose(), "old");
        assert_eq!(platform.asked.lock().unwrap().len(), 0);
        for _ in 0..5 {
            assert_eq!(grant.token(&with, 40_000_000).await.unwrap().expose(), "old");
        }
        grant.rest().await;
        assert_eq!(grant.token(&with, 40_000_000).await.unwrap().expose(), "new-1");
        assert_eq!(*platform.asked.lock().unwrap(), ["refresh-of-old"]);
        assert!(shelf.kept.lock().unwrap().last().unwrap().contains("refresh-of-new-1"));
    }

    #[tokio::test(start_paused = true)]
    async fn all_who_need_it_wait_for_the_same_refresh_and_one_who_leaves_does_not_end_it() {
        let (grant, shelf, platform, with) = grant();
        let leaves = tokio::time::timeout(Duration::from_millis(10), grant.token(&with, 50_000_000)).await;
        assert!(leaves.is_err());
        let (one, other) = tokio::join!(grant.token(&with, 50_000_000), grant.token(&with, 50_000_000));
        assert_eq!((one.unwrap().expose(), other.unwrap().expose()), ("new-1", "new-1"));
        assert_eq!(platform.asked.lock().unwrap().len(), 1);
        assert_eq!(shelf.kept.lock().unwrap().len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_lost_answer_costs_nothing_while_the_old_token_holds_and_the_old_refresh_token_is_tried_again() {
        let (grant, _, platform, with) = grant();
        platform.lose.store(1, Ordering::SeqCst);
        assert_eq!(grant.token(&with, 40_000_000).await.unwrap().expose(), "old");
        grant.rest().await;
        assert_eq!(grant.token(&with, 40_000_000).await.unwrap().expose(), "old");
        assert_eq!(platform.asked.lock().unwrap().len(), 1, "not at once");
        tokio::time::advance(AGAIN).await;
        assert_eq!(grant.token(&with, 40_000_000).await.unwrap().expose(), "old");
        grant.rest().await;
        assert_eq!(grant.token(&with, 40_000_000).await.unwrap().expose(), "new-2");
        assert_eq!(*platform.asked.lock().unwrap(), ["refresh-of-old", "refresh-of-old"]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_storage_did_not_take_is_not_used_and_not_lost() {
        let (grant, shelf, platform, with) = grant();
        shelf.full.store(1, Ordering::SeqCst);
        let refused = grant.token(&with, 50_000_000).await;
        assert!(matches!(refused, Err(ReplyError::Retry { .. })), "{refused:?}");
        assert_eq!(grant.token(&with, 50_000_000).await.unwrap().expose(), "new-1");
        assert_eq!(platform.asked.lock().unwrap().len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_token_is_replaced_once_for_all() {
        let (grant, _, platform, with) = grant();
        let old = Secret::new("old");
        assert_eq!(grant.instead_of(&old, &with).await.unwrap().unwrap().expose(), "new-1");
        assert_eq!(grant.instead_of(&old, &with).await.unwrap().unwrap().expose(), "new-1");
        assert_eq!(platform.asked.lock().unwrap().len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn after_its_end_no_token_is_given_or_kept() {
        let (grant, shelf, _, with) = grant();
        let waiting = tokio::time::timeout(Duration::from_millis(10), grant.token(&with, 50_000_000)).await;
        assert!(waiting.is_err());
        grant.end().await;
        assert!(matches!(grant.token(&with, 1).await, Err(ReplyError::Gone(_))));
        assert_eq!(shelf.kept.lock().unwrap().len(), 0);
    }

    #[tokio::test]
    async fn what_is_kept_reads_back_and_nothing_prints_it() {
        let shelf = Arc::new(Shelf::default());
        let about = Map::from_iter([("name".to_owned(), json!("Demo"))]);
        let grant = Grant::new("T1", tokens("xoxb-1", 5), about, shelf.clone());
        grant.keep().await.unwrap();
        let data = Secret::new(shelf.kept.lock().unwrap().remove(0));
        let back = Grant::restored("T1", &data, shelf).unwrap();
        assert_eq!((back.installation(), back.about("name")), ("T1", Some("Demo")));
        assert_eq!(back.lock().tokens.access.expose(), "xoxb-1");
        assert_eq!(back.lock().tokens.ends_at_ms, Some(5));
        assert!(!format!("{back:?} {:?}", back.lock().tokens).contains("xoxb-1"));
    }
}
