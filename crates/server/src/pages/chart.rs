//! What a chart in the browser is drawn from: it travels as JSON in an attribute, escaped like any other text.

use manometer_model::Timestamp;
use manometer_query::answers::Unit;
use serde::Serialize;

/// Lines and points over one time axis.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Chart {
    /// Start of the axis, seconds since the Unix epoch.
    pub(crate) from: i64,
    /// End of the axis.
    pub(crate) until: i64,
    /// Unit of all values: `seconds`, `share`, `bytes` or another word.
    pub(crate) unit: String,
    /// Times of the lines' values, seconds since the Unix epoch, rising.
    pub(crate) times: Vec<i64>,
    /// The lines.
    pub(crate) lines: Vec<Line>,
    /// What every point's address begins with, so that thousands of points stay small.
    pub(crate) base: String,
    /// The points.
    pub(crate) points: Vec<Point>,
}

/// One line; null where there is no value, which leaves a hole.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Line {
    /// Its name in the legend.
    pub(crate) label: String,
    /// Its colour: the class of an `.ink` element.
    pub(crate) ink: &'static str,
    /// Its values, as many as the chart has times.
    pub(crate) values: Vec<Option<f64>>,
}

/// One point, which may be clicked.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Point {
    /// When, seconds since the Unix epoch.
    #[serde(rename = "x")]
    pub(crate) at: i64,
    /// Seconds it took.
    #[serde(rename = "y")]
    pub(crate) seconds: f64,
    /// Its look: `good`, `bad` or `idle`.
    #[serde(rename = "k")]
    pub(crate) look: &'static str,
    /// What is said of it.
    #[serde(rename = "t")]
    pub(crate) text: String,
    /// Where it leads.
    #[serde(rename = "u")]
    pub(crate) url: String,
}

impl Chart {
    /// Lines and points between two moments.
    pub(crate) fn new(
        (from, until): (Timestamp, Timestamp),
        times: Vec<i64>,
        lines: Vec<Line>,
        mut points: Vec<Point>,
    ) -> Self {
        let base = common_start(&points);
        for point in &mut points {
            point.url.drain(..base.len());
        }
        let unit = Unit::Seconds.to_string();
        Self { from: seconds_of(from), until: seconds_of(until), unit, times, lines, base, points }
    }

    /// The same with values in another unit.
    pub(crate) fn in_unit(mut self, unit: &Unit) -> Self {
        self.unit = unit.to_string();
        self
    }

    /// Is there nothing to draw?
    pub(crate) fn is_empty(&self) -> bool {
        self.points.is_empty() && self.lines.iter().all(|line| line.values.iter().all(Option::is_none))
    }

    /// The JSON of the attribute.
    pub(crate) fn json(&self) -> String {
        // Numbers and texts only: there is nothing here that JSON cannot hold (NaN becomes null).
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// Whole seconds since the Unix epoch.
pub(crate) fn seconds_of(at: Timestamp) -> i64 {
    at.as_micros().div_euclid(1_000_000)
}

fn common_start(points: &[Point]) -> String {
    let Some((first, others)) = points.split_first() else { return String::new() };
    let mut common = first.url.as_str();
    for point in others {
        let end = common.bytes().zip(point.url.bytes()).take_while(|(one, other)| one == other).count();
        common = common.get(..common.floor_char_boundary(end)).unwrap_or_default();
    }
    common.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(url: &str) -> Point {
        Point { at: 0, seconds: 1.0, look: "good", text: "</script>".to_owned(), url: url.to_owned() }
    }

    #[test]
    fn addresses_share_their_beginning_and_stay_whole() {
        let moments = (Timestamp::from_seconds(0), Timestamp::from_seconds(9));
        let chart = Chart::new(moments, Vec::new(), Vec::new(), vec![point("/run?é=1"), point("/run?ê=2")]);
        assert_eq!(chart.base, "/run?");
        let urls: Vec<String> =
            chart.points.iter().map(|point| format!("{}{}", chart.base, point.url)).collect();
        assert_eq!(urls, ["/run?é=1", "/run?ê=2"]);
        assert!(!chart.is_empty());
        assert!(chart.json().contains(r#""from":0,"until":9,"unit":"seconds""#));
        assert!(Chart::new(moments, Vec::new(), Vec::new(), Vec::new()).is_empty());
    }
}
