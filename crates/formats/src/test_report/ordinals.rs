//! How often each identity has come up in one file.

use std::collections::HashMap;

use xxhash_rust::xxh3::xxh3_64;

/// Counts repetitions of identities, given as 64-bit hashes.
///
/// An identity holds the path of its suite, and reports list the tests of a suite together. So while suites come up
/// once each, only the identities of the suite being read are looked at: a table that stays in the processor's first
/// cache. Those of earlier suites are written down one after another, and made into one large table when a suite
/// comes up again, or has very many tests.
///
/// Memory: at most 16 MB, or [`Ordinals::BYTES_PER_IDENTITY`] bytes for each distinct identity (the most where every
/// test has a suite of its own), and 40 for each that is repeated.
///
/// Two different tests share a hash with a chance of 1 in 90,000 at 20 million tests; the second would then
/// count as a repetition of the first.
#[derive(Debug)]
pub(crate) struct Ordinals {
    seen: Seen,
    /// The suite that was told last.
    suite: String,
    /// Repetitions seen, for identities that came up more than once.
    repeated: HashMap<u64, u32>,
}

/// The identities that came up.
#[derive(Debug)]
enum Seen {
    /// No suite came up twice yet.
    BySuite { here: Table, earlier: Vec<Vec<u64>>, suites: LargeTable },
    /// All of the file in one.
    Together(LargeTable),
}

/// Tests in one suite beyond which nothing is gained by looking at it alone.
const MANY_IN_SUITE: usize = 32 * 1024;
/// Hashes in one piece of the list of earlier ones.
const PIECE: usize = 64 * 1024;

impl Ordinals {
    /// Most bytes of memory for each distinct identity, once past 16 MB.
    #[cfg(test)]
    pub(crate) const BYTES_PER_IDENTITY: usize = 27;

    pub(crate) fn new() -> Self {
        Self { seen: Seen::new(), suite: String::new(), repeated: HashMap::new() }
    }

    /// 0 for the first time an identity comes up, 1 for the second, and so on. `suite` is part of the identity.
    pub(crate) fn next(&mut self, suite: &str, hash: u64) -> u32 {
        if self.suite != suite {
            suite.clone_into(&mut self.suite);
            self.seen.leave_suite(xxh3_64(suite.as_bytes()));
        }
        if self.seen.insert(hash) {
            return 0;
        }
        let count = self.repeated.entry(hash).or_insert(0);
        *count = count.saturating_add(1);
        *count
    }

    #[cfg(test)]
    fn bytes(&self) -> usize {
        match &self.seen {
            Seen::Together(all) => all.bytes(),
            Seen::BySuite { here, earlier, suites } => {
                let pieces: usize = earlier.iter().map(|piece| piece.capacity() * 8).sum();
                here.bytes() + pieces + suites.bytes()
            }
        }
    }
}

impl Seen {
    /// Before the first suite that is told, tests are in the one without a name.
    fn new() -> Self {
        let mut suites = LargeTable::new();
        suites.insert(xxh3_64(b""));
        Self::BySuite { here: Table::default(), earlier: Vec::new(), suites }
    }

    /// Adds an identity of the suite being read; false when it was there.
    fn insert(&mut self, hash: u64) -> bool {
        match self {
            Self::Together(all) => all.insert(hash),
            Self::BySuite { here, .. } => {
                let is_new = here.insert(hash);
                if here.used > MANY_IN_SUITE {
                    self.put_together();
                }
                is_new
            }
        }
    }

    /// From here on tests are of another suite.
    fn leave_suite(&mut self, next_suite: u64) {
        let Self::BySuite { here, earlier, suites } = self else { return };
        for hash in here.iter() {
            match earlier.last_mut() {
                Some(piece) if piece.len() < PIECE => piece.push(hash),
                _ => {
                    let mut piece = Vec::with_capacity(PIECE);
                    piece.push(hash);
                    earlier.push(piece);
                }
            }
        }
        here.clear();
        if !suites.insert(next_suite) {
            self.put_together();
        }
    }

    fn put_together(&mut self) {
        let before = std::mem::replace(self, Self::Together(LargeTable::new()));
        let (Self::BySuite { here, earlier, .. }, Self::Together(all)) = (before, self) else { return };
        for piece in earlier {
            for hash in piece {
                all.insert(hash);
            }
        }
        for hash in here.iter() {
            all.insert(hash);
        }
    }
}

/// A table that grows in 64 parts one after another, so that a large one is never doubled as a whole.
#[derive(Debug)]
struct LargeTable {
    shards: Vec<Table>,
}

