//! How often each identity has come up in one file.

use std::collections::HashMap;

/// Counts repetitions of identities, given as 64-bit hashes.
///
/// The table of distinct identities is an open-addressed array of 8-byte slots that is never more than
/// 70 % full and grows by a third, in 64 shards one after another, so that growing never doubles the whole:
/// at most [`Ordinals::BYTES_PER_IDENTITY`] bytes for each distinct identity of a large file. Two different
/// tests share a hash with a chance of 1 in 90,000 at 20 million tests; the second would then count as a
/// repetition of the first.
#[derive(Debug)]
pub(super) struct Ordinals {
    shards: Vec<Shard>,
    /// Repetitions seen, for identities that came up more than once.
    repeated: HashMap<u64, u32>,
    /// Stands in no slot, because 0 marks a free one.
    zero_seen: bool,
}

#[derive(Debug, Default)]
struct Shard {
    slots: Vec<u64>,
    used: usize,
}

const SHARD_BITS: u32 = 6;
const FIRST_SLOTS: usize = 16;

impl Ordinals {
    /// Most bytes of memory for each distinct identity, in a file of more than 100,000 of them.
    #[cfg(test)]
    pub(super) const BYTES_PER_IDENTITY: usize = 16;

    pub(super) fn new() -> Self {
        let shards = (0..1 << SHARD_BITS).map(|_| Shard::default()).collect();
        Self { shards, repeated: HashMap::new(), zero_seen: false }
    }

    /// 0 for the first time an identity comes up, 1 for the second, and so on.
    pub(super) fn next(&mut self, hash: u64) -> u32 {
        let is_new = if hash == 0 {
            !std::mem::replace(&mut self.zero_seen, true)
        } else {
            self.shards.get_mut((hash >> (64 - SHARD_BITS)) as usize).is_none_or(|shard| shard.insert(hash))
        };
        if is_new {
            return 0;
        }
        let count = self.repeated.entry(hash).or_insert(0);
        *count = count.saturating_add(1);
        *count
    }

    #[cfg(test)]
    fn bytes(&self) -> usize {
        self.shards.iter().map(|shard| shard.slots.capacity() * 8).sum()
    }
}

impl Shard {
    /// Adds a hash; false when it was there.
    fn insert(&mut self, hash: u64) -> bool {
        if self.used * 10 >= self.slots.len() * 7 {
            self.grow();
        }
        match find(&self.slots, hash) {
            Some(slot) if self.slots.get(slot) == Some(&0) => {
                self.slots[slot] = hash;
                self.used += 1;
                true
            }
            _ => false,
        }
    }

    fn grow(&mut self) {
        let larger = (self.slots.len() * 4 / 3).max(FIRST_SLOTS);
        let mut slots = vec![0; larger];
        for hash in self.slots.drain(..).filter(|hash| *hash != 0) {
            if let Some(slot) = find(&slots, hash) {
                slots[slot] = hash;
            }
        }
        self.slots = slots;
    }
}

/// The slot that holds `hash`, or the free one where it belongs.
fn find(slots: &[u64], hash: u64) -> Option<usize> {
    // The bits below those that chose the shard, scaled to the number of slots.
    let spread = u128::from(hash << SHARD_BITS) * slots.len() as u128;
    let home = (spread >> 64) as usize;
    let is_home = |slot: &u64| *slot == hash || *slot == 0;
    let (before, after) = slots.split_at_checked(home)?;
    match after.iter().position(is_home) {
        Some(distance) => Some(home + distance),
        None => before.iter().position(is_home),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash_of(number: u64) -> u64 {
        xxhash_rust::xxh3::xxh3_64(&number.to_le_bytes())
    }

    #[test]
    fn repetitions_are_counted_per_identity() {
        let mut ordinals = Ordinals::new();
        assert_eq!([7, 7, 9, 7, 0, 0, 9].map(|hash| ordinals.next(hash)), [0, 1, 0, 2, 0, 1, 1]);
    }

    #[test]
    fn a_large_file_costs_no_more_than_stated() {
        let mut ordinals = Ordinals::new();
        for number in 1..=300_000 {
            assert_eq!(ordinals.next(hash_of(number)), 0);
            if number > 100_000 && number % 10_000 == 0 {
                let per_identity = ordinals.bytes() / number as usize;
                assert!(per_identity <= Ordinals::BYTES_PER_IDENTITY, "{per_identity} at {number}");
            }
        }
        for number in 1..=300_000 {
            assert_eq!(ordinals.next(hash_of(number)), 1);
        }
    }
}
