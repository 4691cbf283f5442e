//! webpack's stats (`webpack --json=stats.json`), Rspack's included.
//!
//! ```text
//! {"time": 402, "builtAt": 1795256304245, "errorsCount": 0, "assets": [{"name": "main.147aaa5f.js", "size": 2655,
//!   "info": {"contenthash": "147aaa5f"}, "related": [{"type": "sourceMap", "name": …, "size": …}]}], "children": […]}
//! ```
//!
//! The build is the row `webpack` (`webpack NAME` for each configuration of several) and works without errors. Assets
//! are artifacts, named without the hashes that webpack itself names; what belongs to them (source maps, compressed
//! forms) is an artifact of its own kind. All assets together are the artifact `webpack` of the kind `bundle`.
//!
//! Memory: one asset with what belongs to it.

use std::io::BufRead;

use manometer_model::{Limits, Problem, Timestamp};

use super::hashed_name;
use crate::ReadError;
use crate::detect::Look;
use crate::json::{Json, Kind, Stop};
use crate::measured::{ArtifactRow, BuildRow, MeasuredSink, Outlet, Summary};

/// Reads stats of webpack.
///
/// # Errors
/// When the input fails, is empty, or is no such document.
pub fn read(
    input: &mut dyn BufRead,
    limits: &Limits,
    sink: &mut dyn MeasuredSink,
) -> Result<Summary, ReadError> {
    let mut json = Json::open(input, limits.name_bytes)?;
    let mut outlet = Outlet::new(sink);
    match compilation(&mut json, &mut outlet, Place::Root) {
        Ok(()) => {}
        Err(Stop::Io(error)) => return Err(error.into()),
        Err(stop) => {
            outlet.summary.truncated = true;
            outlet.summary.problems.push(stop.into_problem());
        }
    }
    if outlet.summary.builds + outlet.summary.artifacts == 0 {
        let found = outlet
            .summary
            .problems
            .first
            .first()
            .map_or_else(|| "JSON without `time` and `assets`".to_owned(), ToString::to_string);
        return Err(ReadError::UnknownFormat { found, expected: "expected the stats of webpack" });
    }
    Ok(outlet.summary)
}

/// Is it JSON that begins with fields of webpack's stats?
pub(crate) fn claims(look: &Look<'_>) -> bool {
    look.json.as_ref().is_some_and(|start| {
        !start.is_array
            && (start.has("builtAt") || start.has("assetsByChunkName") || start.has("outputPath"))
            && (start.has("hash") || start.has("version") || start.has("assets"))
    })
}

/// Where a compilation stands: alone, or as one of several configurations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Root,
    Child,
}

/// What one compilation says.
#[derive(Debug, Default)]
struct Compilation {
    name: String,
    seconds: Option<f64>,
    at: Option<Timestamp>,
    has_failed: bool,
    has_assets: bool,
    total_bytes: u64,
}

fn compilation(json: &mut Json<'_>, outlet: &mut Outlet<'_>, place: Place) -> Result<(), Stop> {
    let mut about = Compilation::default();
    let outcome = read_compilation(json, outlet, place, &mut about);
    let suffix = if about.name.is_empty() { String::new() } else { format!(" {}", about.name) };
    let name = format!("webpack{suffix}");
    if about.seconds.is_some() {
        let success = Some(!about.has_failed);
        outlet.build(BuildRow { name: &name, duration_seconds: about.seconds, success, at: about.at });
    }
    // The sum of half a document would look like a fall.
    if about.has_assets && outcome.is_ok() {
        outlet.artifact(ArtifactRow {
            name: &name,
            kind: "bundle",
            size_bytes: about.total_bytes,
            at: about.at,
        });
    }
    outcome
}

fn read_compilation(
    json: &mut Json<'_>,
    outlet: &mut Outlet<'_>,
    place: Place,
    about: &mut Compilation,
) -> Result<(), Stop> {
    if !json.enter_object()? {
        return Ok(());
    }
    while let Some(key) = json.next_key()? {
        match key {
            "name" => json.string()?.unwrap_or_default().clone_into(&mut about.name),
            "time" => {
                about.seconds = number(json, outlet, "time")?.map(|milliseconds| milliseconds / 1_000.0)
            }
            "builtAt" => {
                about.at = number(json, outlet, "builtAt")?
                    .filter(|milliseconds| *milliseconds < 9e15)
                    .map(|milliseconds| Timestamp::from_micros((milliseconds * 1_000.0) as i64));
            }
            "errorsCount" => {
                about.has_failed |= number(json, outlet, "errorsCount")?.is_some_and(|count| count > 0.0)
            }
            "errors" => {
                if json.enter_array()? {
                    while json.next_element()? {
                        about.has_failed = true;
                        json.skip()?;
                    }
                }
            }
            "assets" => {
                about.has_assets = true;
                assets(json, outlet, about)?;
            }
            // Where there are several configurations, the root has nothing but them; otherwise children are parts of
            // this compilation, whose assets it lists itself.
            "children" if place == Place::Root && !about.has_assets => {
                if json.enter_array()? {
                    while json.next_element()? {
                        compilation(json, outlet, Place::Child)?;
                    }
                }
            }
            _ => json.skip()?,
        }
    }
    Ok(())
}

