//! What a command left behind: artifacts, reports, steps.

use manometer_model::Limits;

use super::Measured;
use crate::steps::StepFolder;
use crate::{artifacts, reports};

/// Looks for everything the plan names. What is missing is a problem, and no more than that.
pub(super) fn collect(measured: &mut Measured, steps: Option<StepFolder>) {
    let Measured { plan, problems, .. } = measured;
    measured.artifacts = artifacts::find(&plan.artifacts, &plan.folder, problems);
    measured.reports =
        reports::find(&plan.reports, &plan.folder, measured.started_at, &Limits::default(), problems);
    measured.steps = steps.map(|folder| folder.collect(problems)).unwrap_or_default();
}
