//! Linear's tools.

use std::collections::BTreeMap;
use std::sync::Arc;

use reveille_linear::Linear;

/// The Linear connections of the gateway, by name.
pub type LinearConnections = Arc<BTreeMap<String, Arc<Linear>>>;
