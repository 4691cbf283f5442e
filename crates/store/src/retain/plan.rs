//! What retention would remove, without removing it.

use std::collections::HashSet;
use std::fs::File;

use manometer_model::key::KEY_SEPARATOR;
use manometer_model::records::{JOBS, RUNS};
use manometer_model::retention::TableRetention;
use manometer_model::{EntityKey, Retention, Table, Timestamp, Value, stored_tables};

use super::entities::is_over;
use super::terms::{Due, Terms, deciding_columns, due, examine, needed_rows};
use crate::entity::row_of;
use crate::error::StoreError;
use crate::report::TablePlan;
use crate::segment::Segment;
use crate::segments::io_error;
use crate::snapshot::Snapshot;

impl Snapshot {
    /// What retention would remove of each table at a time; tables of which nothing is over are left out. Reads the
    /// segments of which only the rows tell.
    ///
    /// # Errors
    /// When stored bytes cannot be read.
    pub fn retention_plan(
        &self,
        retention: &Retention,
        now: Timestamp,
    ) -> Result<Vec<TablePlan>, StoreError> {
        let today = now.day();
        let mut plans = Vec::new();
        for table in stored_tables() {
            let policy = retention.of(table);
            let mut plan = TablePlan::new(table.name);
            if table.is_entity() {
                self.plan_entities(table, retention, today, &mut plan)?;
            } else {
                for segment in self.segments(table) {
                    plan_segment(policy, segment, today, &mut plan)?;
                }
                let columns = deciding_columns(policy, table);
                for rows in self.unflushed(table) {
                    let batch = rows.read(Some(&columns))?;
                    let needed = needed_rows(policy, table, &batch, today, &mut Terms::none());
                    plan.unflushed_rows += needed.false_count() as u64;
                }
            }
            if plan != TablePlan::new(table.name) {
                plans.push(plan);
            }
        }
        Ok(plans)
    }

    fn plan_entities(
        &self,
        table: &'static Table,
        retention: &Retention,
        today: i32,
        plan: &mut TablePlan,
    ) -> Result<(), StoreError> {
        let keep = retention.of(table).keep;
        let is_jobs = std::ptr::eq(table, &JOBS);
        let (mut runs, mut runs_over) = (HashSet::new(), HashSet::new());
        if is_jobs {
            let keep = retention.of(&RUNS).keep;
            self.each_entity(&RUNS, |row, key| {
                if is_over(&RUNS, row, keep, today) {
                    runs_over.insert(key.clone());
                }
                runs.insert(key);
            })?;
        }
        self.each_entity(table, |row, key| {
            let run = key.rsplit_once(KEY_SEPARATOR).map_or("", |(run, _)| run);
            let goes = if is_jobs && runs.contains(run) {
                runs_over.contains(run)
            } else {
                is_over(table, row, keep, today)
            };
            plan.rows += u64::from(goes);
        })
    }

    fn each_entity(
        &self,
        table: &'static Table,
        mut each: impl FnMut(&[Value<'_>], String),
    ) -> Result<(), StoreError> {
        for document in self.documents(table) {
            let row = row_of(table, document).map_err(|why| StoreError::Corrupt {
                what: format!("an entity of table {}: {why}", table.name),
            })?;
            if let Some(key) = EntityKey::of_values(table, &row) {
                each(&row, key.text);
            }
        }
        Ok(())
    }
}

fn plan_segment(
    policy: &TableRetention,
    segment: &Segment,
    today: i32,
    plan: &mut TablePlan,
) -> Result<(), StoreError> {
    match due(policy, segment, None, today) {
        // Some of its rows may be over all the same, and wait.
        Due::Nothing if policy.shortest().ends_on(segment.min_at().day()).is_none_or(|end| today < end) => {
            return Ok(());
        }
        Due::Drop => {
            plan.remove_whole(segment);
            return Ok(());
        }
        Due::Nothing | Due::Examine | Due::Rewrite => {}
    }
    let file = File::open(segment.path()).map_err(|error| io_error(segment.path(), error))?;
    let Some(examined) = examine(policy, segment, file, today, &mut || Ok(true))? else { return Ok(()) };
    if today >= examined.terms.drop_on {
        plan.remove_whole(segment);
    } else if today >= examined.terms.rewrite_on {
        plan.segments_rewritten += 1;
        plan.rows += examined.over;
        let share = examined.over as f64 / segment.rows().max(1) as f64;
        plan.bytes += (segment.size_bytes() as f64 * share) as u64;
    } else {
        plan.waiting_rows += examined.over;
    }
    Ok(())
}
