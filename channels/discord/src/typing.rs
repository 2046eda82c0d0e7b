//! The typing indicator: it lasts ten seconds ("Trigger Typing Indicator"), and is shown again until there is something to read.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio_util::task::AbortOnDropHandle;

use crate::api::Api;

/// A little before it goes out.
const AGAIN_AFTER: Duration = Duration::from_secs(9);

/// How often it is shown again when nobody says that it is enough: five minutes of it.
const TIMES_MAX: usize = 33;

/// Channels it is shown in at once.
const CHANNELS_MAX: usize = 512;

/// Where it is shown. Its tasks end with it.
#[derive(Debug, Default)]
pub(crate) struct Typing {
    tasks: Mutex<HashMap<String, AbortOnDropHandle<()>>>,
}

impl Typing {
    /// Shows it from now on. That it cannot be shown is nobody's failure.
    pub(crate) fn start(&self, api: &Arc<Api>, channel: &str) {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.retain(|_, task| !task.is_finished());
        if tasks.len() >= CHANNELS_MAX || tasks.contains_key(channel) {
            return;
        }
        let (api, place) = (Arc::clone(api), channel.to_owned());
        let task = tokio::spawn(async move {
            for _ in 0..TIMES_MAX {
                if let Err(failure) = api.type_in(&place).await {
                    tracing::debug!(?failure, "no typing indicator");
                    return;
                }
                tokio::time::sleep(AGAIN_AFTER).await;
            }
        });
        tasks.insert(channel.to_owned(), AbortOnDropHandle::new(task));
    }

    pub(crate) fn stop(&self, channel: &str) {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).remove(channel);
    }
}
