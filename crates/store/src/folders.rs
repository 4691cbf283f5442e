//! Where things lie in a data folder.
//!
//! ```text
//! meta.db                                    the catalog
//! segments/<table>/day=YYYY-MM-DD/<id>.parquet
//! segments/<table>/mixed/<id>.parquet        rows of many scattered days
//! tmp/                                       files being written; emptied at each start
//! LOCK                                       held by the process that has the folder open
//! ```

use std::path::{Path, PathBuf};

use manometer_model::Timestamp;

const MICROS_PER_DAY: i64 = 86_400_000_000;

/// Name of the partition for rows of days too scattered to have files of their own.
pub(crate) const MIXED: &str = "mixed";

/// The paths of one data folder.
#[derive(Debug, Clone)]
pub(crate) struct Folders {
    pub(crate) data: PathBuf,
}

impl Folders {
    pub(crate) fn new(data: &Path) -> Self {
        Self { data: data.to_owned() }
    }

    pub(crate) fn meta(&self) -> PathBuf {
        self.data.join("meta.db")
    }

    pub(crate) fn write_ahead_log(&self) -> PathBuf {
        self.data.join("meta.db-wal")
    }

    pub(crate) fn segments(&self) -> PathBuf {
        self.data.join("segments")
    }

    pub(crate) fn tmp(&self) -> PathBuf {
        self.data.join("tmp")
    }

    pub(crate) fn lock(&self) -> PathBuf {
        self.data.join("LOCK")
    }

    /// Stands in a folder while a restore fills it.
    pub(crate) fn restoring(&self) -> PathBuf {
        self.data.join("RESTORING")
    }

    /// The whole path of a file named relative to the data folder.
    pub(crate) fn file(&self, relative: &str) -> PathBuf {
        self.data.join(relative)
    }
}

/// Path of a segment below the data folder, with `/`.
pub(crate) fn segment_file(table: &str, partition: &str, id: i64) -> String {
    format!("segments/{table}/{partition}/{id:012}.parquet")
}

/// Name of the partition of a day, counted from 1970-01-01.
pub(crate) fn partition_of_day(day: i32) -> String {
    match date_of(day) {
        Some(date) => format!("day={date}"),
        None => format!("day={day}d"),
    }
}

/// Name of the partition of the month a day is in; `None` for a day no calendar knows.
pub(crate) fn partition_of_month(day: i32) -> Option<String> {
    let date = date_of(day)?;
    let (month, _) = date.rsplit_once('-')?;
    Some(format!("month={month}"))
}

/// `2026-11-21`; `None` for a day no calendar knows.
pub(crate) fn date_of(day: i32) -> Option<String> {
    let midnight = Timestamp::from_micros(i64::from(day).saturating_mul(MICROS_PER_DAY)).to_string();
    midnight.split_once('T').map(|(date, _)| date.to_owned())
}
