//! An instance that is ready before a program needs it.
//!
//! Most of what a short run takes is the making of its instance, and waking a program takes one too. So a thread that has
//! had nothing to do for a moment makes the next one ahead. Nothing has run in it but the engine's own start, it serves one
//! run, and that run's memory goes with it, as without.

use std::sync::Arc;

use crate::guest::{Fault, Guest};
use crate::image::Image;
use crate::imports::Host;

/// At most one instance.
pub(crate) struct Spare {
    image: Arc<Image>,
    ready: Option<Guest>,
}

impl Spare {
    /// Nothing yet.
    pub(crate) fn new(image: Arc<Image>) -> Self {
        Self { image, ready: None }
    }

    pub(crate) fn image(&self) -> &Arc<Image> {
        &self.image
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.ready.is_some()
    }

    /// Makes one, if there is none. What fails here fails again, and is heard, when one is needed.
    pub(crate) fn prepare(&mut self) {
        if self.ready.is_none() {
            self.ready = self.image.instantiate().ok();
        }
    }

    /// One that is ready, or a new one.
    pub(crate) fn take(&mut self, host: Host) -> Result<Guest, Fault> {
        let mut guest = match self.ready.take() {
            Some(guest) => guest,
            None => self.image.instantiate()?,
        };
        guest.serve(host);
        Ok(guest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Api;
    use crate::image::still_host;

    #[test]
    fn what_is_ready_is_as_what_is_made_when_it_is_needed_and_is_given_once() {
        let mut spare = Spare::new(Image::prepare(Api::default()).unwrap());
        let made = spare.take(Host { now_ms: 7, ..still_host() }).unwrap();
        spare.prepare();
        assert!(spare.is_ready());
        let mut ready = spare.take(Host { now_ms: 7, ..still_host() }).unwrap();
        assert!(!spare.is_ready());
        assert_eq!(ready.host().now_ms, 7);
        let memory = |guest: &Guest| guest.with_memory(<[u8]>::to_vec).unwrap();
        assert!(memory(&made) == memory(&ready));
        let live = spare.image().live_from;
        assert_eq!(memory(&ready)[live..], spare.image().memory[live..]);
    }
}
