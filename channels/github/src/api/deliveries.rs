//! Deliveries that failed: "REST API endpoints for GitHub App webhooks" and "... for repository webhooks".

use http::Method;
use reveille_channel::ReplyError;
use serde::Deserialize;

use super::{Api, MOST_PER_PAGE, Page};
use crate::client::As;
use crate::normalise::is_path_name;

/// A delivery, as the list shows it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct DeliveryObject {
    /// Its own id: each attempt has another.
    pub(crate) id: u64,
    /// `X-GitHub-Delivery`: the same on each attempt.
    #[serde(default)]
    pub(crate) guid: String,
    /// When, milliseconds since the Unix epoch; 0 when GitHub does not say.
    #[serde(rename = "delivered_at", default, deserialize_with = "crate::model::milliseconds")]
    pub(crate) delivered_at_ms: i64,
    /// What we answered; 0 for no answer.
    #[serde(default, deserialize_with = "crate::model::null_is_default")]
    pub(crate) status_code: i64,
    /// `X-GitHub-Event`.
    #[serde(default)]
    pub(crate) event: String,
}

impl DeliveryObject {
    pub(crate) fn has_arrived(&self) -> bool {
        (200..300).contains(&self.status_code)
    }
}

/// Whose deliveries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Hook {
    /// The app's.
    App,
    /// A repository's own webhook.
    Repository { owner: String, name: String, hook: u64 },
}

impl Hook {
    fn path(&self) -> String {
        match self {
            Self::App => "/app/hook/deliveries".to_owned(),
            Self::Repository { owner, name, hook } => format!("/repos/{owner}/{name}/hooks/{hook}/deliveries"),
        }
    }
}

/// A repository that the token reaches.
#[derive(Debug, Deserialize)]
struct Reached {
    name: String,
    owner: crate::payload::Owner,
    #[serde(default)]
    permissions: Option<Permissions>,
}

#[derive(Debug, Deserialize)]
struct Permissions {
    #[serde(default)]
    admin: bool,
}

#[derive(Debug, Deserialize)]
struct HookObject {
    id: u64,
    #[serde(default)]
    config: Option<HookConfig>,
}

#[derive(Debug, Deserialize)]
struct HookConfig {
    #[serde(default, deserialize_with = "crate::model::null_is_empty")]
    url: String,
}

impl Api {
    /// The latest deliveries, or those of a page that another one named; the newest first.
    pub(crate) async fn deliveries(&self, hook: &Hook, page: Option<&str>) -> Result<Page<DeliveryObject>, ReplyError> {
        let first = format!("{}?per_page={MOST_PER_PAGE}", hook.path());
        self.page(As::Ourselves, page.unwrap_or(&first)).await
    }

    /// Asks for one more attempt.
    pub(crate) async fn deliver_again(&self, hook: &Hook, delivery: u64) -> Result<(), ReplyError> {
        let path = format!("{}/{delivery}/attempts", hook.path());
        // Twice is as good as once: the body is known by then.
        self.client.request(As::Ourselves, Method::POST, &path, None, true).await?;
        Ok(())
    }

    /// The webhooks of the repositories that the token may administer, whose address ends with `path`.
    ///
    /// Of at most `most` repositories: those that were pushed to last.
    pub(crate) async fn webhooks(&self, path: &str, most: usize) -> Result<Vec<Hook>, ReplyError> {
        let mut repositories: Vec<Reached> = Vec::new();
        let mut next = Some(format!("/user/repos?sort=pushed&per_page={MOST_PER_PAGE}&page=1"));
        while let Some(page) = next.filter(|_| repositories.len() < most) {
            let page: Page<Reached> = self.page(As::Ourselves, &page).await?;
            repositories.extend(page.items);
            next = page.next;
        }
        let mut hooks = Vec::new();
        let may_administer = |it: &Reached| it.permissions.as_ref().is_some_and(|it| it.admin);
        for repository in repositories.iter().take(most).filter(|it| may_administer(it)) {
            let (owner, name) = (&repository.owner.login, &repository.name);
            if !is_path_name(owner) || !is_path_name(name) {
                continue;
            }
            let of_repository = format!("/repos/{owner}/{name}/hooks?per_page={MOST_PER_PAGE}&page=1");
            match self.page::<HookObject>(As::Ourselves, &of_repository).await {
                Ok(found) => {
                    let ours = found.items.into_iter().filter(|it| leads_to(it, path));
                    let hook = |id: u64| Hook::Repository { owner: owner.clone(), name: name.clone(), hook: id };
                    hooks.extend(ours.map(|it| hook(it.id)));
                }
                // A token without the permission for webhooks: its deliveries are asked for by hand.
                Err(ReplyError::Gone(_) | ReplyError::Credentials(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(hooks)
    }
}

fn leads_to(hook: &HookObject, path: &str) -> bool {
    let url = hook.config.as_ref().and_then(|config| url::Url::parse(&config.url).ok());
    url.is_some_and(|url| url.path().trim_end_matches('/').ends_with(path))
}
