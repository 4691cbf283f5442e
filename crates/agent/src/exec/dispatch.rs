//! Bringing what was measured to safety: the local store, the spool, the server, the exporters.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

use manometer_exporters::{Batch, Deadline, ExportSettings, Exporter};
use manometer_model::{Clock, Problem, Problems, Record};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::{Measured, records, run_record};
use crate::local::LocalStore;
use crate::run::Signals;
use crate::shipping::{self, Delivery, Patience, Server, Spool};

/// The exporters that the environment asks for; what is wrong with its words is a problem.
pub fn exporters(
    variable: &dyn Fn(&str) -> Option<String>,
    clock: &Arc<dyn Clock>,
    problems: &mut Vec<String>,
) -> Vec<Box<dyn Exporter>> {
    let mut found = Problems::new();
    let settings = ExportSettings::default().with_environment(variable, &mut found);
    let exporters = manometer_exporters::configured(&settings, clock, &mut found);
    problems.extend(found.first.iter().map(Problem::to_string));
    exporters
}

/// Where what was measured goes.
#[derive(Debug)]
pub struct Dispatch {
    /// The local store.
    pub store: LocalStore,
    /// Where it is sent, if anywhere.
    pub sending: Option<Sending>,
    /// Other systems it is sent to.
    pub exporters: Vec<Box<dyn Exporter>>,
    /// Longest time all sending together may take.
    pub time: Duration,
}

/// A server, and the spool on the way to it.
#[derive(Debug, Clone)]
pub struct Sending {
    /// The server.
    pub server: Server,
    /// What waits for it.
    pub spool: Spool,
}

/// What became of it.
#[derive(Debug, Default)]
pub struct Dispatched {
    /// What went wrong, a sentence each.
    pub problems: Vec<String>,
    /// What the server took; `None` without a server.
    pub delivery: Option<Delivery>,
}

impl Dispatch {
    /// Stores and sends a run. Returns in time whatever happens, and at once when a signal asks for the end: what is
    /// not delivered by then lies in the spool.
    pub fn dispatch(self, measured: &Measured, signals: &mut Signals, clock: &Arc<dyn Clock>) -> Dispatched {
        let mut dispatched = Dispatched::default();
        if let Err(error) = self.store.append(&run_record(measured)) {
            dispatched.problems.push(error.to_string());
        }
        if self.sending.is_none() && self.exporters.is_empty() {
            return dispatched;
        }
        let records = records(measured);
        let spooled_since = clock.now();
        if let Some(sending) = &self.sending {
            put_into_spool(sending, measured, &records, clock.as_ref(), &mut dispatched.problems);
        }
        let time = self.time;
        if !time.is_zero() {
            let work = Work {
                sending: self.sending,
                exporters: self.exporters,
                records,
                spooled_since,
                time,
                clock: Arc::clone(clock),
            };
            in_time(work, time, signals, &mut dispatched);
        }
        dispatched
    }
}

fn put_into_spool(
    sending: &Sending,
    measured: &Measured,
    records: &[Record],
    clock: &dyn Clock,
    problems: &mut Vec<String>,
) {
    let Sending { server, spool } = sending;
    let mut unreadable: Vec<Problem> = Vec::new();
    let mut shipments = shipping::run_records(server, &measured.run_id, records);
    shipments.extend(shipping::reports(
        server,
        &measured.run_id,
        &report_context(measured),
        &measured.reports.files,
        &measured.plan.folder,
        &mut unreadable,
    ));
    problems.extend(unreadable.iter().map(Problem::to_string));
    for (shipment, body) in shipments {
        if let Err(error) = spool.put(&shipment, &body, clock.now()) {
            problems.push(error.to_string());
        }
    }
}

/// The context fields of `POST /api/v1/reports`: what is known of the run around, and what only this program knows.
fn report_context(measured: &Measured) -> Vec<(String, String)> {
    let around = &measured.surroundings;
    let mut fields: BTreeMap<String, String> = around.upload_fields.iter().cloned().collect();
    let mut set = |name: &str, value: &str| drop(fields.insert(name.to_owned(), value.to_owned()));
    set("provider", &around.provider);
    set("project", &around.project);
    if let Some(service) = &around.service {
        set("service", service);
    }
    if around.is_local() {
        set("run_id", &measured.run_id);
        set("pipeline", &measured.plan.name);
        set("job_id", super::records::LOCAL_JOB);
        set("started_at", &measured.started_at.to_string());
    }
    fields.into_iter().filter(|(_, value)| !value.trim().is_empty()).collect()
}

