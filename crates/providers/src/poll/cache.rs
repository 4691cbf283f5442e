//! Answers with their ETags, so that what did not change is not sent again. Bounded; the oldest go first.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// Most bytes of bodies kept.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// An answer as it is kept.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub(super) etag: String,
    pub(super) body: Arc<[u8]>,
    pub(super) next: Option<String>,
    pub(super) total: Option<u64>,
}

/// The kept answers, by path.
#[derive(Debug, Default)]
pub(super) struct Cache {
    kept: BTreeMap<String, Kept>,
    order: VecDeque<String>,
    bytes: usize,
}

impl Cache {
    pub(super) fn get(&self, path: &str) -> Option<&Kept> {
        self.kept.get(path)
    }

    pub(super) fn put(&mut self, path: &str, kept: Kept) {
        if kept.body.len() > MOST_BYTES / 4 {
            return;
        }
        self.bytes += kept.body.len();
        match self.kept.insert(path.to_owned(), kept) {
            Some(before) => self.bytes -= before.body.len(),
            None => self.order.push_back(path.to_owned()),
        }
        while self.bytes > MOST_BYTES {
            let Some(oldest) = self.order.pop_front() else { break };
            if let Some(dropped) = self.kept.remove(&oldest) {
                self.bytes -= dropped.body.len();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stays_small_and_keeps_the_newest() {
        let kept =
            |size: usize| Kept { etag: "e".into(), body: vec![0; size].into(), next: None, total: None };
        let mut cache = Cache::default();
        for number in 0..100 {
            cache.put(&format!("/{}", number % 50), kept(1024 * 1024));
        }
        assert!(cache.bytes <= MOST_BYTES && cache.kept.len() == cache.order.len());
        assert_eq!(cache.bytes, cache.kept.values().map(|one| one.body.len()).sum::<usize>());
        assert!(cache.get("/49").is_some());
        cache.put("/huge", kept(MOST_BYTES));
        assert!(cache.get("/huge").is_none());
    }
}
