//! Sends a record to a server, by the spool of the agent.

use manometer_agent::local::RunRecord;
use manometer_agent::settings::Settings;
use manometer_agent::shipping::{self, Patience, Server};
use manometer_agent::surroundings::Surroundings;
use manometer_model::records::{Run, Sample};
use manometer_model::{Clock as _, Conclusion, Labels, Record, Status, SystemClock};

use crate::collector::Flushed;

/// Puts the record into the spool and delivers what lies there, in bounded time; says whether it is kept there or by the
/// server. Without a server nothing happens.
pub(crate) fn send(
    record: &RunRecord,
    around: &Surroundings,
    settings: &Settings,
    flushed: &mut Flushed,
) -> bool {
    let Some(server) = &settings.server else { return false };
    match put_and_deliver(record, around, server, settings) {
        Ok(why_waiting) => {
            flushed.is_delivered = why_waiting.is_none();
            flushed
                .problems
                .extend(why_waiting.map(|why| format!("{}: {why}; it waits in the spool", server.address)));
            true
        }
        Err(why) => {
            flushed.problems.push(format!("not sent: {why}"));
            false
        }
    }
}

fn put_and_deliver(
    record: &RunRecord,
    around: &Surroundings,
    server: &Server,
    settings: &Settings,
) -> Result<Option<String>, String> {
    let spool = Settings::spool()?;
    let now = SystemClock.now();
    for (shipment, body) in shipping::run_records(server, &record.run_id, &rows_of(record, around)) {
        spool.put(&shipment, &body, now).map_err(|error| error.to_string())?;
    }
    if settings.send_time.is_zero() {
        return Ok(Some("sending is left to a later call".to_owned()));
    }
    let patience = Patience { time: settings.send_time, ignores_pauses: false };
    let delivery = shipping::deliver(&spool, server, Some(now), patience, &SystemClock);
    if !delivery.rejected.is_empty() {
        return Err(delivery.rejected.join("; "));
    }
    Ok(delivery.why_waiting)
}

fn rows_of(record: &RunRecord, around: &Surroundings) -> Vec<Record> {
    let run_id = around.run_id.clone().unwrap_or_else(|| record.run_id.clone());
    let place = Sample {
        provider: around.provider.clone(),
        project: around.project.clone(),
        service: around.service.clone(),
        run_id: Some(run_id.clone()),
        run_attempt: around.attempt,
        job_id: around.job_id.clone(),
        branch: around.branch.clone(),
        commit_sha: around.commit_sha.clone(),
        ..Sample::default()
    };
    let mut rows: Vec<Record> = record.to_samples(&place).into_iter().map(Record::from).collect();
    if around.is_local() {
        rows.push(own_run(record, around, run_id).into());
    }
    rows
}

/// Nobody else will tell how a run that no CI system knows of has ended.
fn own_run(record: &RunRecord, around: &Surroundings, run_id: String) -> Run {
    let outcome = |is_success| if is_success { Conclusion::Success } else { Conclusion::Failure };
    Run {
        provider: around.provider.clone(),
        project: around.project.clone(),
        service: around.service.clone(),
        pipeline: record.operation.clone(),
        run_id,
        attempt: around.attempt,
        branch: around.branch.clone(),
        commit_sha: record.git_commit.clone(),
        trigger: Some("manual".to_owned()),
        status: Some(Status::Completed),
        conclusion: record.success.map(outcome),
        finished_at: Some(record.timestamp),
        duration_seconds: record.duration,
        labels: Labels::from([("type".to_owned(), record.kind.clone())]),
        updated_at: Some(record.timestamp),
        ..Run::default()
    }
}
