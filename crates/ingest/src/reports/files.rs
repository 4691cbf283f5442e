//! The files of an upload, one after the other, into one delivery.

use std::collections::BTreeSet;
use std::io::BufRead;

use manometer_formats::sizes::image;
use manometer_formats::sizes::wheel::Wheel;
use manometer_formats::{Kind, ReadError, detect, measured, test_report};
use manometer_model::{Limits, Problem, Problems, Timestamp};

use super::measured::MeasuredRows;
use super::run::RunClaims;
use super::test_rows::TestRows;
use crate::admission::Admission;
use crate::context::Context;
use crate::decompress::{FileVisitor, Source, UnpackError};
use crate::error::IngestError;
use crate::receipt::FileReport;
use crate::records::RecordRows;
use crate::rows::RowSink;

/// Takes files and remembers what became of each.
pub(super) struct ReportFiles<'a> {
    context: &'a Context,
    admission: &'a Admission,
    limits: &'a Limits,
    received_at: Timestamp,
    writer: &'a mut dyn RowSink,
    claims: RunClaims,
    reports: Vec<FileReport>,
    problems: Problems,
    refusal: Option<IngestError>,
}

/// What an upload was made of.
pub(super) struct Taken {
    pub(super) reports: Vec<FileReport>,
    pub(super) problems: Problems,
}

impl Taken {
    /// The kinds of its files, joined with commas.
    pub(super) fn kinds(&self) -> String {
        let kinds: BTreeSet<&str> =
            self.reports.iter().filter(|report| report.taken).map(|report| report.kind.as_str()).collect();
        kinds.into_iter().collect::<Vec<_>>().join(",")
    }
}

impl<'a> ReportFiles<'a> {
    pub(super) fn new(
        context: &'a Context,
        admission: &'a Admission,
        limits: &'a Limits,
        received_at: Timestamp,
        writer: &'a mut dyn RowSink,
    ) -> Self {
        Self {
            context,
            admission,
            limits,
            received_at,
            writer,
            claims: RunClaims::default(),
            reports: Vec::new(),
            problems: Problems::new(),
            refusal: None,
        }
    }

    /// Notes a part that could not be opened at all.
    pub(super) fn part_failed(&mut self, name: &str, error: &UnpackError) {
        self.unreadable(name, error.to_string());
    }

    /// Ends the upload: the run's own row, and the account of the files.
    pub(super) fn finish(self) -> Result<Taken, IngestError> {
        if let Some(refusal) = self.refusal {
            return Err(refusal);
        }
        if !self.reports.iter().any(|report| report.taken) {
            return Err(IngestError::NothingReadable { files: self.reports, problems: self.problems });
        }
        if self.claims.has_reports() {
            self.claims.append(self.context, self.received_at, self.writer)?;
        }
        Ok(Taken { reports: self.reports, problems: self.problems })
    }

    fn read_tests(
        &mut self,
        format: &test_report::Format,
        content: &mut dyn BufRead,
    ) -> Result<(FileReport, Problems), IngestError> {
        let mut rows = TestRows::new(self.context, self.received_at, self.writer);
        let outcome = (format.read)(content, self.limits, &mut rows);
        let written = rows.finish()?;
        let tests = written.tests;
        let mut report = empty_report(format.name);
        let problems = match outcome {
            Ok(summary) => {
                report.suites = summary.suites;
                report.taken = true;
                self.claims.add(&summary, written.failures);
                summary.problems
            }
            Err(error) => {
                report.taken = tests > 0 || written.builds > 0;
                one_problem(broken_off(&error, tests, "tests"))
            }
        };
        report.tests = tests;
        report.builds = written.builds;
        Ok((report, problems))
    }

    fn read_measured(
        &mut self,
        format: &measured::Format,
        content: &mut dyn BufRead,
    ) -> Result<(FileReport, Problems), IngestError> {
        let mut rows = MeasuredRows::new(self.context, self.received_at, self.writer);
        let outcome = (format.read)(content, self.limits, &mut rows);
        let mut report = empty_report(format.name);
        report.records = rows.finish()?;
        let problems = match outcome {
            Ok(summary) => {
                describe(&mut report, &summary);
                report.taken = true;
                self.claims.add_measured();
                summary.problems
            }
            Err(error) => {
                report.taken = report.records > 0;
                one_problem(broken_off(&error, report.records, "rows"))
            }
        };
        Ok((report, problems))
    }

