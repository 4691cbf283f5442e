//! What a store holds, by table and time, and when it goes: the numbers behind `manometer store stats`.

use std::collections::BTreeMap;

use manometer_model::stored_tables;
use manometer_model::{Retention, Table, Timestamp};
use serde::{Deserialize, Serialize};

use crate::folders::date_of;
use crate::segment::Segment;
use crate::snapshot::Snapshot;

/// How finely to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// One line a table.
    Table,
    /// One a table and month.
    Month,
    /// One a table and day. Days whose segments were merged into their month stand as that month.
    Day,
}

/// Rows of one table, all or those of one period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holding {
    /// SQL name.
    pub table: String,
    /// `2026-11-21`, `2026-11`, `2026-09..2026-11` for a segment of several months, `unflushed` for rows in no segment
    /// yet; empty for all of the table.
    pub period: String,
    /// Rows.
    pub rows: u64,
    /// Those of them that are in no segment: of an entity table all.
    pub rows_in_memory: u64,
    /// Segments.
    pub segments: u64,
    /// Their size.
    pub bytes: u64,
    /// The earliest `at` in the segments.
    pub oldest: Option<Timestamp>,
    /// The latest.
    pub newest: Option<Timestamp>,
    /// The terms of the table, in words.
    pub kept: String,
    /// The first day, `2027-02-20`, on which rows of it may go: that of the oldest, were its term the shortest of the
    /// table; none where all are kept for ever.
    pub first_removal: Option<String>,
    /// The day on which the last of these rows go; none where some are kept for ever.
    pub last_removal: Option<String>,
}

impl Holding {
    /// Bytes a row in segments; none where there are none.
    pub fn bytes_per_row(&self) -> Option<f64> {
        let rows = self.rows.saturating_sub(self.rows_in_memory);
        (rows > 0).then(|| self.bytes as f64 / rows as f64)
    }

    fn empty(table: &Table, period: &str, retention: &Retention) -> Self {
        Self {
            table: table.name.to_owned(),
            period: period.to_owned(),
            rows: 0,
            rows_in_memory: 0,
            segments: 0,
            bytes: 0,
            oldest: None,
            newest: None,
            kept: retention.of(table).described(table),
            first_removal: None,
            last_removal: None,
        }
    }

    fn add(&mut self, segment: &Segment) {
        self.rows += segment.rows();
        self.segments += 1;
        self.bytes += segment.size_bytes();
        self.oldest = self.oldest.into_iter().chain([segment.min_at()]).min();
        self.newest = self.newest.into_iter().chain([segment.max_at()]).max();
    }

    fn date_removals(mut self, table: &Table, retention: &Retention) -> Self {
        let policy = retention.of(table);
        let first = self.oldest.and_then(|at| policy.shortest().ends_on(at.day()));
        let last = self.newest.and_then(|at| policy.longest().ends_on(at.day()));
        self.first_removal = first.and_then(date_of);
        self.last_removal = last.and_then(date_of);
        self
    }
}

impl Snapshot {
    /// What it holds, and when that goes under the terms of `retention`; tables without rows are left out.
    pub fn holdings(&self, detail: Detail, retention: &Retention) -> Vec<Holding> {
        let mut all = Vec::new();
        for table in stored_tables() {
            let mut periods: BTreeMap<String, Holding> = BTreeMap::new();
            for segment in self.segments(table) {
                let period = period_of(segment, detail);
                let holding = periods
                    .entry(period)
                    .or_insert_with_key(|period| Holding::empty(table, period, retention));
                holding.add(segment);
            }
            let in_segments: u64 = periods.values().map(|holding| holding.rows).sum();
            let in_memory = self.rows(table).saturating_sub(in_segments);
            if in_memory > 0 {
                let period = if detail == Detail::Table { "" } else { "unflushed" };
                let holding = periods
                    .entry(period.to_owned())
                    .or_insert_with(|| Holding::empty(table, period, retention));
                holding.rows += in_memory;
                holding.rows_in_memory += in_memory;
            }
            all.extend(periods.into_values().map(|holding| holding.date_removals(table, retention)));
        }
        all
    }
}

fn period_of(segment: &Segment, detail: Detail) -> String {
    let (first, last) = (segment.min_at().day(), segment.max_at().day());
    let name = |day: i32| date_of(day).unwrap_or_else(|| format!("day {day}"));
    let month =
        |day: i32| name(day).rsplit_once('-').map_or_else(|| name(day), |(month, _)| month.to_owned());
    match detail {
        Detail::Table => String::new(),
        Detail::Day if first == last => name(first),
        Detail::Day | Detail::Month if month(first) == month(last) => month(first),
        Detail::Day | Detail::Month => format!("{}..{}", month(first), month(last)),
    }
}
