//! The files of one report while it is read, and the rows they become.

use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;

use manometer_model::{Limits, Problem};
use xxhash_rust::xxh3::xxh3_64;

use crate::measured::{Counts, CoverageRow, Measured, MeasuredSink, Scope, Share, Summary};

/// Memory that the files of one report may take.
const MOST_BYTES: usize = 64 << 20;

/// What one entry of a map is counted as, keys, values and the map's own room together.
const ENTRY_BYTES: usize = 40;

/// What a file is counted as, besides its name and entries.
const FILE_BYTES: usize = 320;

/// A package of the tally.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PackageAt(usize);

/// A file of the tally.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FileAt(usize);

/// Collects what a report says of each file.
#[derive(Debug)]
pub(super) struct Tally {
    packages: Vec<String>,
    files: Vec<File>,
    /// Where a package or file of that name is, by the hash of the name.
    packages_by_name: HashMap<u64, usize>,
    files_by_name: HashMap<u64, usize>,
    name_bytes: usize,
    used_bytes: usize,
    /// What the report itself says of the whole.
    stated: Counts,
    /// Are branches that a file states counted, where it lists fewer?
    pub(super) counts_unlisted_branches: bool,
    /// How many files there were when the part being read began: what came since may be incomplete.
    whole_files: Option<usize>,
    pub(super) summary: Summary,
}

#[derive(Debug, Default)]
struct File {
    name: String,
    package: Option<usize>,
    lines: Lines,
    /// Statements that are counted without their lines: identity → executed, of how many.
    statements: Marks,
    branches: Marks,
    functions: Marks,
    /// For formats that give counts and no details.
    stated: Counts,
}

/// Line numbers / 64 → which of these 64 could be executed, and which were.
type Lines = BTreeMap<u32, (u64, u64)>;

/// Identity → so many executed, of so many.
type Marks = BTreeMap<u64, (u32, u32)>;

