//! A panel: one question, and how its answer is drawn.

use serde_json::{Value, json};

use super::DATA_SOURCE;

/// How an answer is drawn.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Drawn {
    /// One number.
    Number,
    /// Lines over time; where there is nothing, there is no line.
    Lines,
    /// Bars over time, one on the other; where there is nothing, there is no bar.
    Bars,
    /// A table.
    Table,
}

/// One panel.
pub(super) struct Panel {
    pub(super) title: &'static str,
    pub(super) description: &'static str,
    pub(super) drawn: Drawn,
    pub(super) unit: &'static str,
    pub(super) sql: String,
    /// Where a number turns green, amber and red: (from, colour), the first from below everything.
    pub(super) thresholds: &'static [(Option<f64>, &'static str)],
    /// Columns of 24, rows of about 30 pixels.
    pub(super) size: (u32, u32),
    /// Columns of a table that have another unit: (column, unit).
    pub(super) units: &'static [(&'static str, &'static str)],
    /// Columns that lead somewhere: (column, title, address).
    pub(super) links: &'static [(&'static str, &'static str, &'static str)],
    /// Columns that links need and nobody reads.
    pub(super) hidden: &'static [&'static str],
}

/// More is better, as a share.
pub(super) const SHARE_HIGH_IS_GOOD: &[(Option<f64>, &str)] =
    &[(None, "red"), (Some(0.8), "orange"), (Some(0.95), "green")];
/// Less is better, as a share.
pub(super) const SHARE_LOW_IS_GOOD: &[(Option<f64>, &str)] =
    &[(None, "green"), (Some(0.02), "orange"), (Some(0.1), "red")];
/// Seconds that people wait for an answer.
pub(super) const WAITING: &[(Option<f64>, &str)] =
    &[(None, "green"), (Some(60.0), "orange"), (Some(300.0), "red")];
/// Seconds of a whole pipeline.
pub(super) const WORKING: &[(Option<f64>, &str)] =
    &[(None, "green"), (Some(900.0), "orange"), (Some(1800.0), "red")];
/// Nothing to judge.
pub(super) const PLAIN: &[(Option<f64>, &str)] = &[(None, "blue")];

impl Panel {
    pub(super) fn new(title: &'static str, drawn: Drawn, unit: &'static str, sql: impl Into<String>) -> Self {
        let size = match drawn {
            Drawn::Number => (6, 4),
            Drawn::Lines | Drawn::Bars => (12, 8),
            Drawn::Table => (24, 9),
        };
        let sql = sql.into();
        Self {
            title,
            description: "",
            drawn,
            unit,
            sql,
            thresholds: PLAIN,
            size,
            units: &[],
            links: &[],
            hidden: &[],
        }
    }

    pub(super) fn about(mut self, description: &'static str) -> Self {
        self.description = description;
        self
    }

    pub(super) fn judged(mut self, thresholds: &'static [(Option<f64>, &'static str)]) -> Self {
        self.thresholds = thresholds;
        self
    }

    pub(super) fn sized(mut self, columns: u32, rows: u32) -> Self {
        self.size = (columns, rows);
        self
    }

    pub(super) fn units(mut self, units: &'static [(&'static str, &'static str)]) -> Self {
        self.units = units;
        self
    }

    pub(super) fn linked(
        mut self,
        links: &'static [(&'static str, &'static str, &'static str)],
        hidden: &'static [&'static str],
    ) -> Self {
        self.links = links;
        self.hidden = hidden;
        self
    }

    fn json(&self, number: usize, column: u32, row: u32) -> Value {
        let is_over_time = matches!(self.drawn, Drawn::Lines | Drawn::Bars);
        let kind = match self.drawn {
            Drawn::Number => "stat",
            Drawn::Lines | Drawn::Bars => "timeseries",
            Drawn::Table => "table",
        };
        let steps: Vec<Value> =
            self.thresholds.iter().map(|(from, colour)| json!({ "value": from, "color": colour })).collect();
        let mut defaults = json!({
            "unit": self.unit,
            "noValue": "no data",
            "color": { "mode": if is_over_time { "palette-classic" } else { "thresholds" } },
            "thresholds": { "mode": "absolute", "steps": steps },
        });
        if is_over_time {
            let is_bars = self.drawn == Drawn::Bars;
            defaults["custom"] = json!({
                "drawStyle": if is_bars { "bars" } else { "line" },
                "fillOpacity": if is_bars { 80 } else { 8 },
                "lineWidth": if is_bars { 0 } else { 2 },
                "showPoints": "auto",
                "pointSize": 5,
                "spanNulls": false,
                "stacking": { "mode": if is_bars { "normal" } else { "none" }, "group": "A" },
                "thresholdsStyle": { "mode": "off" },
            });
            defaults["min"] = json!(0);
        }
        let options = match self.drawn {
            Drawn::Number => json!({
                "reduceOptions": { "calcs": ["lastNotNull"], "fields": "", "values": false },
                "colorMode": "value", "graphMode": "none", "textMode": "value", "justifyMode": "center",
            }),
            Drawn::Lines | Drawn::Bars => json!({
                "legend": { "displayMode": "list", "placement": "bottom", "showLegend": true },
                "tooltip": { "mode": "multi", "sort": "desc" },
            }),
            Drawn::Table => json!({ "showHeader": true, "cellHeight": "sm" }),
        };
        json!({
            "id": number,
            "type": kind,
            "title": self.title,
            "description": self.description,
            "datasource": { "type": "postgres", "uid": DATA_SOURCE },
            "gridPos": { "x": column, "y": row, "w": self.size.0, "h": self.size.1 },
            "interval": "1h",
            "fieldConfig": { "defaults": defaults, "overrides": self.overrides() },
            "options": options,
            "targets": [{
                "refId": "A",
                "datasource": { "type": "postgres", "uid": DATA_SOURCE },
                "format": if is_over_time { "time_series" } else { "table" },
                "editorMode": "code",
                "rawQuery": true,
                "rawSql": self.sql,
            }],
        })
    }

    fn overrides(&self) -> Vec<Value> {
        let column = |name: &str, properties: Value| json!({ "matcher": { "id": "byName", "options": name }, "properties": properties });
        let units =
            self.units.iter().map(|(name, unit)| column(name, json!([{ "id": "unit", "value": unit }])));
        let links = self.links.iter().map(|(name, title, url)| {
            let link = json!([{ "title": title, "url": url, "targetBlank": !url.starts_with("/d/") }]);
            column(name, json!([{ "id": "links", "value": link }]))
        });
        let hidden =
            self.hidden.iter().map(|name| column(name, json!([{ "id": "custom.hidden", "value": true }])));
        units.chain(links).chain(hidden).collect()
    }
}

/// Panels side by side, a new row when one is full.
pub(super) fn placed(panels: &[Panel]) -> Vec<Value> {
    let (mut column, mut row, mut height) = (0, 0, 0);
    let mut written = Vec::new();
    for (position, panel) in panels.iter().enumerate() {
        if column + panel.size.0 > 24 {
            row += height;
            (column, height) = (0, 0);
        }
        written.push(panel.json(position + 1, column, row));
        column += panel.size.0;
        height = height.max(panel.size.1);
    }
    written
}
