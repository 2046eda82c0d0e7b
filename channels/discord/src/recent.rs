//! A map that forgets: what was neither set nor asked for lately goes first, and its size has a bound.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Two generations: when the younger is full, the older is dropped whole.
#[derive(Debug)]
pub(crate) struct Recent<V> {
    most: usize,
    halves: Mutex<Halves<V>>,
}

#[derive(Debug)]
struct Halves<V> {
    younger: HashMap<String, V>,
    older: HashMap<String, V>,
}

impl<V: Clone> Recent<V> {
    /// Holds at least the last `half` entries and at most twice as many.
    pub(crate) fn new(half: usize) -> Self {
        Self { most: half.max(1), halves: Mutex::new(Halves { younger: HashMap::new(), older: HashMap::new() }) }
    }

    pub(crate) fn get(&self, key: &str) -> Option<V> {
        let mut halves = self.halves.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(value) = halves.younger.get(key) {
            return Some(value.clone());
        }
        let value = halves.older.remove(key)?;
        self.put(&mut halves, key, value.clone());
        Some(value)
    }

    pub(crate) fn set(&self, key: &str, value: V) {
        let mut halves = self.halves.lock().unwrap_or_else(PoisonError::into_inner);
        halves.older.remove(key);
        self.put(&mut halves, key, value);
    }

    pub(crate) fn remove(&self, key: &str) -> Option<V> {
        let mut halves = self.halves.lock().unwrap_or_else(PoisonError::into_inner);
        let younger = halves.younger.remove(key);
        younger.or(halves.older.remove(key))
    }

    /// The value, set to this one if there was none.
    pub(crate) fn get_or_set(&self, key: &str, value: V) -> V {
        let mut halves = self.halves.lock().unwrap_or_else(PoisonError::into_inner);
        let held = halves.younger.get(key).or_else(|| halves.older.get(key)).cloned();
        let value = held.unwrap_or(value);
        halves.older.remove(key);
        self.put(&mut halves, key, value.clone());
        value
    }

    fn put(&self, halves: &mut Halves<V>, key: &str, value: V) {
        if halves.younger.len() >= self.most && !halves.younger.contains_key(key) {
            halves.older = std::mem::take(&mut halves.younger);
        }
        halves.younger.insert(key.to_owned(), value);
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        let halves = self.halves.lock().unwrap();
        halves.younger.len() + halves.older.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_stays_and_the_rest_goes() {
        let recent = Recent::new(10);
        recent.set("kept", 0);
        for number in 1..1_000 {
            recent.set(&number.to_string(), number);
            assert_eq!(recent.get("kept"), Some(0));
            assert!(recent.len() <= 20);
        }
        assert_eq!(recent.get("1"), None);
        assert_eq!(recent.get_or_set("999", 5), 999);
        assert_eq!(recent.remove("999"), Some(999));
        assert_eq!(recent.get_or_set("999", 5), 5);
    }
}