struct Work {
    sending: Option<Sending>,
    exporters: Vec<Box<dyn Exporter>>,
    records: Vec<Record>,
    spooled_since: manometer_model::Timestamp,
    time: Duration,
    clock: Arc<dyn Clock>,
}

impl Work {
    fn run(mut self) -> Dispatched {
        let mut dispatched = Dispatched::default();
        let deadline = Deadline::after(self.time);
        if let Some(Sending { server, spool }) = &self.sending {
            // Ends a little before everything ends, so that it is told what became of it.
            let patience = Patience { time: self.time.mul_f64(0.9), ignores_pauses: false };
            let since = Some(self.spooled_since);
            let delivery = shipping::deliver(spool, server, since, patience, self.clock.as_ref());
            dispatched.delivery = Some(delivery);
        }
        for exporter in &mut self.exporters {
            let report = exporter.export(&Batch::new(&self.records), &deadline);
            if !report.is_complete() {
                let why =
                    report.problems.first.first().map_or_else(String::new, |problem| format!(": {problem}"));
                let lost = report.dropped + report.undelivered;
                dispatched
                    .problems
                    .push(format!("{lost} items did not reach {}{why}", exporter.destination()));
            }
        }
        dispatched
    }
}

/// Does the work on a thread of its own, which is left behind when the time is up: a resolver or a handshake that
/// hangs must not hold up a build.
fn in_time(work: Work, time: Duration, signals: &mut Signals, dispatched: &mut Dispatched) {
    let begin = Instant::now();
    let (sending, clock) = (work.sending.clone(), Arc::clone(&work.clock));
    // What was asked before belongs to the command.
    signals.is_end_asked();
    let outcome = match start(work) {
        Ok((receiver, done)) => wait(&receiver, &done, time, begin, signals),
        Err(error) => Err(format!("failed to start sending: {error}")),
    };
    match outcome {
        Ok(done) => {
            dispatched.problems.extend(done.problems);
            dispatched.delivery = done.delivery;
        }
        Err(why) => {
            // The thread that hangs cannot say so.
            if let Some(Sending { server, spool }) = &sending {
                shipping::leave_alone(spool, server, begin.elapsed(), &why, clock.as_ref());
            }
            let delivery = Delivery { why_waiting: Some(why), waiting: 1, ..Delivery::default() };
            dispatched.delivery = Some(delivery);
        }
    }
}

fn start(work: Work) -> io::Result<(Receiver<Dispatched>, OwnedFd)> {
    let (done, end_of_done) = io::pipe()?;
    let (sender, receiver) = sync_channel(1);
    std::thread::Builder::new().name("sending".to_owned()).spawn(move || {
        // The other side may have left already: then nobody wants to know.
        sender.send(work.run()).ok();
        // Closing this end is what the other side waits for.
        drop(end_of_done);
    })?;
    Ok((receiver, done.into()))
}

fn wait(
    receiver: &Receiver<Dispatched>,
    done: &OwnedFd,
    time: Duration,
    begin: Instant,
    signals: &mut Signals,
) -> Result<Dispatched, String> {
    loop {
        if let Ok(dispatched) = receiver.try_recv() {
            return Ok(dispatched);
        }
        if signals.is_end_asked() {
            return Err("a signal asked for the end".to_owned());
        }
        let left = time.saturating_sub(begin.elapsed());
        if left.is_zero() {
            return Err(format!("no answer within {:.1} s", time.as_secs_f64()));
        }
        let timeout = Timespec::try_from(left).ok();
        let mut descriptors = [
            PollFd::from_borrowed_fd(done.as_fd(), PollFlags::IN),
            PollFd::from_borrowed_fd(signals.as_fd(), PollFlags::IN),
        ];
        if poll(&mut descriptors, timeout.as_ref()).is_err_and(|error| error != rustix::io::Errno::INTR) {
            return Err("failed to wait for the sender".to_owned());
        }
    }
}
