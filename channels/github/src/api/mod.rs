//! GitHub's calls, typed. Each has a deadline, none is repeated here, and each reaches one repository.
//!
//! One file per part of the documentation of the REST API; discussions live in the GraphQL API alone.

mod checks;
mod contents;
mod deliveries;
mod discussions;
mod issues;
mod people;
mod pulls;
mod reviews;

use http::Method;
use reveille_channel::{ReplyError, ThreadRef};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::Instant;
use url::Url;

use crate::client::{As, Client};
use crate::normalise::is_path_name;
use crate::pace::{Pace, Pacing};
use crate::settings::{Auth, SettingsError};
use crate::token::{Need, Reach};
use crate::transport::Answer;

pub(crate) use deliveries::{DeliveryObject, Hook};
pub(crate) use discussions::{CommentsOf, DiscussionComment};
pub(crate) use issues::ReactionOn;

pub use checks::{CheckChanges, CheckOutput};
pub use contents::{Content, Entry};
pub use issues::IssueChanges;
pub use people::Permission;
pub use reviews::{NewReview, Remark};

/// The most GitHub gives on a page.
pub const MOST_PER_PAGE: u32 = 100;

/// A repository, and the installation through which it is reached.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Repository {
    /// The installation's id; anything else than a number is looked up.
    pub installation: String,
    /// The repository's immutable id, when it is known.
    pub id: Option<u64>,
    /// Whose it is.
    pub owner: String,
    /// Its name.
    pub name: String,
    /// Whether what is reached there is a pull request: its conversation needs a permission of its own.
    pub is_pull: bool,
    /// Whether nothing there is to be changed: the token is asked for that alone.
    pub is_read_only: bool,
}

impl Repository {
    /// The repository of a thread of this channel, and the number of its issue, pull request or discussion.
    ///
    /// # Errors
    /// [`ReplyError::Refused`] when the thread is not one of GitHub's.
    pub fn of(thread: &ThreadRef) -> Result<(Self, u64), ReplyError> {
        let foreign = || ReplyError::Refused(format!("{} is not a place on GitHub", thread.display));
        let part = |name: &str| thread.location.get(name).cloned().ok_or_else(foreign);
        let number = part("number")?.parse().map_err(|_| foreign())?;
        let id = thread.key.split_once(':').and_then(|(id, _)| id.parse().ok());
        let is_pull = thread.location.get("kind").is_some_and(|kind| kind == "pull" || kind == "review");
        let (owner, name) = (part("owner")?, part("repo")?);
        let repository =
            Self { installation: thread.installation.clone(), id, owner, name, is_pull, is_read_only: false };
        repository.path()?;
        Ok((repository, number))
    }

    /// A repository by its name alone: the installation through which it is reached is looked up.
    #[must_use]
    pub fn named(owner: &str, name: &str) -> Self {
        let (owner, name) = (owner.to_owned(), name.to_owned());
        Self { installation: String::new(), id: None, owner, name, is_pull: false, is_read_only: false }
    }

    /// The path of the repository. Names that could lead elsewhere are refused.
    pub(crate) fn path(&self) -> Result<String, ReplyError> {
        if is_path_name(&self.owner) && is_path_name(&self.name) {
            Ok(format!("/repos/{}/{}", self.owner, self.name))
        } else {
            Err(ReplyError::Refused("the repository's name cannot be one of GitHub's".to_owned()))
        }
    }

    /// What its conversations need.
    pub(crate) fn need(&self) -> Need {
        match (self.is_pull, self.is_read_only) {
            (false, false) => Need::Issues,
            (false, true) => Need::ReadIssues,
            (true, false) => Need::Pulls,
            (true, true) => Need::ReadPulls,
        }
    }

    pub(crate) fn reach(&self, need: Need) -> Reach {
        let repository = self.id.map_or_else(|| format!("{}/{}", self.owner, self.name), |id| id.to_string());
        Reach { installation: self.installation.clone(), repository, need }
    }
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// The path of the following page, when there may be one.
    pub next: Option<String>,
}

/// The API through one connection's credentials.
#[derive(Debug)]
pub struct Api {
    client: Client,
    pace: Pace,
}

impl Api {
    pub(crate) fn new(base: &Url, auth: &Auth) -> Result<Self, SettingsError> {
        Ok(Self { client: Client::new(base, auth)?, pace: Pace::default() })
    }

    /// Forgets the tokens of an installation that was taken away.
    pub(crate) fn forget_installation(&self, installation: &str) {
        self.client.forget_installation(installation);
    }

