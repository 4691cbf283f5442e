//! Tests that wait for what the report tells of them later.

use super::case::Case;

/// Tests that cannot be given yet, each with what its format needs to know of it; at most [`Held::MOST_BYTES`].
#[derive(Debug)]
pub(crate) struct Held<K> {
    cases: Vec<(K, Case)>,
    bytes: usize,
}

impl<K> Held<K> {
    /// Most bytes of memory held.
    pub(crate) const MOST_BYTES: usize = 64 * 1024 * 1024;

    /// Most tests held where one is looked for among them.
    pub(crate) const MOST_SEARCHED: usize = 1_000;

    pub(crate) const fn new() -> Self {
        Self { cases: Vec::new(), bytes: 0 }
    }

    /// Is there no room for another? Then those held are given as they are.
    pub(crate) fn is_full(&self) -> bool {
        self.bytes >= Self::MOST_BYTES
    }

    /// The same, where one is looked for among those held.
    pub(crate) fn is_full_to_search(&self) -> bool {
        self.is_full() || self.cases.len() >= Self::MOST_SEARCHED
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.cases.is_empty()
    }

    pub(crate) fn push(&mut self, key: K, case: Case) {
        self.bytes += case.bytes() + size_of::<K>();
        self.cases.push((key, case));
    }

    /// Takes out the first test that `is_wanted`.
    pub(crate) fn take_first(&mut self, is_wanted: impl Fn(&K, &Case) -> bool) -> Option<(K, Case)> {
        let position = self.cases.iter().position(|(key, case)| is_wanted(key, case))?;
        let (key, case) = self.cases.remove(position);
        self.bytes = self.bytes.saturating_sub(case.bytes() + size_of::<K>());
        Some((key, case))
    }

    /// Takes out all, in the order they came.
    pub(crate) fn take_all(&mut self) -> Vec<(K, Case)> {
        self.bytes = 0;
        std::mem::take(&mut self.cases)
    }
}