/// One asset, or what belongs to one.
#[derive(Debug, Default)]
struct Asset {
    name: String,
    size_bytes: Option<u64>,
    hashes: Vec<String>,
    kind: String,
    related: Vec<Asset>,
}

/// What belongs to one asset; more is read past.
const MOST_RELATED: usize = 64;

fn assets(json: &mut Json<'_>, outlet: &mut Outlet<'_>, about: &mut Compilation) -> Result<(), Stop> {
    if !json.enter_array()? {
        return Ok(());
    }
    while json.next_element()? {
        let line = json.line();
        let asset = asset(json, outlet, true)?;
        if asset.name.is_empty() && asset.size_bytes.is_none() {
            continue;
        }
        let Some(size_bytes) = asset.size_bytes.filter(|_| !asset.name.is_empty()) else {
            let message = "without a name or a size, left out";
            outlet.summary.problems.push_with(|| Problem::new(message).at_line(line).in_field("assets"));
            continue;
        };
        about.total_bytes = about.total_bytes.saturating_add(size_bytes);
        let name = hashed_name::without(&asset.name, &asset.hashes);
        outlet.artifact(ArtifactRow { name: &name, kind: "asset", size_bytes, at: about.at });
        for related in &asset.related {
            let Some(size_bytes) = related.size_bytes else { continue };
            let name = hashed_name::without(&related.name, &asset.hashes);
            let kind = if related.kind.is_empty() { "related" } else { &related.kind };
            outlet.artifact(ArtifactRow { name: &name, kind, size_bytes, at: about.at });
        }
    }
    Ok(())
}

fn asset(json: &mut Json<'_>, outlet: &mut Outlet<'_>, with_related: bool) -> Result<Asset, Stop> {
    let mut asset = Asset::default();
    if !json.enter_object()? {
        return Ok(asset);
    }
    while let Some(key) = json.next_key()? {
        match key {
            "name" => json.string()?.unwrap_or_default().clone_into(&mut asset.name),
            "type" => json.string()?.unwrap_or_default().clone_into(&mut asset.kind),
            "size" => asset.size_bytes = number(json, outlet, "assets.size")?.map(|bytes| bytes as u64),
            "info" => hashes(json, &mut asset.hashes)?,
            "related" if with_related => {
                if json.enter_array()? {
                    while json.next_element()? {
                        let related = self::asset(json, outlet, false)?;
                        if asset.related.len() < MOST_RELATED && !related.name.is_empty() {
                            asset.related.push(related);
                        }
                    }
                }
            }
            _ => json.skip()?,
        }
    }
    Ok(asset)
}

/// Hashes that an asset's `info` names, each a text or a list of them.
fn hashes(json: &mut Json<'_>, hashes: &mut Vec<String>) -> Result<(), Stop> {
    if !json.enter_object()? {
        return Ok(());
    }
    while let Some(key) = json.next_key()? {
        if !matches!(key, "contenthash" | "chunkhash" | "fullhash" | "modulehash" | "hash") {
            json.skip()?;
            continue;
        }
        match json.kind()? {
            Kind::String => hashes.extend(json.string()?.map(str::to_owned)),
            Kind::Array => {
                json.enter_array()?;
                while json.next_element()? {
                    let hash = json.string()?.map(str::to_owned);
                    if hashes.len() < MOST_RELATED {
                        hashes.extend(hash);
                    }
                }
            }
            _ => json.skip()?,
        }
    }
    Ok(())
}

/// A number that is not negative; a problem where it is none.
fn number(json: &mut Json<'_>, outlet: &mut Outlet<'_>, field: &str) -> Result<Option<f64>, Stop> {
    let line = json.line();
    let number = json.number()?.and_then(|text| text.trim().parse::<f64>().ok());
    let number = number.filter(|number| number.is_finite() && *number >= 0.0);
    if number.is_none() {
        let message = "no number from 0, left out";
        outlet.summary.problems.push_with(|| Problem::new(message).at_line(line).in_field(field));
    }
    Ok(number)
}
