//! How long the rows of each table are kept.
//!
//! A row of a fact table is over when its own day (`at`, UTC) lies more than its term in the past; an entity when the
//! day it ended does. Nothing here removes anything: the store asks.

mod keep;
mod settings;

pub use keep::{Keep, ParseKeepError};
pub use settings::{RetentionSettings, RuleSetting, TableSetting};

use crate::Table;
use crate::rollup::stored_tables;

/// Terms of single tables. What is not named: `…_hourly` 1 year, `…_daily` and the rest for ever.
const DEFAULTS: &[(&str, Keep)] = &[
    ("runs", Keep::Days(2 * 365)),
    ("jobs", Keep::Days(2 * 365)),
    ("steps", Keep::Days(365)),
    ("tests", Keep::Days(90)),
    // As long as the runs, of which it says whether they told any tests.
    ("tests_by_run_hourly", Keep::Days(2 * 365)),
    ("coverage", Keep::Days(2 * 365)),
    ("artifacts", Keep::Days(2 * 365)),
    ("builds", Keep::Days(2 * 365)),
    ("samples", Keep::Days(90)),
    ("commits", Keep::Days(2 * 365)),
    ("runners", Keep::Days(365)),
    ("caches", Keep::Days(365)),
    ("spans", Keep::Days(30)),
    ("logs", Keep::Days(30)),
];

/// Terms of single categories of `logs`.
const LOG_CATEGORIES: &[(&str, Keep)] = &[
    ("debug", Keep::Days(1)),
    ("runner", Keep::Days(90)),
    ("scheduler", Keep::Days(90)),
    ("security", Keep::Days(365)),
    ("system", Keep::Days(90)),
];

/// The terms of all tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retention {
    /// In the order of [`stored_tables`].
    tables: Vec<TableRetention>,
}

/// The terms of one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableRetention {
    /// For rows no rule is about.
    pub keep: Keep,
    /// For rows with given values; the first that fits counts. Fact tables only.
    pub rules: Vec<Rule>,
}

/// The term of rows with given values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Positions of text columns, and the value each must have.
    pub conditions: Vec<(usize, String)>,
    /// How long such rows are kept.
    pub keep: Keep,
}

impl Default for Retention {
    fn default() -> Self {
        Self { tables: stored_tables().iter().map(|table| default_of(table)).collect() }
    }
}

fn default_of(table: &Table) -> TableRetention {
    let named = DEFAULTS.iter().find(|(name, _)| *name == table.name).map(|(_, keep)| *keep);
    let keep = named.unwrap_or(if table.name.ends_with("_hourly") { Keep::Days(365) } else { Keep::Forever });
    let rules = match table.position(settings::CATEGORY) {
        Some(column) if table.name == "logs" => LOG_CATEGORIES
            .iter()
            .map(|(category, keep)| Rule { conditions: vec![(column, (*category).to_owned())], keep: *keep })
            .collect(),
        _ => Vec::new(),
    };
    TableRetention { keep, rules }
}

impl Retention {
    /// Everything is kept for ever.
    pub fn forever() -> Self {
        let forever = || TableRetention { keep: Keep::Forever, rules: Vec::new() };
        Self { tables: stored_tables().iter().map(|_| forever()).collect() }
    }

    /// The terms of a table.
    pub fn of(&self, table: &Table) -> &TableRetention {
        static FOREVER: TableRetention = TableRetention { keep: Keep::Forever, rules: Vec::new() };
        let position = stored_tables().iter().position(|known| std::ptr::eq(*known, table));
        position.and_then(|index| self.tables.get(index)).unwrap_or(&FOREVER)
    }

    /// Sets one term for all rows of a table.
    #[must_use]
    pub fn with(mut self, table: &Table, keep: Keep) -> Self {
        if let Some(place) = self.place(table) {
            *place = TableRetention { keep, rules: Vec::new() };
        }
        self
    }

    fn place(&mut self, table: &Table) -> Option<&mut TableRetention> {
        let index = stored_tables().iter().position(|known| std::ptr::eq(*known, table))?;
        self.tables.get_mut(index)
    }
}

impl TableRetention {
    /// The term of a row; `cell` gives the text of its columns by their position.
    pub fn keep_of<'c>(&self, cell: impl Fn(usize) -> Option<&'c str>) -> Keep {
        let fits = |rule: &&Rule| {
            rule.conditions.iter().all(|(column, value)| cell(*column) == Some(value.as_str()))
        };
        self.rules.iter().find(fits).map_or(self.keep, |rule| rule.keep)
    }

    /// The shortest term any of its rows may have.
    pub fn shortest(&self) -> Keep {
        self.rules.iter().map(|rule| rule.keep).min().map_or(self.keep, |keep| keep.min(self.keep))
    }

    /// The longest term any of its rows may have.
    pub fn longest(&self) -> Keep {
        self.rules.iter().map(|rule| rule.keep).max().map_or(self.keep, |keep| keep.max(self.keep))
    }

    /// Its terms for people: `30 days; category debug: 1 day`.
    pub fn described(&self, table: &Table) -> String {
        let mut text = self.keep.to_string();
        for rule in &self.rules {
            let conditions = rule.conditions.iter().map(|(column, value)| {
                let name = table.columns.get(*column).map_or("?", |column| column.name);
                format!("{name} {value}")
            });
            text.push_str(&format!("; {}: {}", conditions.collect::<Vec<_>>().join(", "), rule.keep));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_names_a_table() {
        for (name, _) in DEFAULTS {
            assert!(Table::named(name).is_some(), "{name}");
        }
    }
}
