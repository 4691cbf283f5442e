//! Columns of small parts of segments, kept in memory as they are once decoded.
//!
//! The panels of a dashboard ask for the same days, again and again: the same companions, and the same rows at the ends
//! of the range, where a bucket is cut. To decode them costs more than to answer from them.
//!
//! ```text
//!  a short companion ──────────────► all its rows        ┐
//!  a segment, and a range that ────► its rows of that    │   column by column, as they are asked for
//!  takes a day or an hour of it      day, of that hour   ├─► [`Kept`]: at most `KEPT_BYTES`, what was used least
//!  another companion, and a filter ► those of these      │   recently goes first
//!  that few of its row groups pass   row groups          ┘
//! ```
//!
//! **Invariants**
//! - A segment never changes under its name, so what is kept of it is never stale. What the catalog no longer lists is
//!   not asked for, and goes in its turn.
//! - What is kept are rows of a table, of all projects. Whether they may be seen is decided above, by the guard, as for
//!   rows in memory; filters of a query are evaluated above as well.
//! - One query decodes a column, those that need it meanwhile wait for it. It goes on within the limits of that query
//!   alone: one that ends early leaves the work to the next.

mod columns;
mod exec;
mod part;
mod reading;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::runtime::SpawnedTask;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::runtime_env::RuntimeEnv;

use self::columns::Columns;
use self::reading::Reader;
use crate::SegmentFile;
use crate::table::segments::{Chosen, SegmentReader};

pub(crate) use columns::Answer;
pub(crate) use exec::KeptExec;
pub(crate) use part::{Part, parts_of};

use part::{file_bytes, parts_of_chosen};

/// Most memory of columns that are kept, in bytes.
pub(crate) const KEPT_BYTES: usize = 64 * 1024 * 1024;
/// A part that takes more than this, decoded, is not kept.
const MOST_BYTES_OF_A_PART: usize = KEPT_BYTES / 8;
/// What a query takes from more bytes of files than this it reads from them: it would drive out everything else.
const MOST_FILE_BYTES_OF_A_QUERY: u64 = KEPT_BYTES as u64 / 4;
/// Counted of each part besides its columns.
const PART_BYTES: usize = 1_024;

/// What is kept, for all queries of an engine.
pub(crate) struct Kept {
    segments: SegmentReader,
    shelves: Mutex<Shelves>,
    most_bytes: usize,
    /// Threads that decode one part.
    threads: usize,
}

#[derive(Default)]
struct Shelves {
    parts: HashMap<Part, Shelf>,
    bytes: usize,
    /// Counts uses.
    moment: u64,
}

struct Shelf {
    columns: Arc<tokio::sync::Mutex<Columns>>,
    bytes: usize,
    used: u64,
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Kept").field("bytes", &self.bytes()).finish_non_exhaustive()
    }
}

impl Kept {
    pub(crate) fn new(environment: &RuntimeEnv, threads: usize) -> Self {
        Self::with_room(environment, threads, KEPT_BYTES)
    }

    fn with_room(environment: &RuntimeEnv, threads: usize, most_bytes: usize) -> Self {
        Self { segments: SegmentReader::new(environment), shelves: Mutex::default(), most_bytes, threads }
    }

    /// Divides segments into parts that are kept, and segments that are read. `range` is the first and the last moment
    /// a query asks for, in microseconds since 1970.
    pub(crate) fn divide(
        segments: &[SegmentFile],
        range: Option<(i64, i64)>,
    ) -> (Vec<Part>, Vec<SegmentFile>) {
        let mut parts = Vec::new();
        let mut read = Vec::new();
        for segment in segments {
            match parts_of(segment, range) {
                Some(found) => parts.extend(found),
                None => read.push(segment.clone()),
            }
        }
        if file_bytes(&parts) > MOST_FILE_BYTES_OF_A_QUERY {
            (Vec::new(), segments.to_vec())
        } else {
            (parts, read)
        }
    }

