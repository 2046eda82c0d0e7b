//! Code mode: programs that a model writes, in place of one tool call after another.
//!
//! The crate `reveille-codemode` runs them and knows nothing of us. This module is its host: it opens the sandbox with the
//! names of the tools there are, keeps its snapshots sealed, and puts what came of a program into words for the model. When
//! a program runs, which of its host calls may be made and what is recorded of them is the turn's (`turn`, `actor`).

mod answer;
mod offer;
mod snapshot;

use std::num::NonZero;
use std::sync::Arc;

use reveille_codemode::{Api, ApiError, Limits, Sandbox, SandboxError};
use tokio::sync::{AcquireError, OnceCell, OwnedSemaphorePermit, Semaphore};

use crate::tool::Registry;
use crate::vault::Keys;

pub use answer::{console, returned};
pub use snapshot::{NotOpened, Place, open, seal};

/// The name of the tool that runs a program.
pub const CODE: &str = "code";

/// The host calls that look tools up.
pub const SEARCH: &str = "tools.search";
/// The one that tells all of one tool.
pub const DESCRIBE: &str = "tools.describe";

/// The host call that waits for a time.
pub const SLEEP: &str = "sleep";

/// The host call that asks people for a yes.
pub const APPROVAL: &str = "approval";

/// Host calls that are not tools: those with a namespace, and those without.
const NAMESPACED: [&str; 2] = [SEARCH, DESCRIBE];
const BARE: [&str; 2] = [SLEEP, APPROVAL];

/// How many programs may be in memory at once, each with what its limits allow; the others wait.
const LIVE_MAX: usize = 128;

/// Runs the programs of a gateway.
#[derive(Debug, Clone)]
pub struct CodeMode {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    api: Api,
    keys: Keys,
    limits: Limits,
    /// Room for programs in memory.
    places: Arc<Semaphore>,
    /// Compiling the engine takes a while, and many gateways run no program.
    sandbox: OnceCell<Sandbox>,
}

impl CodeMode {
    /// Code mode with these tools, whose snapshots these keys seal. The engine starts with the first program.
    ///
    /// # Errors
    /// [`ApiError`] when a tool's name cannot be written in a program.
    pub fn new(tools: &Registry, keys: Keys) -> Result<Self, ApiError> {
        let mut api = Api::default();
        let names = || tools.names().chain(NAMESPACED);
        let mut namespaces: Vec<&str> = names().filter_map(|name| name.split('.').next()).collect();
        namespaces.sort_unstable();
        namespaces.dedup();
        for namespace in namespaces {
            let functions = names().filter_map(|name| name.strip_prefix(namespace)?.strip_prefix('.'));
            api = api.namespace(namespace, functions)?;
        }
        for name in BARE {
            api = api.function(name)?;
        }
        // All that a program passes at the same time stands in one record.
        let limits = Limits {
            call_bytes: 256 << 10,
            parallel_calls: 32,
            memory_bytes: 32 << 20,
            snapshot_bytes: 4 << 20,
            ..Limits::default()
        };
        let places = Arc::new(Semaphore::new(LIVE_MAX));
        let inner = Inner { api, keys, limits, places, sandbox: OnceCell::new() };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// What one program may use.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.inner.limits
    }

    /// What seals its snapshots.
    #[must_use]
    pub fn keys(&self) -> &Keys {
        &self.inner.keys
    }

    /// Waits until there is room for one more program in memory. Those that wait for people or for a time take none.
    ///
    /// # Errors
    /// The gateway stops.
    pub async fn place(&self) -> Result<OwnedSemaphorePermit, AcquireError> {
        Arc::clone(&self.inner.places).acquire_owned().await
    }

    /// The sandbox; the first who asks starts it.
    ///
    /// # Errors
    /// [`SandboxError`] when the engine does not start.
    pub async fn sandbox(&self) -> Result<&Sandbox, SandboxError> {
        let threads = std::thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN);
        self.inner.sandbox.get_or_try_init(|| Sandbox::open(self.inner.api.clone(), threads)).await
    }
}