impl Tally {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            packages: Vec::new(),
            files: Vec::new(),
            packages_by_name: HashMap::new(),
            files_by_name: HashMap::new(),
            name_bytes: limits.name_bytes,
            used_bytes: 0,
            stated: Counts::default(),
            counts_unlisted_branches: false,
            whole_files: None,
            summary: Summary::default(),
        }
    }

    /// Is there no room for more? Then nothing new is taken, and the reading may as well end.
    pub(super) fn is_full(&self) -> bool {
        self.used_bytes >= MOST_BYTES
    }

    pub(super) fn has_files(&self) -> bool {
        !self.files.is_empty()
    }

    /// A part begins (a class, a section, a module) whose files are incomplete until it ends.
    pub(super) fn begin_part(&mut self) {
        self.whole_files = Some(self.files.len());
    }

    /// The part has ended.
    pub(super) fn end_part(&mut self) {
        self.whole_files = None;
    }

    /// The report breaks off: new files of the part it breaks off in are left out, and there is no total but the
    /// one that is stated, because one of half a report would look like a fall.
    pub(super) fn ended_early(&mut self, problem: Problem) {
        self.summary.problems.push(problem);
        self.summary.truncated = true;
        if let Some(whole) = self.whole_files {
            self.files.truncate(whole);
        }
    }

    /// The package of that name, known or new.
    pub(super) fn package(&mut self, name: &str) -> PackageAt {
        let name = clipped(name, self.name_bytes);
        let next = self.packages.len();
        if self.is_full() {
            return PackageAt(self.packages_by_name.get(&xxh3_64(name.as_bytes())).copied().unwrap_or(next));
        }
        let at = *self.packages_by_name.entry(xxh3_64(name.as_bytes())).or_insert(next);
        if at == next {
            self.packages.push(name.to_owned());
            self.used_bytes += name.len() + ENTRY_BYTES + size_of::<String>();
        }
        PackageAt(at)
    }

    /// The file of that name, known or new. Backslashes of Windows become slashes, `./` at the start is left out.
    pub(super) fn file(&mut self, name: &str, package: Option<PackageAt>) -> FileAt {
        self.file_or_new(name, package).0
    }

    /// The same, and whether it is new.
    pub(super) fn file_or_new(&mut self, name: &str, package: Option<PackageAt>) -> (FileAt, bool) {
        let portable = portable_path(name);
        let name = clipped(&portable, self.name_bytes);
        if name.len() < portable.len() {
            let limit = self.name_bytes;
            self.summary.problems.push_with(|| {
                Problem::new(format!("longer than {limit} bytes, the rest was cut off")).in_field("file")
            });
        }
        let next = self.files.len();
        if self.is_full() {
            // Past the last file: whatever is said of it is not taken.
            let known = self.files_by_name.get(&xxh3_64(name.as_bytes())).copied();
            return (FileAt(known.unwrap_or(next)), false);
        }
        let at = *self.files_by_name.entry(xxh3_64(name.as_bytes())).or_insert(next);
        if at == next {
            self.used_bytes += name.len() + FILE_BYTES;
            let package = package.map(|PackageAt(package)| package);
            self.files.push(File { name: name.to_owned(), package, ..File::default() });
        }
        (FileAt(at), at == next)
    }

    /// A line that can be executed, and whether it was.
    pub(super) fn line(&mut self, FileAt(file): FileAt, line: u32, is_covered: bool) {
        let is_full = self.is_full();
        let Some(file) = self.files.get_mut(file) else { return };
        if is_full && !file.lines.contains_key(&(line / 64)) {
            return;
        }
        let used = &mut self.used_bytes;
        let block = file.lines.entry(line / 64).or_insert_with(|| {
            *used += ENTRY_BYTES;
            (0, 0)
        });
        let bit = 1_u64 << (line % 64);
        block.0 |= bit;
        block.1 |= if is_covered { bit } else { 0 };
    }

    /// `valid` statements known by `identity`, of which `covered` were executed.
    pub(super) fn statements(&mut self, file: FileAt, identity: u64, covered: u32, valid: u32) {
        self.mark(file, |file| &mut file.statements, identity, covered, valid);
    }

    /// `valid` branches known by `identity`, of which `covered` were taken.
    pub(super) fn branches(&mut self, file: FileAt, identity: u64, covered: u32, valid: u32) {
        self.mark(file, |file| &mut file.branches, identity, covered, valid);
    }

    /// A function, known by `identity`.
    pub(super) fn function(&mut self, file: FileAt, identity: u64, is_covered: bool) {
        self.mark(file, |file| &mut file.functions, identity, u32::from(is_covered), 1);
    }

    fn mark(
        &mut self,
        FileAt(file): FileAt,
        marks: fn(&mut File) -> &mut Marks,
        identity: u64,
        covered: u32,
        valid: u32,
    ) {
        let is_full = self.is_full();
        let Some(file) = self.files.get_mut(file) else { return };
        if is_full && !marks(file).contains_key(&identity) {
            return;
        }
        let used = &mut self.used_bytes;
        let known = marks(file).entry(identity).or_insert_with(|| {
            *used += ENTRY_BYTES;
            (0, 0)
        });
        known.1 = known.1.max(valid);
        known.0 = known.0.max(covered).min(known.1);
    }

    /// Counts that a report states for a file, for what it gives no details of.
    pub(super) fn stated_of_file(&mut self, FileAt(file): FileAt, counts: Counts) {
        if let Some(file) = self.files.get_mut(file) {
            let stated = &mut file.stated;
            stated.lines = larger(stated.lines, counts.lines);
            stated.branches = larger(stated.branches, counts.branches);
            stated.functions = larger(stated.functions, counts.functions);
        }
    }

    /// Counts that a report states for the whole.
    pub(super) fn stated_total(&mut self, counts: Counts) {
        self.stated = counts;
    }

    /// What was found in a file so far.
    pub(super) fn counts_of_file(&self, FileAt(file): FileAt) -> Counts {
        self.files.get(file).map(|file| self.counts_of(file)).unwrap_or_default()
    }

    fn counts_of(&self, file: &File) -> Counts {
        let mut counts = file.counts();
        if self.counts_unlisted_branches
            && let Some(stated) = file.stated.branches
            && stated.valid > counts.branches.unwrap_or_default().valid
        {
            counts.branches = Some(stated);
        }
        counts
    }

    /// Gives every row to the sink: the total, the packages, the files.
    pub(super) fn finish(mut self, sink: &mut dyn MeasuredSink) -> Summary {
        if self.is_full() && !self.summary.truncated {
            self.ended_early(Problem::new(format!(
                "more files, lines, branches and functions than fit in {} MiB, the rest was not read",
                MOST_BYTES >> 20
            )));
        }
        let mut total = Counts::default();
        let mut of_packages = vec![(Counts::default(), false); self.packages.len()];
        let of_files: Vec<Counts> = self.files.iter().map(|file| self.counts_of(file)).collect();
        for (file, counts) in self.files.iter().zip(&of_files) {
            add(&mut total, *counts);
            if let Some((package, has_files)) = file.package.and_then(|package| of_packages.get_mut(package))
            {
                add(package, *counts);
                *has_files = true;
            }
        }
        self.compare_with_stated(total);
        let measured = Asked::of(if self.has_files() { total } else { self.stated });
        if self.files.is_empty() || self.summary.truncated {
            total = self.stated;
            of_packages.fill((Counts::default(), false));
        }
        self.summary.lines = total.lines;
        self.summary.packages = of_packages.iter().filter(|(_, has_files)| *has_files).count() as u64;
        self.summary.files = self.files.len() as u64;
        // The sink may have enough at any row; the reading is over either way.
        let _flow = self.give(sink, measured, total, &of_packages, &of_files);
        self.summary
    }

    fn give(
        &self,
        sink: &mut dyn MeasuredSink,
        measured: Asked,
        total: Counts,
        of_packages: &[(Counts, bool)],
        of_files: &[Counts],
    ) -> ControlFlow<()> {
        let mut row = |scope, counts| {
            sink.row(&Measured::Coverage(CoverageRow { scope, counts: measured.of_scope(counts) }))
        };
        if total != Counts::default() {
            row(Scope::Total, total)?;
        }
        for (name, (counts, has_files)) in self.packages.iter().zip(of_packages) {
            if *has_files {
                row(Scope::Package(name), *counts)?;
            }
        }
        for (file, counts) in self.files.iter().zip(of_files) {
            row(Scope::File(&file.name), *counts)?;
        }
        ControlFlow::Continue(())
    }

    fn compare_with_stated(&mut self, found: Counts) {
        if self.files.is_empty() || self.summary.truncated {
            return;
        }
        let pairs = [
            ("lines", self.stated.lines, found.lines),
            ("branches", self.stated.branches, found.branches),
            ("functions", self.stated.functions, found.functions),
        ];
        for (what, stated, found) in pairs {
            let (Some(stated), found) = (stated, found.unwrap_or_default()) else { continue };
            if stated != found {
                self.summary.problems.push(
                    Problem::new(format!(
                        "the report states {} of {} for the whole, its files make {} of {}: the files count",
                        stated.covered, stated.valid, found.covered, found.valid
                    ))
                    .in_field(what),
                );
            }
        }
    }
}

