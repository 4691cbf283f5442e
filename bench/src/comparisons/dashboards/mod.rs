//! What roll-ups are for: questions about a year and dashboards of a month, and dashboards beside ingest.

mod answering;
mod beside_ingest;
mod dataset;
mod panels;

use super::Scene;
use super::percentiles::{Measured, duckdb, files};
use crate::filled::FIRST_SECOND;
use crate::report::{Goal, Report, note};
use manometer_bench_readers::figures::median;

use self::answering::answer;
use self::dataset::DAYS;
use self::panels::{Dialect, Range, panels, percentiles_of_a_year};

const MOST_MILLISECONDS_OF_A_YEAR: f64 = 30.0;
const MOST_MILLISECONDS_COLD: f64 = 150.0;
const MOST_MILLISECONDS_WARM: f64 = 40.0;
/// Requests that a browser has under way to one server.
const PANELS_AT_ONCE: usize = 6;

pub(crate) fn measure(scene: &Scene, report: &mut Report) -> anyhow::Result<()> {
    let data = dataset::year(&scene.folder)?;
    let year = percentiles_of_a_year();
    // As a dashboard asks at noon: neither end of the range is a whole day.
    let last = FIRST_SECOND + DAYS as i64 * 86_400 - 43_200;
    let month = Range::Between(last - 30 * 86_400 - 1_357, last);
    let dashboard = panels(Dialect::Manometer, &month, 7);

    let of_a_year = answer(&data, &[year.ours.to_owned()], 1, scene.rounds)?;
    let in_turn = answer(&data, &dashboard, 1, scene.rounds)?;
    let at_once = answer(&data, &dashboard, PANELS_AT_ONCE, scene.rounds)?;

    let mut asked = vec![year.duckdb.to_owned()];
    asked.extend(panels(Dialect::DuckDb, &month, 7));
    let peer = duckdb::ask(scene, &files(&data)?, &asked);
    if let Err(reason) = &peer {
        report.skipped("dashboards; peer: DuckDB over the rows", &format!("{reason:#}"));
    }
    let peer = peer.unwrap_or_default();
    let milliseconds = |measured: &[Measured]| -> Option<f64> {
        let each = measured.iter().map(|one| median(one.seconds.clone()) * 1_000.0);
        (!measured.is_empty()).then(|| each.sum())
    };

    let mut line = |what: &str, ours: f64, most: f64, theirs: Option<f64>| {
        report.figure(what, ours, "ms", Goal::AtMost(most));
        if let Some(theirs) = theirs {
            report.ratio(format!("… {what}; peer: DuckDB over the rows"), ours, theirs, "ms", Goal::None);
        }
    };
    line(
        "p95 by day, 1 year, from roll-ups",
        median(of_a_year.warm),
        MOST_MILLISECONDS_OF_A_YEAR,
        milliseconds(peer.get(..1).unwrap_or_default()),
    );
    line("12-panel dashboard, 30 days, cold", median(in_turn.cold), MOST_MILLISECONDS_COLD, None);
    line(
        "12-panel dashboard, 30 days, warm",
        median(in_turn.warm),
        MOST_MILLISECONDS_WARM,
        milliseconds(peer.get(1..).unwrap_or_default()),
    );
    for (what, times) in [("cold", at_once.cold), ("warm", at_once.warm)] {
        let what = format!("… {what}, {PANELS_AT_ONCE} panels at once, as a browser asks");
        report.figure(what, median(times), "ms", Goal::None);
    }
    note("dashboards: beside ingest");
    beside_ingest::measure(scene, report)
}
