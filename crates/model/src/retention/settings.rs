//! The section `[retention]` of the settings file.
//!
//! ```toml
//! [retention]
//! tests = "180 days"
//! logs = { default = "30 days", security = "3 years" }   # by the column `category`
//!
//! [[retention.rules]]                                     # before the table's own term; the first that fits counts
//! table = "tests"
//! where = { project = "github.com/acme/sandbox" }
//! keep = "7 days"
//! ```

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{MapAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Deserializer, Serialize};

use super::{Keep, Retention, Rule};
use crate::near_names::near_names;
use crate::rollup::{rollup_named, stored_tables};
use crate::{ColumnKind, Table};

/// The column that a table's categories stand in.
pub(super) const CATEGORY: &str = "category";

/// The word for what has no term of its own, among the categories of a table.
const DEFAULT: &str = "default";

/// The settings as written; [`RetentionSettings::resolve`] tells whether they make sense.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RetentionSettings {
    /// Terms for rows with given values, tried in order before the terms of the tables.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<RuleSetting>,
    /// By table.
    #[serde(flatten)]
    pub tables: BTreeMap<String, TableSetting>,
}

/// What is set of one table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum TableSetting {
    /// One term for all its rows.
    All(Keep),
    /// Terms by category, and `default` for the rest.
    ByCategory(BTreeMap<String, Keep>),
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleSetting {
    /// The table whose rows it is about.
    pub table: String,
    /// Text columns and the values they must have, all of them.
    #[serde(rename = "where")]
    pub conditions: BTreeMap<String, String>,
    /// How long such rows are kept.
    pub keep: Keep,
}

impl<'de> Deserialize<'de> for TableSetting {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Words;
        impl<'de> Visitor<'de> for Words {
            type Value = TableSetting;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(
                    "a time to keep rows for, as \"90 days\", or such times by category, as { default = \"30 days\" }",
                )
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<TableSetting, E> {
                text.parse().map(TableSetting::All).map_err(E::custom)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<TableSetting, A::Error> {
                BTreeMap::deserialize(MapAccessDeserializer::new(map)).map(TableSetting::ByCategory)
            }
        }
        deserializer.deserialize_any(Words)
    }
}

impl RetentionSettings {
    /// The defaults, changed as these settings say.
    ///
    /// # Errors
    /// Everything that makes no sense, each a sentence naming what is meant instead.
    pub fn resolve(&self) -> Result<Retention, Vec<String>> {
        let mut retention = Retention::default();
        let mut faults = Vec::new();
        for (name, setting) in &self.tables {
            match known_table(name) {
                Ok(table) => set_table(&mut retention, table, setting, &mut faults),
                Err(fault) => faults.push(fault),
            }
        }
        // In front of what the tables themselves say, in the order of the file.
        for rule in self.rules.iter().rev() {
            match known_table(&rule.table).and_then(|table| Ok((table, resolved(table, rule)?))) {
                Ok((table, rule)) => {
                    if let Some(place) = retention.place(table) {
                        place.rules.insert(0, rule);
                    }
                }
                Err(fault) => faults.push(fault),
            }
        }
        if faults.is_empty() { Ok(retention) } else { Err(faults) }
    }
}

fn known_table(name: &str) -> Result<&'static Table, String> {
    Table::named(name).ok_or_else(|| {
        let names: Vec<String> = stored_tables().iter().map(|table| table.name.to_owned()).collect();
        format!("retention: there is no table `{name}`; near it: {}", near_names(name, &names).join(", "))
    })
}

fn set_table(
    retention: &mut Retention,
    table: &'static Table,
    setting: &TableSetting,
    faults: &mut Vec<String>,
) {
    let Some(place) = retention.place(table) else { return };
    match setting {
        // One term for the whole table is one for all categories too.
        TableSetting::All(keep) => {
            place.keep = *keep;
            place.rules.clear();
        }
        TableSetting::ByCategory(terms) => {
            if let Some(keep) = terms.get(DEFAULT) {
                place.keep = *keep;
            }
            let Some(column) = table.position(CATEGORY) else {
                if terms.keys().any(|name| name != DEFAULT) {
                    faults.push(format!(
                        "retention: the rows of `{}` have no categories; write [[retention.rules]] with `where` instead",
                        table.name
                    ));
                }
                return;
            };
            for (category, keep) in terms.iter().filter(|(name, _)| *name != DEFAULT) {
                let conditions = vec![(column, category.clone())];
                place.rules.retain(|rule| rule.conditions != conditions);
                place.rules.push(Rule { conditions, keep: *keep });
            }
        }
    }
}