    /// The page that follows, when there may be one.
    ///
    /// # Errors
    /// See [`ReplyError`].
    pub async fn following<T: DeserializeOwned>(
        &self,
        repository: &Repository,
        page: &Page<T>,
    ) -> Result<Option<Page<T>>, ReplyError> {
        match &page.next {
            None => Ok(None),
            Some(path) => self.page(As::In(repository, repository.need()), path).await.map(Some),
        }
    }

    async fn get(&self, who: As<'_>, path: &str) -> Result<Answer, ReplyError> {
        self.client.request(who, Method::GET, path, None, true).await
    }

    /// A call whose repetition changes nothing more.
    async fn put<T: DeserializeOwned>(
        &self,
        who: As<'_>,
        method: Method,
        path: &str,
        body: &Value,
    ) -> Result<T, ReplyError> {
        read(&self.client.request(who, method, path, Some(body), true).await?)
    }

    /// A call that makes something each time it is made: [`ReplyError::Unknown`] means that it may be there.
    async fn make<T: DeserializeOwned>(
        &self,
        repository: &Repository,
        need: Need,
        path: &str,
        body: &Value,
    ) -> Result<T, ReplyError> {
        self.take_pace(repository, Pacing::Content).await?;
        let answer = self.client.request(As::In(repository, need), Method::POST, path, Some(body), false).await?;
        // It was made: an answer nobody can read leaves its id unknown.
        read(&answer).map_err(|error| ReplyError::Unknown(error.to_string()))
    }

    /// Waits for a place among what is written through this installation.
    async fn take_pace(&self, repository: &Repository, pacing: Pacing) -> Result<(), ReplyError> {
        let wait = self.pace.take(&repository.installation, pacing, Instant::now()).map_err(|wait| {
            let after_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).saturating_add(1);
            ReplyError::Retry { after_ms, reason: "GitHub limits how fast things are written".to_owned() }
        })?;
        tokio::time::sleep(wait).await;
        Ok(())
    }

    async fn page<T: DeserializeOwned>(&self, who: As<'_>, path: &str) -> Result<Page<T>, ReplyError> {
        let answer = self.get(who, path).await?;
        let items: Vec<T> = read(&answer)?;
        let next = self.next_by_link(&answer, path).or_else(|| next_by_number(path, items.len()));
        Ok(Page { items, next })
    }

    /// The path that the header `Link` calls the next one (documentation: "Using pagination in the REST API").
    fn next_by_link(&self, answer: &Answer, path: &str) -> Option<String> {
        let links = answer.headers.get_all("link").iter().filter_map(|value| value.to_str().ok());
        let address = links.flat_map(|links| links.split(',')).find_map(|link| {
            let (address, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
            let is_next = parameters.split(';').any(|it| matches!(it.trim(), "rel=\"next\"" | "rel=next"));
            is_next.then_some(address)
        })?;
        if let Some(next) = self.client.path_below(address) {
            return Some(next.to_owned());
        }
        // Behind a proxy the server names itself by another address: of that the query is taken.
        let place = path.split('?').next()?;
        let url = Url::parse(address).ok().filter(|url| url.path().ends_with(place))?;
        Some(format!("{place}?{}", url.query()?))
    }
}

/// Where there is no `Link`: a full page may be the last one, and asking for one more is better than missing some.
fn next_by_number(path: &str, count: usize) -> Option<String> {
    let (place, query) = path.split_once('?')?;
    let mut pairs: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let number =
        |name: &str| pairs.iter().find(|(key, _)| key == name).and_then(|(_, value)| value.parse::<u32>().ok());
    let (page, per_page) = (number("page")?, number("per_page")?);
    if u32::try_from(count).is_ok_and(|count| count < per_page) {
        return None;
    }
    pairs.iter_mut().filter(|(key, _)| key == "page").for_each(|(_, value)| *value = (page + 1).to_string());
    Some(format!("{place}?{}", url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()))
}

/// Words as the further segments of a path, encoded; `None` for what cannot be one.
fn segments<'w>(words: impl IntoIterator<Item = &'w str>) -> Option<String> {
    let mut url = Url::parse("http://host/").ok()?;
    {
        let mut path = url.path_segments_mut().ok()?;
        path.clear();
        for word in words {
            if word.is_empty() || word == "." || word == ".." || word.contains(char::is_control) {
                return None;
            }
            path.push(word);
        }
    }
    Some(url.path().to_owned())
}

fn paging(per_page: u32, page: u32) -> String {
    format!("per_page={}&page={}", per_page.clamp(1, MOST_PER_PAGE), page.max(1))
}

pub(crate) fn read<T: DeserializeOwned>(answer: &Answer) -> Result<T, ReplyError> {
    serde_json::from_slice(&answer.body).map_err(|error| ReplyError::Retry {
        after_ms: 5_000,
        reason: format!("the answer is not the JSON expected (line {}, {:?})", error.line(), error.classify()),
    })
}