    fn read_records(&mut self, content: &mut dyn BufRead) -> Result<(FileReport, Problems), IngestError> {
        let rows = RecordRows::new(self.admission, self.received_at, self.writer);
        let taken = rows.read(content, self.limits)?;
        let mut report = empty_report("records");
        report.records = taken.records;
        report.taken = taken.records > 0;
        Ok((report, taken.problems))
    }

    fn note(&mut self, name: &str, mut report: FileReport, problems: Problems) {
        name.clone_into(&mut report.name);
        report.problems = problems.total;
        self.problems.absorb(problems, Some(name));
        self.reports.push(report);
    }
}

impl ReportFiles<'_> {
    /// Gives the rows of something that is measured as a whole; `None` when it is nothing of the kind.
    fn measure(
        &mut self,
        name: &str,
        kind: &str,
        measure: impl FnOnce(&mut MeasuredRows<'_>) -> Result<Option<measured::Summary>, ReadError>,
    ) -> bool {
        if self.refusal.is_some() {
            return true;
        }
        let mut rows = MeasuredRows::new(self.context, self.received_at, self.writer);
        let outcome = measure(&mut rows);
        let mut report = empty_report(kind);
        match rows.finish() {
            Ok(count) => report.records = count,
            Err(refusal) => {
                self.refusal = Some(refusal);
                return true;
            }
        }
        match outcome {
            Ok(Some(summary)) => {
                describe(&mut report, &summary);
                report.taken = report.records > 0;
                if report.taken {
                    self.claims.add_measured();
                }
                self.note(name, report, summary.problems);
            }
            Ok(None) => return false,
            Err(error) => self.note(name, report, one_problem(Problem::new(error.to_string()))),
        }
        true
    }
}

impl FileVisitor for ReportFiles<'_> {
    fn archive(&mut self, name: &str, packed_bytes: u64, files: &[(String, u64)]) -> bool {
        let wheel = Wheel::of(files);
        self.measure(name, "wheel", |rows| Ok(wheel.finish(packed_bytes, rows)))
    }

    fn tarball(&mut self, name: &str, mut source: &mut dyn Source) -> bool {
        let file = name.rsplit(['/', '\\']).next().unwrap_or(name);
        let image_name = file.split('.').next().unwrap_or(file).to_owned();
        self.measure(name, "image", |rows| image::read(&mut source, &image_name, rows))
    }

    fn file(&mut self, name: &str, content: &mut dyn BufRead) {
        if self.refusal.is_some() {
            return;
        }
        let kind = match content.fill_buf() {
            Ok(start) => detect(start),
            Err(error) => Err(ReadError::Io(error)),
        };
        let outcome = match kind {
            Ok(Kind::Tests(format)) => self.read_tests(format, content),
            Ok(Kind::Measured(format)) => self.read_measured(format, content),
            Ok(Kind::Records) => self.read_records(content),
            Err(error) => return self.unreadable(name, error.to_string()),
        };
        match outcome {
            Ok((report, problems)) => self.note(name, report, problems),
            Err(refusal) => self.refusal = Some(refusal),
        }
    }

    fn unreadable(&mut self, name: &str, why: String) {
        self.note(name, empty_report("unknown"), one_problem(Problem::new(why)));
    }
}

fn empty_report(kind: &str) -> FileReport {
    FileReport { kind: kind.to_owned(), ..FileReport::default() }
}

/// Says what a report of measurements was made of.
fn describe(report: &mut FileReport, summary: &measured::Summary) {
    let lines = summary.lines.unwrap_or_default();
    report.packages = summary.packages;
    report.files = summary.files;
    report.lines_covered = lines.covered;
    report.lines_valid = lines.valid;
    report.builds = summary.builds;
    report.artifacts = summary.artifacts;
}

/// What is said of a file whose reading failed after some of it was taken.
fn broken_off(error: &ReadError, taken: u64, what: &str) -> Problem {
    match taken {
        0 => Problem::new(error.to_string()),
        _ => Problem::new(format!("{error}; the {taken} {what} before that were kept")),
    }
}

fn one_problem(problem: Problem) -> Problems {
    let mut problems = Problems::new();
    problems.push(problem);
    problems
}
