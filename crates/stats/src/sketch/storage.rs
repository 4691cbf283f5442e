//! Where the counts lie: a list while there are few values, then pages of an octave each.
//!
//! A query that groups by test makes a sketch for each of a million tests, most of them with a handful of values; one
//! without groups counts a billion values in one. The list serves the first, at 4 bytes a value; the pages serve the
//! second, where counting is a look into a small table and an addition. A page has 16 bits for each count, which is enough
//! for a test of some thousand values; what outgrows them is carried to a list beside, once in 65,536 times.

use std::collections::BTreeMap;

use super::bucket::{Key, MANTISSA_BITS};

/// Values kept one by one before pages are laid out; two pages take as much.
const FEW: usize = 128;
const PAGE_BUCKETS: usize = 1 << MANTISSA_BITS;

/// The counts of an octave.
type Page = [u16; PAGE_BUCKETS];

#[derive(Debug, Clone)]
pub(super) enum Storage {
    /// In the order they came.
    Few(Vec<i32>),
    Pages(Box<Pages>),
}

impl Default for Storage {
    fn default() -> Self {
        Self::Few(Vec::new())
    }
}

/// Pages by octave.
#[derive(Debug, Clone, Default)]
pub(super) struct Pages {
    /// Octave of the first entry of `pages`.
    first_octave: i32,
    /// By octave; none where there are no values. Each has memory of its own: to lay them side by side is to move them
    /// all for each that is added.
    pages: Vec<Option<Box<Page>>>,
    /// How many there are.
    count: usize,
    /// What outgrew 16 bits, by the number of the bucket; counts as well as the page does.
    outgrown: BTreeMap<i32, u64>,
}

impl Storage {
    #[inline]
    pub(super) fn add(&mut self, key: Key, count: u64) {
        match self {
            Self::Pages(pages) => pages.add(key, count),
            Self::Few(values) if count == 1 && values.len() < FEW => values.push(key.number()),
            Self::Few(_) => self.add_to_new_pages(key, count),
        }
    }

    #[cold]
    fn add_to_new_pages(&mut self, key: Key, count: u64) {
        self.expect(count);
        match self {
            // A few values counted many times, as decoded or merged sketches have them, are a list as long as it lasts.
            Self::Few(values) => values.extend(std::iter::repeat_n(key.number(), count as usize)),
            Self::Pages(pages) => pages.add(key, count),
        }
    }

    /// Lays pages out where so many values are about to be added that the list would not hold them.
    pub(super) fn expect(&mut self, more: u64) {
        if let Self::Few(values) = self
            && more > FEW.saturating_sub(values.len()) as u64
        {
            *self = Self::Pages(Pages::of(values));
        }
    }

    /// The buckets that are not empty, in no certain order; one may come several times.
    pub(super) fn for_each(&self, visit: &mut dyn FnMut(Key, u64)) {
        match self {
            Self::Few(values) => {
                for key in values.iter().filter_map(|value| Key::from_number(i64::from(*value))) {
                    visit(key, 1);
                }
            }
            Self::Pages(pages) => pages.for_each(visit),
        }
    }

    /// The buckets that are not empty, ascending.
    pub(super) fn sorted(&self) -> Vec<(Key, u64)> {
        let mut buckets: Vec<(Key, u64)> = Vec::new();
        if let Self::Few(values) = self {
            let mut sorted = values.clone();
            sorted.sort_unstable();
            for equal in sorted.chunk_by(|left, right| left == right) {
                let key = equal.first().and_then(|value| Key::from_number(i64::from(*value)));
                buckets.extend(key.map(|key| (key, equal.len() as u64)));
            }
        } else {
            self.for_each(&mut |key, count| buckets.push((key, count)));
        }
        buckets
    }

    /// The buckets in which the values of some ranks lie, ascending. `ranks` ascend and count from 0.
    pub(super) fn at_ranks(&self, ranks: &[u64]) -> Vec<Key> {
        let mut walk = Walk { ranks, seen: 0, found: Vec::with_capacity(ranks.len()) };
        match self {
            Self::Few(_) => self.sorted().into_iter().for_each(|(key, count)| walk.pass(key, count)),
            Self::Pages(pages) => {
                for (first, counts) in pages.by_octave() {
                    let count = pages.count_of(first, counts);
                    if !walk.skip(count) {
                        pages.for_each_of(first, counts, &mut |key, count| walk.pass(key, count));
                    }
                }
            }
        }
        walk.found
    }

    pub(super) fn memory_bytes(&self) -> usize {
        match self {
            Self::Few(values) => values.capacity() * size_of::<i32>(),
            Self::Pages(pages) => {
                size_of::<Pages>()
                    + pages.pages.capacity() * size_of::<Option<Box<Page>>>()
                    + pages.count * size_of::<Page>()
                    + pages.outgrown.len() * 2 * size_of::<(i32, u64)>()
            }
        }
    }
}

