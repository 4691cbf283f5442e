//! How often each identity has come up in one file.

use std::collections::HashMap;

/// Counts repetitions of identities, given as 64-bit hashes.
///
/// The table of distinct identities is open-addressed and never more than 70 % full. Each slot has a byte
/// that is looked at first, because most tests are new and a byte of a free slot is all that takes: the
/// bytes of half a million tests stay in the processor's cache, their hashes would not. The table grows in 64
/// shards one after another, by doubling while it is small and by a third later, so that a large one is never
/// doubled as a whole: at most 10 MB, or [`Ordinals::BYTES_PER_IDENTITY`] bytes for each distinct identity.
///
/// Two different tests share a hash with a chance of 1 in 90,000 at 20 million tests; the second would then
/// count as a repetition of the first.
#[derive(Debug)]
pub(crate) struct Ordinals {
    shards: Vec<Shard>,
    /// Repetitions seen, for identities that came up more than once.
    repeated: HashMap<u64, u32>,
}

#[derive(Debug, Default)]
struct Shard {
    /// 0 for a free slot, else a byte of the hash.
    marks: Vec<u8>,
    hashes: Vec<u64>,
    used: usize,
}

const SHARD_BITS: u32 = 6;
const FIRST_SLOTS: usize = 16;
/// Slots up to which a shard doubles.
const SMALL_SLOTS: usize = 16 * 1024;

impl Ordinals {
    /// Most bytes of memory for each distinct identity, once past 10 MB.
    #[cfg(test)]
    pub(crate) const BYTES_PER_IDENTITY: usize = 18;

    pub(crate) fn new() -> Self {
        Self { shards: (0..1 << SHARD_BITS).map(|_| Shard::default()).collect(), repeated: HashMap::new() }
    }

    /// 0 for the first time an identity comes up, 1 for the second, and so on.
    pub(crate) fn next(&mut self, hash: u64) -> u32 {
        let shard = (hash >> (u64::BITS - SHARD_BITS)) as usize;
        if self.shards.get_mut(shard).is_none_or(|shard| shard.insert(hash)) {
            return 0;
        }
        let count = self.repeated.entry(hash).or_insert(0);
        *count = count.saturating_add(1);
        *count
    }

    #[cfg(test)]
    fn bytes(&self) -> usize {
        self.shards.iter().map(|shard| shard.hashes.capacity() * 8 + shard.marks.capacity()).sum()
    }
}

impl Shard {
    /// Adds a hash; false when it was there.
    fn insert(&mut self, hash: u64) -> bool {
        if self.used * 10 >= self.marks.len() * 7 {
            self.grow();
        }
        let mark = mark_of(hash);
        let mut slot = home_of(hash, self.marks.len());
        loop {
            match self.marks.get(slot) {
                // Past the last slot comes the first; one is always free.
                None => {
                    slot = 0;
                    continue;
                }
                Some(0) => break,
                Some(found) if *found == mark && self.hashes.get(slot) == Some(&hash) => return false,
                Some(_) => slot += 1,
            }
        }
        self.put(slot, mark, hash);
        self.used += 1;
        true
    }

    fn put(&mut self, slot: usize, mark: u8, hash: u64) {
        if let (Some(mark_at), Some(hash_at)) = (self.marks.get_mut(slot), self.hashes.get_mut(slot)) {
            *mark_at = mark;
            *hash_at = hash;
        }
    }

    fn grow(&mut self) {
        let slots = self.marks.len();
        let larger = if slots < SMALL_SLOTS { (slots * 2).max(FIRST_SLOTS) } else { slots * 4 / 3 };
        let marks = std::mem::replace(&mut self.marks, vec![0; larger]);
        let hashes = std::mem::replace(&mut self.hashes, vec![0; larger]);
        self.used = 0;
        for (mark, hash) in marks.into_iter().zip(hashes) {
            if mark != 0 {
                self.insert(hash);
            }
        }
    }
}

/// A byte of the hash that is neither 0 nor part of what chose the slot.
const fn mark_of(hash: u64) -> u8 {
    (hash as u8) | 1
}

/// The bits below those that chose the shard, scaled to the number of slots.
const fn home_of(hash: u64, slots: usize) -> usize {
    (((hash << SHARD_BITS) as u128 * slots as u128) >> 64) as usize
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
        for number in 1..=1_200_000 {
            assert_eq!(ordinals.next(hash_of(number)), 0);
            if number % 10_000 == 0 {
                let allowed = 10_000_000.max(number as usize * Ordinals::BYTES_PER_IDENTITY);
                assert!(ordinals.bytes() <= allowed, "{} bytes at {number}", ordinals.bytes());
            }
        }
        for number in (1..=1_200_000).step_by(100) {
            assert_eq!(ordinals.next(hash_of(number)), 1);
        }
    }
}