impl File {
    fn counts(&self) -> Counts {
        let mut lines = shares_of_lines(&self.lines);
        if let Some(statements) = shares_of_marks(&self.statements) {
            add_share(&mut lines, Some(statements));
        }
        Counts {
            lines: lines.or(self.stated.lines),
            branches: shares_of_marks(&self.branches).or(self.stated.branches),
            functions: shares_of_marks(&self.functions).or(self.stated.functions),
        }
    }
}

/// Which counts a report is about at all. Where it is about branches, a file without any has 0 of 0; where it is
/// not, nothing is known of them.
#[derive(Debug, Clone, Copy)]
struct Asked {
    lines: bool,
    branches: bool,
    functions: bool,
}

impl Asked {
    fn of(total: Counts) -> Self {
        let is_some = |share: Option<Share>| share.is_some_and(|share| share.valid > 0);
        Self {
            lines: total.lines.is_some(),
            branches: is_some(total.branches),
            functions: is_some(total.functions),
        }
    }

    fn of_scope(self, counts: Counts) -> Counts {
        let of = |is_asked: bool, share: Option<Share>| is_asked.then(|| share.unwrap_or_default());
        Counts {
            lines: of(self.lines, counts.lines),
            branches: of(self.branches, counts.branches),
            functions: of(self.functions, counts.functions),
        }
    }
}

fn shares_of_lines(lines: &Lines) -> Option<Share> {
    let mut share = Share::default();
    for (valid, covered) in lines.values() {
        share.valid += u64::from(valid.count_ones());
        share.covered += u64::from(covered.count_ones());
    }
    (!lines.is_empty()).then_some(share)
}

fn shares_of_marks(marks: &Marks) -> Option<Share> {
    let mut share = Share::default();
    for (covered, valid) in marks.values() {
        share.covered += u64::from(*covered);
        share.valid += u64::from(*valid);
    }
    (!marks.is_empty()).then_some(share)
}

fn add(sum: &mut Counts, more: Counts) {
    add_share(&mut sum.lines, more.lines);
    add_share(&mut sum.branches, more.branches);
    add_share(&mut sum.functions, more.functions);
}

fn add_share(sum: &mut Option<Share>, more: Option<Share>) {
    if let Some(more) = more {
        let known = sum.get_or_insert_with(Share::default);
        known.covered = known.covered.saturating_add(more.covered);
        known.valid = known.valid.saturating_add(more.valid);
    }
}

/// Of two counts of the same file the larger of each.
fn larger(known: Option<Share>, other: Option<Share>) -> Option<Share> {
    let (Some(known), Some(other)) = (known, other) else { return known.or(other) };
    Some(Share { covered: known.covered.max(other.covered), valid: known.valid.max(other.valid) })
}

fn clipped(name: &str, limit: usize) -> &str {
    name.get(..name.floor_char_boundary(limit)).unwrap_or_default()
}

/// A path as every system would write it, so that a file has one name wherever it was measured.
fn portable_path(path: &str) -> std::borrow::Cow<'_, str> {
    let path = path.trim();
    let is_windows = path.contains('\\') && (!path.contains('/') || path.as_bytes().get(1) == Some(&b':'));
    let path: std::borrow::Cow<'_, str> =
        if is_windows { path.replace('\\', "/").into() } else { path.into() };
    match path.strip_prefix("./") {
        Some(inside) => inside.to_owned().into(),
        None => path,
    }
}

#[cfg(test)]
mod tests;
