//! The providers, by the name of their table under `[models]`.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Provider;

/// The providers.
#[derive(Debug, Clone, Default)]
pub struct Models(BTreeMap<String, Arc<dyn Provider>>);

impl Models {
    /// With this provider too.
    #[must_use]
    pub fn with(mut self, table: impl Into<String>, provider: Arc<dyn Provider>) -> Self {
        self.0.insert(table.into(), provider);
        self
    }

    /// The provider of that table.
    #[must_use]
    pub fn get(&self, table: &str) -> Option<Arc<dyn Provider>> {
        self.0.get(table).cloned()
    }

    /// The tables, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}