fn resolved(table: &'static Table, rule: &RuleSetting) -> Result<Rule, String> {
    if table.is_entity() {
        return Err(format!(
            "retention: rules are for rows that are appended; the rows of `{}` change and have one term",
            table.name
        ));
    }
    if rollup_named(table.name).is_some() {
        return Err(format!(
            "retention: roll-ups go a file at a time, with all its rows; set one term for `{}`",
            table.name
        ));
    }
    if rule.conditions.is_empty() {
        return Err(format!(
            "retention: a rule for `{}` has no condition; set the table's own term instead",
            table.name
        ));
    }
    let mut conditions = Vec::with_capacity(rule.conditions.len());
    for (name, value) in &rule.conditions {
        let texts = || table.columns.iter().filter(|column| column.kind == ColumnKind::Text);
        if !texts().any(|column| column.name == name) {
            let names: Vec<String> = texts().map(|column| column.name.to_owned()).collect();
            return Err(format!(
                "retention: `{}` has no text column `{name}`; near it: {}",
                table.name,
                near_names(name, &names).join(", ")
            ));
        }
        conditions.extend(table.position(name).map(|position| (position, value.clone())));
    }
    Ok(Rule { conditions, keep: rule.keep })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::{LOGS, RUNS, TESTS};

    fn settings(json: &str) -> RetentionSettings {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn what_is_not_set_keeps_its_default() {
        let retention = settings(r#"{"tests": "180 days"}"#).resolve().unwrap();
        assert_eq!(retention.of(&TESTS).keep, Keep::Days(180));
        assert_eq!(retention.of(&RUNS), Retention::default().of(&RUNS));
        assert_eq!(settings("{}").resolve().unwrap(), Retention::default());
    }

    #[test]
    fn categories_change_one_by_one_and_a_term_for_the_table_replaces_them_all() {
        let security = |retention: &Retention| {
            let mut row = vec![None; LOGS.columns.len()];
            row[LOGS.position(CATEGORY).unwrap()] = Some("security");
            retention.of(&LOGS).keep_of(|column| row[column])
        };
        let changed =
            settings(r#"{"logs": {"security": "3 years", "default": "7 days"}}"#).resolve().unwrap();
        assert_eq!(security(&changed), Keep::Days(3 * 365));
        assert_eq!(changed.of(&LOGS).keep, Keep::Days(7));
        assert_eq!(changed.of(&LOGS).shortest(), Keep::Days(1), "debug keeps its day");
        let replaced = settings(r#"{"logs": "10 days"}"#).resolve().unwrap();
        assert_eq!(security(&replaced), Keep::Days(10));
    }

    #[test]
    fn the_first_rule_that_fits_counts() {
        let retention = settings(
            r#"{"rules": [
                {"table": "tests", "where": {"project": "a", "service": "x"}, "keep": "forever"},
                {"table": "tests", "where": {"project": "a"}, "keep": "1 day"}]}"#,
        )
        .resolve()
        .unwrap();
        let keep = |project: &'static str, service: Option<&'static str>| {
            let (at_project, at_service) =
                (TESTS.position("project").unwrap(), TESTS.position("service").unwrap());
            retention.of(&TESTS).keep_of(|column| match column {
                _ if column == at_project => Some(project),
                _ if column == at_service => service,
                _ => None,
            })
        };
        assert_eq!(keep("a", Some("x")), Keep::Forever);
        assert_eq!(keep("a", None), Keep::Days(1));
        assert_eq!(keep("b", Some("x")), Keep::Days(90));
    }

    #[test]
    fn names_nobody_knows_are_told_their_neighbours() {
        let faults = settings(
            r#"{"test": "1 day", "tests": {"slow": "1 day"}, "rules": [
                {"table": "logs", "where": {"levle": "DEBUG"}, "keep": "1 day"},
                {"table": "runs", "where": {"project": "a"}, "keep": "1 day"},
                {"table": "tests_daily", "where": {"project": "a"}, "keep": "1 day"},
                {"table": "spans", "where": {}, "keep": "1 day"}]}"#,
        )
        .resolve()
        .unwrap_err()
        .join("\n");
        for expected in [
            "no table `test`; near it: tests",
            "`tests` have no categories",
            "no text column `levle`; near it: level",
            "`runs` change",
            "`spans` has no condition",
            "set one term for `tests_daily`",
        ] {
            assert!(faults.contains(expected), "{expected} missing in {faults}");
        }
    }

    #[test]
    fn settings_survive_being_written_and_read() {
        let all = settings(
            r#"{"tests": "2 years", "logs": {"debug": "1 day"},
                "rules": [{"table": "tests", "where": {"project": "a"}, "keep": "forever"}]}"#,
        );
        assert_eq!(settings(&serde_json::to_string(&all).unwrap()), all);
    }
}
