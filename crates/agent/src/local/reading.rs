//! Reading backwards: the newest day first, and in it the newest record first.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use manometer_model::{Problem, Problems, Timestamp};
use serde::Deserialize;

use super::append::settled_length;
use super::error::LocalError;
use super::lines::{LinePlace, Lines};
use super::record::RunRecord;
use super::{RECORD_BYTES, UnreadableRecord};

/// Longest time a reader waits for a moment between two writes.
const LENGTH_PATIENCE: Duration = Duration::from_millis(50);
const DAY_SECONDS: f64 = 86_400.0;

/// Name of the file a record of this time belongs in.
pub(super) fn file_name(time: Timestamp) -> String {
    format!("{}.jsonl", date(time))
}

/// The date in UTC: `2026-11-21`.
pub(super) fn date(time: Timestamp) -> String {
    time.to_string().split('T').next().unwrap_or_default().to_owned()
}

/// The files of all days, by date.
#[derive(Debug, Default)]
pub(super) struct DayFiles {
    by_date: BTreeMap<String, Vec<PathBuf>>,
}

impl DayFiles {
    /// Lists the folders; one that does not exist holds nothing.
    pub(super) fn list<'a>(folders: impl Iterator<Item = &'a PathBuf>) -> Result<Self, LocalError> {
        let mut files = Self::default();
        for folder in folders {
            let failed = |cause| LocalError::new("read", folder, cause);
            let entries = match fs::read_dir(folder) {
                Ok(entries) => entries,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(failed(error)),
            };
            for entry in entries {
                let path = entry.map_err(failed)?.path();
                if let Some(date) = date_of_file(&path) {
                    files.by_date.entry(date).or_default().push(path);
                }
            }
        }
        Ok(files)
    }

    /// The files of each day that may hold records of the range. Other programs name files by local time, so a day
    /// more is taken on both sides.
    pub(super) fn newest_first(
        &self,
        since: Option<Timestamp>,
        until: Option<Timestamp>,
    ) -> impl Iterator<Item = &[PathBuf]> {
        let first = since.map(|time| date(time.plus_seconds(-DAY_SECONDS)));
        let last = until.map(|time| date(time.plus_seconds(DAY_SECONDS)));
        self.by_date
            .iter()
            .rev()
            .filter(move |(date, _)| last.as_ref().is_none_or(|last| *date <= last))
            .take_while(move |(date, _)| first.as_ref().is_none_or(|first| *date >= first))
            .map(|(_, paths)| paths.as_slice())
    }

    /// The files of days before this one.
    pub(super) fn before(&self, time: Timestamp) -> impl Iterator<Item = &PathBuf> {
        self.by_date.range(..date(time)).flat_map(|(_, paths)| paths)
    }
}

/// `2026-11-21.jsonl` and nothing else.
fn date_of_file(path: &Path) -> Option<String> {
    let date = path.file_name()?.to_str()?.strip_suffix(".jsonl")?;
    let is_date = date.len() == 10
        && date.bytes().enumerate().all(|(position, byte)| match position {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    is_date.then(|| date.to_owned())
}

/// Where one record lies: 24 bytes, so that a day of a million runs takes 24 MB.
#[derive(Debug, Clone, Copy)]
struct RecordPlace {
    time: Timestamp,
    offset: u64,
    line: u32,
    file: u32,
}

/// The files of one day, read from the newest record to the oldest.
#[derive(Debug)]
pub(super) struct Day {
    files: Vec<(PathBuf, BufReader<File>)>,
    /// Oldest first: the next one to read is the last.
    places: Vec<RecordPlace>,
}

/// What decides about order; the rest of a line is checked to be JSON and passed over.
#[derive(Deserialize)]
struct Header<'a> {
    #[serde(borrow)]
    timestamp: Option<std::borrow::Cow<'a, str>>,
}

impl Day {
    /// Finds the records of the range in the files of one day.
    pub(super) fn open(
        paths: &[PathBuf],
        since: Option<Timestamp>,
        until: Option<Timestamp>,
        problems: &mut Problems,
    ) -> Result<Self, LocalError> {
        let mut day = Self { files: Vec::new(), places: Vec::new() };
        for path in paths {
            let failed = |cause| LocalError::new("read", path, cause);
            let mut file = File::open(path).map_err(failed)?;
            day.index(path, &mut file, problems).map_err(failed)?;
            day.files.push((path.clone(), BufReader::new(file)));
        }
        day.places.retain(|place| {
            since.is_none_or(|since| place.time >= since) && until.is_none_or(|until| place.time < until)
        });
        // Of two records of one moment the one written later is the newer.
        day.places.sort_by_key(|place| (place.time, place.file, place.offset));
        Ok(day)
    }

    fn index(&mut self, path: &Path, file: &mut File, problems: &mut Problems) -> io::Result<()> {
        let length = settled_length(file, LENGTH_PATIENCE)?;
        let file_number = self.files.len() as u32;
        let mut lines = Lines::new(BufReader::with_capacity(1 << 16, file.take(length)), RECORD_BYTES);
        while let Some((place, content)) = lines.next_line()? {
            if content.trim_ascii().is_empty() && !place.is_too_long {
                continue;
            }
            match time_of(place, content) {
                Ok(time) => self.places.push(RecordPlace {
                    time,
                    offset: place.offset,
                    line: place.number,
                    file: file_number,
                }),
                Err(reason) => problems.push_with(|| problem(path, place.number, reason)),
            }
        }
        Ok(())
    }

    /// The newest record not read yet.
    pub(super) fn next_record(&mut self, problems: &mut Problems) -> Result<Option<RunRecord>, LocalError> {
        while let Some(place) = self.places.pop() {
            let Some((path, file)) = self.files.get_mut(place.file as usize) else { continue };
            let content =
                line_at(file, place.offset).map_err(|cause| LocalError::new("read", &*path, cause))?;
            match RunRecord::parse(&content) {
                Ok((record, faults)) => {
                    for fault in faults {
                        problems.push_with(|| problem(path, place.line, fault));
                    }
                    return Ok(Some(record));
                }
                Err(error) => problems.push_with(|| problem(path, place.line, error.to_string())),
            }
        }
        Ok(None)
    }
}

fn line_at(file: &mut BufReader<File>, offset: u64) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(offset))?;
    let mut lines = Lines::new(file, RECORD_BYTES);
    Ok(lines.next_line()?.map(|(_, content)| content.to_vec()).unwrap_or_default())
}

fn time_of(place: LinePlace, content: &[u8]) -> Result<Timestamp, String> {
    if place.is_too_long {
        return Err(format!("is longer than {RECORD_BYTES} bytes; skipped"));
    }
    let header: Header<'_> = serde_json::from_slice(content).map_err(|error| {
        if place.is_ended {
            UnreadableRecord::NotAnObject(error.to_string()).to_string()
        } else {
            "is unfinished: its writer was stopped inside it; skipped".to_owned()
        }
    })?;
    header
        .timestamp
        .and_then(|text| Timestamp::parse_lenient(&text).ok())
        .ok_or_else(|| UnreadableRecord::Field { field: "timestamp", expected: "RFC 3339" }.to_string())
}

fn problem(path: &Path, line: u32, message: String) -> Problem {
    Problem::new(message).in_file(path.display().to_string()).at_line(u64::from(line))
}
