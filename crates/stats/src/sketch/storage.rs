//! Where the counts lie: a list while there are few values, then pages of an octave each.
//!
//! A query that groups by test makes a sketch for each of a million tests, most of them with a handful of values; one
//! without groups counts a billion values in one. The list serves the first, at 4 bytes a value; the pages serve the
//! second, where counting is a look into a small table and an addition.

use super::bucket::{Key, MANTISSA_BITS};

/// Values kept one by one before pages are laid out; a page takes as much as 256 of them.
const FEW: usize = 128;
const PAGE_BUCKETS: usize = 1 << MANTISSA_BITS;
/// No page: what the table holds for an octave without values.
const NONE: u16 = u16::MAX;

#[derive(Debug, Clone)]
pub(super) enum Storage {
    /// In the order they came.
    Few(Vec<i32>),
    Pages(Pages),
}

impl Default for Storage {
    fn default() -> Self {
        Self::Few(Vec::new())
    }
}

/// Pages by octave.
#[derive(Debug, Clone)]
pub(super) struct Pages {
    /// Octave of the first entry of `table`.
    first_octave: i32,
    /// Which page an octave has.
    table: Vec<u16>,
    pages: Vec<[u64; PAGE_BUCKETS]>,
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
        // A few values counted many times, as decoded or merged sketches have them, are a list as long as it lasts.
        if let Self::Few(values) = self {
            if count <= FEW.saturating_sub(values.len()) as u64 {
                values.extend(std::iter::repeat_n(key.number(), count as usize));
                return;
            }
            let mut pages = Pages { first_octave: 0, table: Vec::new(), pages: Vec::new() };
            for value in values.iter() {
                pages.add_number(*value, 1);
            }
            *self = Self::Pages(pages);
        }
        if let Self::Pages(pages) = self {
            pages.add(key, count);
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

    pub(super) fn memory_bytes(&self) -> usize {
        match self {
            Self::Few(values) => values.capacity() * size_of::<i32>(),
            Self::Pages(pages) => {
                pages.table.capacity() * size_of::<u16>()
                    + pages.pages.capacity() * size_of::<[u64; PAGE_BUCKETS]>()
            }
        }
    }
}

impl Pages {
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
        let page = self.table.get(entry).copied().unwrap_or(NONE);
        let page = if page == NONE { self.new_page(octave) } else { page };
        if let Some(slot) = self.pages.get_mut(usize::from(page)).and_then(|page| page.get_mut(bucket)) {
            *slot = slot.saturating_add(count);
        }
    }

    #[cold]
    fn new_page(&mut self, octave: i32) -> u16 {
        if self.table.is_empty() {
            self.first_octave = octave;
        } else if octave < self.first_octave {
            let missing = (self.first_octave - octave) as usize;
            self.table.splice(0..0, std::iter::repeat_n(NONE, missing));
            self.first_octave = octave;
        }
        let entry = (octave - self.first_octave) as usize;
        if entry >= self.table.len() {
            self.table.resize(entry + 1, NONE);
        }
        // There are 4,096 octaves at most, so a page's number is never that of none.
        let page = self.pages.len() as u16;
        if let Some(slot) = self.table.get_mut(entry) {
            *slot = page;
        }
        if self.pages.len() == self.pages.capacity() {
            // A page is a kilobyte: room for twice as many would mostly stay empty.
            self.pages.reserve_exact((self.pages.len() / 4).max(1));
        }
        self.pages.push([0; PAGE_BUCKETS]);
        page
    }

    /// Ascending, since the table is by octave.
    fn for_each(&self, visit: &mut dyn FnMut(Key, u64)) {
        for (entry, page) in self.table.iter().enumerate() {
            let Some(counts) = self.pages.get(usize::from(*page)) else { continue };
            let first = (i64::from(self.first_octave) + entry as i64) << MANTISSA_BITS;
            for (bucket, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
                if let Some(key) = Key::from_number(first + bucket as i64) {
                    visit(key, *count);
                }
            }
        }
    }
}