    /// Takes out of what is chosen of segments what is kept of it, for a query that takes `parts` already.
    pub(crate) fn take_chosen(chosen: &mut Vec<Chosen>, parts: &mut Vec<Part>) {
        let mut bytes = file_bytes(parts);
        chosen.retain(|Chosen { segment, needed }| {
            let row_groups = needed.as_ref().map(|needed| needed.row_groups.as_slice());
            let Some(found) = parts_of_chosen(segment, row_groups) else { return true };
            bytes += file_bytes(&found);
            let is_too_much = bytes > MOST_FILE_BYTES_OF_A_QUERY;
            if !is_too_much {
                parts.extend(found);
            }
            is_too_much
        });
    }

    /// Are all rows of a range of these segments given from what is kept?
    pub(crate) fn keeps_all(segments: &[SegmentFile], range: (i64, i64)) -> bool {
        Self::divide(segments, Some(range)).1.is_empty()
    }

    /// The rows of a part, of some columns of its table: those that are not here are decoded, and kept.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(crate) async fn rows(
        self: &Arc<Self>,
        part: Part,
        schema: &SchemaRef,
        wanted: &Arc<[usize]>,
    ) -> Result<Answer> {
        let shelf = self.shelf(&part);
        if let Ok(columns) = shelf.try_lock()
            && let Some(held) = columns.held(schema, wanted)?
        {
            return Ok(Answer::Held(held));
        }
        let (kept, schema, wanted) = (Arc::clone(self), Arc::clone(schema), Arc::clone(wanted));
        // A task of its own goes on when nobody asks how far it is: others may wait for it.
        let decoding = SpawnedTask::spawn(async move {
            let mut columns = shelf.lock().await;
            let reader =
                Reader { segments: &kept.segments, part: &part, schema: &schema, threads: kept.threads };
            let known = columns.bytes();
            let answer = columns.rows(&reader, &wanted).await?;
            if columns.bytes() != known {
                kept.note(&part, columns.bytes());
            }
            Ok(answer)
        });
        decoding.join().await.map_err(|error| DataFusionError::External(Box::new(error)))?
    }

    fn shelf(&self, part: &Part) -> Arc<tokio::sync::Mutex<Columns>> {
        let mut shelves = self.shelves.lock().unwrap_or_else(PoisonError::into_inner);
        shelves.moment += 1;
        let used = shelves.moment;
        if let Some(shelf) = shelves.parts.get_mut(part) {
            shelf.used = used;
            return Arc::clone(&shelf.columns);
        }
        let columns = Arc::<tokio::sync::Mutex<Columns>>::default();
        shelves.parts.insert(part.clone(), Shelf { columns: Arc::clone(&columns), bytes: PART_BYTES, used });
        shelves.bytes += PART_BYTES;
        columns
    }

    /// Takes down how much a part takes now, and makes room.
    fn note(&self, part: &Part, bytes: usize) {
        let mut shelves = self.shelves.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = bytes + PART_BYTES;
        let Some(shelf) = shelves.parts.get_mut(part) else { return };
        let before = std::mem::replace(&mut shelf.bytes, bytes);
        shelves.bytes = shelves.bytes.saturating_sub(before) + bytes;
        while shelves.bytes > self.most_bytes {
            let oldest = shelves.parts.iter().min_by_key(|(_, shelf)| shelf.used);
            let Some(oldest) = oldest.map(|(part, _)| part.clone()) else { break };
            shelves.drop_part(&oldest);
        }
    }

    /// Memory in use, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.shelves.lock().unwrap_or_else(PoisonError::into_inner).bytes
    }
}

impl Shelves {
    fn drop_part(&mut self, part: &Part) {
        if let Some(shelf) = self.parts.remove(part) {
            self.bytes = self.bytes.saturating_sub(shelf.bytes);
        }
    }
}

#[cfg(test)]
mod tests;
