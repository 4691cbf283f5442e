//! LCOV tracefiles (`geninfo(1)`), as lcov, gcovr, c8, nyc, Jest, Vitest, llvm-cov, grcov, tarpaulin and Dart write them.
//!
//! ```text
//! SF:path   FN:line,name   FNDA:calls,name   FNL:index,line   FNA:index,calls,name   BRDA:line,block,branch,taken
//! DA:line,calls   LF LH FNF FNH BRF BRH: stated counts   end_of_record
//! ```
//!
//! One file may have several sections, one for each test: they are merged by line, by the place of a branch, and by
//! the name (`FN`) or first line (`FNL`) of a function. Counts that a section states are compared with what it
//! lists, and stand where it lists nothing. MC/DC and checksums are read past.

use std::collections::HashMap;
use std::io::BufRead;

use manometer_model::{Limits, Problem, Problems};
use xxhash_rust::xxh3::xxh3_64;

use super::numbers::{self, NumberError};
use super::tally::{FileAt, Tally};
use crate::ReadError;
use crate::detect::Look;
use crate::measured::{Counts, MeasuredSink, Share, Summary};
use crate::text_lines::TextLines;

/// Reads an LCOV tracefile.
///
/// # Errors
/// When the input fails, is empty, or has no section of a source file.
pub fn read(
    input: &mut dyn BufRead,
    limits: &Limits,
    sink: &mut dyn MeasuredSink,
) -> Result<Summary, ReadError> {
    let mut lines = TextLines::open(input, limits)?;
    let mut reading = Lcov { tally: Tally::new(limits), section: None, has_sections: false };
    let mut problems = Problems::new();
    let (mut last, mut is_empty) = (0, true);
    while let Some((number, line)) = lines.next(&mut problems)? {
        is_empty = false;
        last = number;
        reading.line(number, line);
        if reading.tally.is_full() {
            break;
        }
    }
    if is_empty {
        return Err(ReadError::Empty);
    }
    if !reading.has_sections {
        return Err(ReadError::UnknownFormat {
            found: "no line with `SF:`".to_owned(),
            expected: "expected an LCOV tracefile",
        });
    }
    if reading.section.is_some() && !reading.tally.is_full() {
        let message = "the file ends inside a section (no `end_of_record`)";
        reading.tally.ended_early(Problem::new(message).at_line(last));
    }
    let mut summary = reading.tally.finish(sink);
    summary.problems.absorb(problems, None);
    Ok(summary)
}

/// Does it begin with records of a tracefile?
pub(crate) fn claims(look: &Look<'_>) -> bool {
    let mut lines =
        look.text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let Some(first) = lines.next() else { return false };
    first.starts_with("SF:")
        || first.starts_with("TN:") && lines.next().is_none_or(|next| next.starts_with("SF:"))
}

struct Lcov {
    tally: Tally,
    section: Option<Section>,
    has_sections: bool,
}

/// From `SF:` to `end_of_record`.
struct Section {
    file: FileAt,
    begins_at: u64,
    /// Only what is listed here for the first time can be compared with what is stated.
    is_first: bool,
    stated: [Option<u64>; 6],
    /// First lines of the functions of `FNL`, by their index.
    functions: HashMap<u64, u64>,
}

/// The records that state counts, as they stand in [`Section::stated`].
const STATED: [&str; 6] = ["LH", "LF", "BRH", "BRF", "FNH", "FNF"];

/// Functions of one file that are told apart by `FNL`.
const MOST_FUNCTIONS: usize = 100_000;

impl Lcov {
    fn line(&mut self, number: u64, line: &str) {
        if line.starts_with('#') {
            return;
        }
        if line == "end_of_record" {
            self.end_section();
            return;
        }
        let Some((record, value)) = line.split_once(':') else {
            self.problem(number, "record", "not a record of a tracefile, left out");
            return;
        };
        if record == "SF" {
            self.begin_section(number, value);
            return;
        }
        if matches!(record, "TN" | "VER" | "MCDC" | "MCF" | "MCH") {
            return;
        }
        let Some(section) = &mut self.section else {
            self.problem(number, record, "outside of a section of a source file, left out");
            return;
        };
        let outcome = match record {
            "DA" => listed_line(&mut self.tally, section.file, value),
            "BRDA" => listed_branch(&mut self.tally, section.file, value),
            "FN" => name_of_function(value).map(|name| {
                self.tally.function(section.file, xxh3_64(name.as_bytes()), false);
            }),
            "FNDA" => called_function(value).map(|(name, was_called)| {
                self.tally.function(section.file, xxh3_64(name.as_bytes()), was_called);
            }),
            "FNL" => section.place_of_function(value).map(|place| {
                self.tally.function(section.file, place, false);
            }),
            "FNA" => section.called_alias(value).map(|(place, was_called)| {
                self.tally.function(section.file, place, was_called);
            }),
            _ => match STATED.iter().position(|known| *known == record) {
                Some(place) => numbers::count(value).map(|count| section.stated[place] = Some(count)),
                None => {
                    self.problem(number, record, "not a known record, left out");
                    return;
                }
            },
        };
        if let Err(error) = outcome {
            let shown = value.get(..value.floor_char_boundary(64)).unwrap_or_default();
            self.problem(number, record, &format!("`{shown}` is {error}"));
        }
    }