/// A walk over buckets that looks for ranks.
struct Walk<'a> {
    /// Those that are not found yet.
    ranks: &'a [u64],
    seen: u64,
    found: Vec<Key>,
}

impl Walk<'_> {
    /// Passes so many values by, when no rank lies among them.
    fn skip(&mut self, count: u64) -> bool {
        let end = self.seen.saturating_add(count);
        let skips = self.ranks.first().is_none_or(|rank| *rank >= end);
        if skips {
            self.seen = end;
        }
        skips
    }

    fn pass(&mut self, key: Key, count: u64) {
        self.seen = self.seen.saturating_add(count);
        while let Some((_, rest)) = self.ranks.split_first().filter(|(rank, _)| **rank < self.seen) {
            self.found.push(key);
            self.ranks = rest;
        }
    }
}

impl Pages {
    fn of(values: &[i32]) -> Box<Self> {
        let mut pages = Box::<Self>::default();
        values.iter().for_each(|value| pages.add_number(*value, 1));
        pages
    }

    #[inline]
    pub(super) fn add(&mut self, key: Key, count: u64) {
        self.add_number(key.number(), count);
    }

    #[inline]
    fn add_number(&mut self, number: i32, count: u64) {
        let octave = number >> MANTISSA_BITS;
        let bucket = (number & (PAGE_BUCKETS as i32 - 1)) as usize;
        // An octave before the first one wraps round to a number past every table.
        let entry = octave.wrapping_sub(self.first_octave) as u32 as usize;
        let page = match self.pages.get_mut(entry) {
            Some(Some(page)) => page,
            _ => return self.add_to_new_page(number, count),
        };
        if let Some(slot) = page.get_mut(bucket) {
            match u16::try_from(count).ok().and_then(|count| slot.checked_add(count)) {
                Some(sum) => *slot = sum,
                None => {
                    let carried = std::mem::take(slot);
                    self.outgrow(number, count.saturating_add(carried.into()));
                }
            }
        }
    }

    #[cold]
    fn outgrow(&mut self, number: i32, count: u64) {
        let outgrown = self.outgrown.entry(number).or_default();
        *outgrown = outgrown.saturating_add(count);
    }

    #[cold]
    fn add_to_new_page(&mut self, number: i32, count: u64) {
        let octave = number >> MANTISSA_BITS;
        if self.pages.is_empty() {
            self.first_octave = octave;
        } else if octave < self.first_octave {
            let missing = (self.first_octave - octave) as usize;
            self.pages.splice(0..0, std::iter::repeat_with(|| None).take(missing));
            self.first_octave = octave;
        }
        let entry = (octave - self.first_octave) as usize;
        if entry >= self.pages.len() {
            self.pages.resize_with(entry + 1, || None);
        }
        if let Some(page) = self.pages.get_mut(entry) {
            *page = Some(Box::new([0; PAGE_BUCKETS]));
            self.count += 1;
            self.add_number(number, count);
        }
    }

    /// Ascending, since pages are by octave.
    fn for_each(&self, visit: &mut dyn FnMut(Key, u64)) {
        for (first, counts) in self.by_octave() {
            self.for_each_of(first, counts, visit);
        }
    }

    /// The pages, ascending, each with the number of its first bucket.
    fn by_octave(&self) -> impl Iterator<Item = (i32, &Page)> {
        (self.first_octave..)
            .zip(&self.pages)
            .filter_map(|(octave, page)| Some((octave << MANTISSA_BITS, page.as_deref()?)))
    }

    fn for_each_of(&self, first: i32, counts: &Page, visit: &mut dyn FnMut(Key, u64)) {
        for (number, count) in (first..).zip(counts) {
            let count = u64::from(*count).saturating_add(self.outgrown(number));
            if let Some(key) = Key::from_number(i64::from(number)).filter(|_| count > 0) {
                visit(key, count);
            }
        }
    }

    #[inline]
    fn outgrown(&self, number: i32) -> u64 {
        if self.outgrown.is_empty() { 0 } else { self.outgrown.get(&number).copied().unwrap_or(0) }
    }

    /// The values of a page.
    fn count_of(&self, first: i32, counts: &Page) -> u64 {
        let outgrown: u64 = self
            .outgrown
            .range(first..first + PAGE_BUCKETS as i32)
            .map(|(_, count)| *count)
            .fold(0, u64::saturating_add);
        counts.iter().map(|count| u64::from(*count)).sum::<u64>().saturating_add(outgrown)
    }
}
