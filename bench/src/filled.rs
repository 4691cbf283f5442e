//! Stores that are filled once, and asked in many runs.

use std::path::{Path, PathBuf};

use manometer_bench_readers::figures::timed;
use manometer_model::{Problems, Timestamp};
use manometer_store::{DeliveryInfo, DeliveryKey};

use crate::report::note;

/// When made-up histories begin, in seconds since 1970: 2026-01-01.
pub(crate) const FIRST_SECOND: i64 = 1_767_225_600;

/// The data folder of this name, which holds so many rows; filled when it is not there yet, or not whole.
pub(crate) fn filled(
    folder: &Path,
    name: &str,
    rows: u64,
    fill: impl FnOnce(&Path) -> anyhow::Result<()>,
) -> anyhow::Result<PathBuf> {
    let data = folder.join(name);
    let complete = data.join("complete");
    if complete.is_file() {
        return Ok(data);
    }
    if data.exists() {
        std::fs::remove_dir_all(&data)?;
    }
    note(&format!("filling {rows} rows into {}, once", data.display()));
    let (seconds, filled) = timed(|| fill(&data));
    filled?;
    note(&format!("filled in {seconds:.0} s"));
    std::fs::write(complete, "")?;
    Ok(data)
}

/// What is said of the delivery that brings a day.
pub(crate) fn delivery_of_day(day: u64, received_at: Timestamp) -> DeliveryInfo {
    DeliveryInfo {
        key: DeliveryKey { scope: "bench".to_owned(), key: day.to_string() },
        body_hash: u128::from(day),
        source: "bench".to_owned(),
        kind: "junit".to_owned(),
        project: None,
        received_at,
        size_bytes: 0,
        problems: Problems::new(),
        permanent: true,
    }
}