const SHARD_BITS: u32 = 6;

impl LargeTable {
    fn new() -> Self {
        Self { shards: (0..1 << SHARD_BITS).map(|_| Table::default()).collect() }
    }

    /// Adds a hash; false when it was there.
    fn insert(&mut self, hash: u64) -> bool {
        let shard = (hash >> (u64::BITS - SHARD_BITS)) as usize;
        self.shards.get_mut(shard).is_none_or(|shard| shard.insert(hash))
    }

    #[cfg(test)]
    fn bytes(&self) -> usize {
        self.shards.iter().map(Table::bytes).sum()
    }
}

/// An open-addressed table of hashes, never more than 70 % full, that doubles while it is small and grows by a third
/// later.
///
/// Each slot has a byte that is looked at first: most tests are new, and a byte of a free slot is all that takes.
#[derive(Debug, Default)]
struct Table {
    /// 0 for a free slot, else a byte of the hash.
    marks: Vec<u8>,
    hashes: Vec<u64>,
    used: usize,
}

const FIRST_SLOTS: usize = 16;
/// Slots up to which a table doubles.
const SMALL_SLOTS: usize = 16 * 1024;
/// Slots a table keeps when it is emptied, however few of them were used.
const KEPT_SLOTS: usize = 1024;

impl Table {
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

    fn iter(&self) -> impl Iterator<Item = u64> {
        self.marks.iter().zip(&self.hashes).filter(|(mark, _)| **mark != 0).map(|(_, hash)| *hash)
    }

    /// Empties it; a large one that was nearly empty becomes small again, for emptying takes as long as it is large.
    fn clear(&mut self) {
        if self.marks.len() > KEPT_SLOTS && self.used * 8 < self.marks.len() {
            self.marks.truncate(KEPT_SLOTS);
            self.hashes.truncate(KEPT_SLOTS);
        }
        self.marks.fill(0);
        self.used = 0;
    }

    #[cfg(test)]
    fn bytes(&self) -> usize {
        self.hashes.capacity() * 8 + self.marks.capacity()
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
        assert_eq!([7, 7, 9, 7, 0, 0, 9].map(|hash| ordinals.next("", hash)), [0, 1, 0, 2, 0, 1, 1]);
    }

    #[test]
    fn a_suite_that_comes_up_again_is_known_with_its_tests() {
        let mut ordinals = Ordinals::new();
        let told = [
            ("", 1),
            ("a", 2),
            ("a", 3),
            ("b", 4),
            ("b", 4),
            ("a", 2),
            ("a", 5),
            ("", 1),
            ("b", 4),
            ("c", 6),
        ];
        assert_eq!(told.map(|(suite, hash)| ordinals.next(suite, hash)), [0, 0, 0, 0, 1, 1, 0, 1, 2, 0]);
    }

    #[test]
    fn however_tests_are_spread_over_suites_each_is_counted_as_in_a_map() {
        let mut random = fastrand::Rng::with_seed(7);
        for tests_in_suite in [1, 3, 50, 5_000, 40_000] {
            let (mut ordinals, mut expected) = (Ordinals::new(), HashMap::new());
            for number in 0..100_000_u64 {
                // Mostly new tests in order; now and then a suite of before comes up again, late in the file.
                let back = number > 60_000 && random.u32(..2_000) == 0;
                let number = if back { random.u64(..number) } else { number };
                let suite = (number / tests_in_suite).to_string();
                let hash = hash_of(if random.u32(..500) == 0 {
                    number / tests_in_suite * tests_in_suite
                } else {
                    number
                });
                let times = expected.entry(hash).or_insert(0_u32);
                assert_eq!(ordinals.next(&suite, hash), *times, "{number} of {tests_in_suite} a suite");
                *times += 1;
            }
        }
    }

    #[test]
    fn a_large_file_costs_no_more_than_stated() {
        for tests_in_suite in [1, 100, u64::MAX] {
            let mut ordinals = Ordinals::new();
            for number in 1..=1_200_000 {
                let suite = (number / tests_in_suite).to_string();
                assert_eq!(ordinals.next(&suite, hash_of(number)), 0);
                if number % 10_000 == 0 {
                    let allowed = 16_000_000.max(number as usize * Ordinals::BYTES_PER_IDENTITY);
                    assert!(ordinals.bytes() <= allowed, "{} bytes at {number}", ordinals.bytes());
                }
            }
            for number in (1..=1_200_000).step_by(100) {
                assert_eq!(ordinals.next(&(number / tests_in_suite).to_string(), hash_of(number)), 1);
            }
        }
    }
}
