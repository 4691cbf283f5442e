//! The raw data of rollup-plugin-visualizer (`template: "raw-data"`), for Rollup and Vite.
//!
//! Neither of the two writes sizes itself: a manifest of Vite names files, `--profile` is a profile of the CPU. This
//! plugin is what their users have.
//!
//! ```text
//! {"version": 2, "tree": …, "nodeParts": {PART: {"renderedLength": 102, "gzipLength": 114, "brotliLength": 85}},
//!   "nodeMetas": {UID: {"id": "/src/cart.js", "moduleParts": {"assets/index-BHthyjrg.js": PART}}}, "options": …}
//! ```
//!
//! Each file of the bundle is an artifact, named without its hash: kind `chunk` (the modules in it as rendered, before
//! they are minified), and `chunk-gzip` and `chunk-brotli` where these were measured, module by module.
//!
//! Memory: 48 bytes for each module, and the names of the files.

use std::collections::{BTreeMap, HashMap};
use std::io::BufRead;

use manometer_model::{Limits, Problem};
use xxhash_rust::xxh3::xxh3_64;

use super::{MOST_BYTES, hashed_name};
use crate::ReadError;
use crate::detect::Look;
use crate::json::{Json, Stop};
use crate::measured::{ArtifactRow, MeasuredSink, Outlet, Summary};

/// Reads raw data of the visualizer.
///
/// # Errors
/// When the input fails, is empty, or is no such document.
pub fn read(
    input: &mut dyn BufRead,
    limits: &Limits,
    sink: &mut dyn MeasuredSink,
) -> Result<Summary, ReadError> {
    let mut json = Json::open(input, limits.name_bytes)?;
    let mut bundle = Bundle::default();
    let mut outlet = Outlet::new(sink);
    match document(&mut json, &mut bundle, &mut outlet.summary) {
        Ok(()) => bundle.give(&mut outlet),
        Err(Stop::Io(error)) => return Err(error.into()),
        Err(stop) if bundle.parts.is_empty() => return Err(stop.into_error(EXPECTED)),
        // Sizes are sums over the whole document: those of half of it would mislead.
        Err(stop) => {
            outlet.summary.truncated = true;
            outlet.summary.problems.push(stop.into_problem());
        }
    }
    if bundle.parts.is_empty() && !outlet.summary.truncated {
        let found = "JSON without `nodeParts`".to_owned();
        return Err(ReadError::UnknownFormat { found, expected: EXPECTED });
    }
    Ok(outlet.summary)
}

const EXPECTED: &str = "expected the raw data of rollup-plugin-visualizer";

/// Is it JSON with the fields of the raw data?
pub(crate) fn claims(look: &Look<'_>) -> bool {
    look.json.as_ref().is_some_and(|start| {
        start.has("nodeParts")
            || start.has("version") && start.inside("tree").is_some_and(|tree| tree.has("name"))
    })
}

/// Kinds of artifacts, in the order of [`Lengths`].
const KINDS: [&str; 3] = ["chunk", "chunk-gzip", "chunk-brotli"];

/// Rendered, packed with gzip, packed with brotli.
type Lengths = [u64; 3];

#[derive(Debug, Default)]
struct Bundle {
    /// By the hash of the part's name.
    parts: HashMap<u64, Lengths>,
    files: BTreeMap<String, Lengths>,
    used_bytes: usize,
    is_full: bool,
}

impl Bundle {
    fn take(&mut self, bytes: usize) -> bool {
        self.is_full |= self.used_bytes + bytes > MOST_BYTES;
        if !self.is_full {
            self.used_bytes += bytes;
        }
        !self.is_full
    }

    fn give(&self, outlet: &mut Outlet<'_>) {
        if self.is_full {
            outlet.summary.truncated = true;
            outlet.summary.problems.push(Problem::new("more modules than fit in memory, no size was taken"));
            return;
        }
        for (name, lengths) in &self.files {
            for (kind, size_bytes) in KINDS.iter().zip(lengths) {
                if *size_bytes > 0 {
                    outlet.artifact(ArtifactRow { name, kind, size_bytes: *size_bytes, at: None });
                }
            }
        }
    }
}

fn document(json: &mut Json<'_>, bundle: &mut Bundle, summary: &mut Summary) -> Result<(), Stop> {
    if !json.enter_object()? {
        return Ok(());
    }
    while let Some(key) = json.next_key()? {
        match key {
            "nodeParts" => parts(json, bundle, summary)?,
            "nodeMetas" => modules(json, bundle, summary)?,
            _ => json.skip()?,
        }
    }
    Ok(())
}

fn parts(json: &mut Json<'_>, bundle: &mut Bundle, summary: &mut Summary) -> Result<(), Stop> {
    if !json.enter_object()? {
        return Ok(());
    }
    while let Some(part) = json.next_key()? {
        let part = xxh3_64(part.as_bytes());
        let mut lengths = Lengths::default();
        if !json.enter_object()? {
            continue;
        }
        while let Some(key) = json.next_key()? {
            let place = match key {
                "renderedLength" => 0,
                "gzipLength" => 1,
                "brotliLength" => 2,
                _ => {
                    json.skip()?;
                    continue;
                }
            };
            let line = json.line();
            match json.number()?.and_then(|text| text.parse().ok()) {
                Some(length) => lengths[place] = length,
                None => summary.problems.push_with(|| {
                    Problem::new("no whole number from 0, left out").at_line(line).in_field("nodeParts")
                }),
            }
        }
        if bundle.take(48) {
            bundle.parts.insert(part, lengths);
        }
    }
    Ok(())
}

fn modules(json: &mut Json<'_>, bundle: &mut Bundle, summary: &mut Summary) -> Result<(), Stop> {
    if !json.enter_object()? {
        return Ok(());
    }
    while json.next_key()?.is_some() {
        if !json.enter_object()? {
            continue;
        }
        while let Some(key) = json.next_key()? {
            match key {
                "moduleParts" => module_parts(json, bundle, summary)?,
                _ => json.skip()?,
            }
        }
    }
    Ok(())
}

/// `{"assets/index-BHthyjrg.js": PART}`
fn module_parts(json: &mut Json<'_>, bundle: &mut Bundle, summary: &mut Summary) -> Result<(), Stop> {
    if !json.enter_object()? {
        return Ok(());
    }
    while let Some(file) = json.next_key()? {
        let name = hashed_name::without_rollup_hash(file);
        let line = json.line();
        let part = json.string()?.and_then(|part| bundle.parts.get(&xxh3_64(part.as_bytes())).copied());
        let Some(lengths) = part else {
            summary.problems.push_with(|| {
                let message = "names a part that is not listed, its size is missing";
                Problem::new(message).at_line(line).in_field("moduleParts")
            });
            continue;
        };
        if !bundle.files.contains_key(&name) && !bundle.take(name.len() + 64) {
            continue;
        }
        let sums = bundle.files.entry(name).or_default();
        for (sum, length) in sums.iter_mut().zip(lengths) {
            *sum = sum.saturating_add(length);
        }
    }
    Ok(())
}
