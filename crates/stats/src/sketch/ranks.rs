//! Where the value of a rank lies: what an exact answer in a second pass over the values begins with.

use super::Sketch;

/// The range that holds the value of a rank.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RankRange {
    /// How many values are smaller than all of the range.
    pub below: u64,
    /// How many values lie in the range.
    pub count: u64,
    /// The smallest number of the range.
    pub low: f64,
    /// The largest number of the range.
    pub high: f64,
}

impl Sketch {
    /// The ranges that hold the values of these ranks, which are counted from 0 and ascend; as many as there are ranks
    /// below [`count`](Self::count).
    pub fn rank_ranges(&self, ranks: &[u64]) -> Vec<RankRange> {
        let mut found = Vec::with_capacity(ranks.len());
        let mut ranks = ranks.iter().peekable();
        let mut below = 0_u64;
        for (key, count) in self.storage.sorted() {
            let behind = below.saturating_add(count);
            while ranks.next_if(|rank| **rank < behind).is_some() {
                let (low, high) = key.ends();
                found.push(RankRange { below, count, low: low.max(self.min), high: high.min(self.max) });
            }
            below = behind;
        }
        found
    }
}
