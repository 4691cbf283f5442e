//! By what values are grouped: services, branches, jobs, tests.

use std::collections::BTreeMap;

use super::measure::Origin;
use super::{AnswerError, Asked, Conditions, ParameterDoc};
use crate::QueryError;
use crate::answers::cells::Row;

/// A grouping: the columns that tell its groups apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::answers) struct Dimension {
    /// Its word.
    pub(in crate::answers) word: &'static str,
    columns: Vec<&'static str>,
    /// Are the names of a test read beside its identity?
    is_test: bool,
}

/// A group, by column and value.
pub(in crate::answers) type Key = BTreeMap<String, Option<String>>;

/// The parameter.
pub(in crate::answers) const PARAMETER: ParameterDoc = ParameterDoc {
    name: "group",
    value: "BY",
    doc: "One series for each: service, project, branch, pipeline, provider, job, name, test, pool, runner, trigger, kind; which \
          there are depends on the measure",
};

/// What stands for a value nobody told.
const NOT_TOLD: &str = "(not told)";

impl Dimension {
    /// The grouping of that word over a table, where it has one.
    fn named(word: &str, origin: &Origin) -> Option<Self> {
        let further = |column: &'static str| origin.further.contains(&column).then(|| vec![column]);
        let (word, columns) = match word {
            "service" => ("service", vec!["project", "service"]),
            "project" => ("project", vec!["project"]),
            "branch" => ("branch", vec!["branch"]),
            "pipeline" => ("pipeline", vec!["pipeline"]),
            "provider" => ("provider", vec!["provider"]),
            "job" => ("job", vec![origin.job?]),
            "name" => ("name", vec![origin.name.filter(|_| origin.table != "coverage")?]),
            "test" if origin.table == "tests" => ("test", vec!["project", "service", "test_id"]),
            "pool" => ("pool", further("runner_pool")?),
            "runner" => ("runner", further("runner_name")?),
            "trigger" => ("trigger", further("trigger")?),
            "kind" => ("kind", further("kind")?),
            _ => return None,
        };
        Some(Self { word, columns, is_test: word == "test" })
    }

    /// What was asked for, if anything.
    ///
    /// # Errors
    /// When the table has no such grouping; the message lists those it has.
    pub(in crate::answers) fn asked(asked: &Asked, origin: &Origin) -> Result<Option<Self>, AnswerError> {
        let Some(word) = asked.text(PARAMETER.name) else { return Ok(None) };
        Self::named(word, origin).map(Some).ok_or_else(|| {
            let words: Vec<&str> =
                WORDS.iter().copied().filter(|word| Self::named(word, origin).is_some()).collect();
            Asked::refused(
                PARAMETER.name,
                word,
                &format!("a grouping of {}; there are {}", origin.table, words.join(", ")),
            )
        })
    }

    /// The identity of single things of a table: which test, job, step.
    pub(in crate::answers) fn of_things(word: &'static str, columns: Vec<&'static str>) -> Self {
        Self { word, columns, is_test: word == "test" }
    }

    /// Its columns for `SELECT`, with the names of a test beside them.
    pub(in crate::answers) fn select(&self) -> String {
        let keys: Vec<String> =
            self.columns.iter().map(|column| format!("{column} AS key_{column}")).collect();
        let names = if self.is_test {
            ", min(classname) AS test_class, min(name) AS test_name, min(parameters) AS test_parameters"
        } else {
            ""
        };
        format!("{}{names}", keys.join(", "))
    }

    /// Its columns for `SELECT`, without any names.
    pub(in crate::answers) fn select_keys(&self) -> String {
        let keys: Vec<String> =
            self.columns.iter().map(|column| format!("{column} AS key_{column}")).collect();
        keys.join(", ")
    }

    /// Its columns for `GROUP BY`.
    pub(in crate::answers) fn group_by(&self) -> String {
        self.columns.join(", ")
    }

    /// The group of a row.
    pub(in crate::answers) fn key(&self, row: Row<'_>) -> Result<Key, QueryError> {
        let cell = |column: &&str| Ok(((*column).to_owned(), row.optional_text(&format!("key_{column}"))?));
        self.columns.iter().map(cell).collect()
    }

    /// What a group is called, from a row of [`select`](Self::select).
    pub(in crate::answers) fn label(&self, row: Row<'_>) -> Result<String, QueryError> {
        if self.is_test {
            let name = row.text("test_name")?;
            let class = row.optional_text("test_class")?.map(|class| format!("{class}.")).unwrap_or_default();
            let parameters = row.optional_text("test_parameters")?.filter(|text| !text.is_empty());
            return Ok(format!(
                "{class}{name}{}",
                parameters.map(|text| format!("[{text}]")).unwrap_or_default()
            ));
        }
        let key = self.key(row)?;
        let value = |column: &str| key.get(column).cloned().flatten().filter(|text| !text.is_empty());
        let parts: Vec<String> = match self.columns.as_slice() {
            // A service without a name goes by the last part of its project.
            ["project", rest @ ..] if !rest.is_empty() => {
                let project = value("project").unwrap_or_default();
                let last = project.rsplit('/').next().unwrap_or_default().to_owned();
                let service = value("service").unwrap_or(last);
                let further =
                    rest.iter().filter(|column| **column != "service").filter_map(|column| value(column));
                std::iter::once(service).chain(further).collect()
            }
            columns => columns.iter().filter_map(|column| value(column)).collect(),
        };
        Ok(if parts.is_empty() { NOT_TOLD.to_owned() } else { parts.join(" › ") })
    }

    /// Only rows of these groups.
    pub(in crate::answers) fn only(&self, keys: &[Key], conditions: &mut Conditions) {
        let mut groups = Vec::with_capacity(keys.len());
        for key in keys {
            let equal: Vec<String> = self
                .columns
                .iter()
                .map(|column| match key.get(*column).cloned().flatten() {
                    Some(value) => format!("{column} = {}", conditions.bind(value)),
                    None => format!("{column} IS NULL"),
                })
                .collect();
            groups.push(format!("({})", equal.join(" AND ")));
        }
        if !groups.is_empty() {
            conditions.push(format!("({})", groups.join(" OR ")));
        }
    }
}

const WORDS: [&str; 12] = [
    "service", "project", "branch", "pipeline", "provider", "job", "name", "test", "pool", "runner",
    "trigger", "kind",
];
