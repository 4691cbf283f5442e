//! The long-running form.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use manometer_exporters::batching::{Counts, Worker};
use manometer_exporters::settings::SendingSettings;
use manometer_exporters::{Deadline, ExportReport, Exporter};
use manometer_model::Record;
use manometer_model::records::Sample;

use crate::scripted::{Reply, Scripted};
use crate::world::{exporter, settings};

/// Tells how many records each batch had, and waits to be let on where it is told to.
#[derive(Debug)]
struct Watched {
    batches: SyncSender<usize>,
    gate: Option<Receiver<()>>,
}

impl Exporter for Watched {
    fn name(&self) -> &'static str {
        "watched"
    }

    fn destination(&self) -> &str {
        "nowhere"
    }

    fn export(&mut self, records: &[Record], _: &Deadline) -> ExportReport {
        self.batches.send(records.len()).unwrap();
        if let Some(gate) = &self.gate {
            let _let_on = gate.recv();
        }
        ExportReport { sent: records.len() as u64, ..ExportReport::default() }
    }
}

fn records(count: usize) -> Arc<Vec<Record>> {
    Arc::new(vec![Sample { name: "n".into(), ..Sample::default() }.into(); count])
}

fn sending(flush_seconds: u64) -> SendingSettings {
    SendingSettings { batch_points: 100, flush_seconds, jitter_seconds: 0, ..SendingSettings::default() }
}

#[test]
fn a_full_batch_goes_at_once_and_the_rest_with_the_end() {
    let (batches, told) = sync_channel(10);
    let worker = Worker::start(Box::new(Watched { batches, gate: None }), &sending(3_600)).unwrap();
    for _ in 0..5 {
        assert!(worker.offer(records(30), 1_000));
    }
    assert_eq!(told.recv().unwrap(), 120);
    let counts = worker.stop(Duration::from_secs(10));
    assert_eq!(told.recv().unwrap(), 30);
    assert_eq!(counts, Counts { sent: 150, ..Counts::default() });
}

#[test]
fn a_batch_that_does_not_fill_goes_when_its_time_has_come() {
    let (batches, told) = sync_channel(10);
    let worker = Worker::start(Box::new(Watched { batches, gate: None }), &sending(0)).unwrap();
    worker.offer(records(1), 1_000);
    assert_eq!(told.recv_timeout(Duration::from_secs(10)), Ok(1));
    worker.stop(Duration::ZERO);
}

#[test]
fn a_receiver_that_hangs_costs_records_and_never_the_caller() {
    let (batches, told) = sync_channel(100);
    let (open, gate) = sync_channel(0);
    let worker = Worker::start(Box::new(Watched { batches, gate: Some(gate) }), &sending(3_600)).unwrap();
    assert!(worker.offer(records(100), 300));
    assert_eq!(told.recv().unwrap(), 100);
    assert!(worker.offer(records(100), 300));
    assert!(worker.offer(records(100), 300));
    assert!(!worker.offer(records(100), 300), "300 records wait already");
    assert_eq!(worker.counts().lost_records, 100);
    drop(open);
    assert_eq!(worker.stop(Duration::from_secs(10)).sent, 300);
}

#[test]
fn the_end_does_not_wait_for_pauses_between_repetitions() {
    let server = Scripted::start(vec![Reply::later(503, "200")]);
    let section = format!("[influxdb]\nurl = '{}'\ndatabase = 'ci'", server.url(""));
    let worker = Worker::start(exporter(&settings(&section)), &sending(0)).unwrap();
    worker.offer(records(5), 1_000);
    while server.seen().is_empty() {
        std::thread::yield_now();
    }
    let began = Instant::now();
    let counts = worker.stop(Duration::from_secs(2));
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    assert_eq!((counts.undelivered, counts.sent), (5, 0));
}