    fn begin_section(&mut self, number: u64, path: &str) {
        if self.section.is_some() {
            self.problem(number, "SF", "begins before the section above has ended");
            self.end_section();
        }
        if path.trim().is_empty() {
            self.problem(number, "SF", "empty, the section was left out");
            return;
        }
        self.has_sections = true;
        self.tally.begin_part();
        let (file, is_first) = self.tally.file_or_new(path, None);
        self.section =
            Some(Section { file, begins_at: number, is_first, stated: [None; 6], functions: HashMap::new() });
    }

    fn end_section(&mut self) {
        let Some(section) = self.section.take() else { return };
        let [lines_hit, lines, branches_hit, branches, functions_hit, functions] = section.stated;
        let stated = Counts {
            lines: Share::of(lines_hit, lines),
            branches: Share::of(branches_hit, branches),
            functions: Share::of(functions_hit, functions),
        };
        if section.is_first {
            let listed = self.tally.counts_of_file(section.file);
            for (field, stated, listed) in [
                ("LF", stated.lines, listed.lines),
                ("BRF", stated.branches, listed.branches),
                ("FNF", stated.functions, listed.functions),
            ] {
                if let (Some(stated), Some(listed)) = (stated, listed)
                    && stated != listed
                {
                    let message = format!(
                        "the section states {} of {}, and lists {} of {}: what it lists counts",
                        stated.covered, stated.valid, listed.covered, listed.valid
                    );
                    self.problem(section.begins_at, field, &message);
                }
            }
        }
        self.tally.stated_of_file(section.file, stated);
        self.tally.end_part();
    }

    fn problem(&mut self, number: u64, field: &str, message: &str) {
        let field: String = field.chars().take(64).collect();
        self.tally.summary.problems.push_with(|| Problem::new(message).at_line(number).in_field(field));
    }
}

impl Section {
    /// `FNL:index,line[,last line]`
    fn place_of_function(&mut self, value: &str) -> Result<u64, NumberError> {
        let mut parts = value.split(',');
        let index = numbers::count(parts.next().unwrap_or_default())?;
        let line = numbers::count(parts.next().unwrap_or_default())?;
        if self.functions.len() >= MOST_FUNCTIONS {
            return Err(NumberError::TooLarge);
        }
        self.functions.insert(index, line);
        Ok(line)
    }

    /// `FNA:index,calls,name`
    fn called_alias(&self, value: &str) -> Result<(u64, bool), NumberError> {
        let mut parts = value.splitn(3, ',');
        let index = numbers::count(parts.next().unwrap_or_default())?;
        let was_called = numbers::was_executed(parts.next().unwrap_or_default())?;
        self.functions.get(&index).map(|line| (*line, was_called)).ok_or(NumberError::NotANumber)
    }
}

/// `DA:line,calls[,checksum]`
fn listed_line(tally: &mut Tally, file: FileAt, value: &str) -> Result<(), NumberError> {
    let mut parts = value.split(',');
    let line = numbers::line_number(parts.next().unwrap_or_default())?;
    let was_executed = numbers::was_executed(parts.next().unwrap_or_default())?;
    tally.line(file, line, was_executed);
    Ok(())
}

/// `BRDA:line,[e]block,branch,taken`, where `-` is a branch whose line was not executed. Block and branch may be
/// any text without commas (newer lcov writes expressions).
fn listed_branch(tally: &mut Tally, file: FileAt, value: &str) -> Result<(), NumberError> {
    let (place, taken) = value.rsplit_once(',').ok_or(NumberError::NotANumber)?;
    numbers::line_number(place.split(',').next().unwrap_or_default())?;
    let was_taken = match taken.trim() {
        "-" => false,
        taken => numbers::was_executed(taken)?,
    };
    tally.branches(file, xxh3_64(place.as_bytes()), u32::from(was_taken), 1);
    Ok(())
}

/// `FN:line,[last line,]name`
fn name_of_function(value: &str) -> Result<&str, NumberError> {
    let (line, rest) = value.split_once(',').ok_or(NumberError::NotANumber)?;
    numbers::count(line)?;
    match rest.split_once(',') {
        Some((last_line, name)) if numbers::count(last_line).is_ok() => Ok(name),
        _ => Ok(rest),
    }
}

/// `FNDA:calls,name`
fn called_function(value: &str) -> Result<(&str, bool), NumberError> {
    let (calls, name) = value.split_once(',').ok_or(NumberError::NotANumber)?;
    Ok((name, numbers::was_executed(calls)?))
}
