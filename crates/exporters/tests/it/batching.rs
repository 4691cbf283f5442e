//! The long-running form.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use manometer_exporters::batching::{Counts, Feed, Feeding, Worker};
use manometer_exporters::settings::SendingSettings;
use manometer_exporters::{Batch, Deadline, ExportReport, Exporter};
use manometer_model::Record;
use manometer_model::records::Sample;

use crate::scripted::{Reply, Scripted};
use crate::world::{exporter, settings};

/// Batches that wait; the first stays until it is done with.
#[derive(Debug, Clone, Default)]
struct Waiting(Arc<Mutex<VecDeque<usize>>>);

impl Waiting {
    fn of(sizes: &[usize]) -> Self {
        Self(Arc::new(Mutex::new(sizes.iter().copied().collect())))
    }

    fn left(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

impl Feed for Waiting {
    fn next(&mut self) -> Result<Option<Feeding>, String> {
        let waiting = self.0.lock().unwrap();
        Ok(waiting.front().map(|count| Feeding {
            records: vec![Record::from(Sample { name: "n".into(), ..Sample::default() }); *count],
            known_runs: Vec::new(),
            has_more: waiting.len() > 1,
        }))
    }

    fn done(&mut self) -> Result<(), String> {
        self.0.lock().unwrap().pop_front();
        Ok(())
    }
}

/// Hands each batch's time left to the test, and reports what it is told to.
#[derive(Debug)]
struct Watched {
    batches: SyncSender<Duration>,
    reports: Receiver<ExportReport>,
}

impl Exporter for Watched {
    fn name(&self) -> &'static str {
        "watched"
    }

    fn destination(&self) -> &str {
        "nowhere"
    }

    fn export(&mut self, _: &Batch<'_>, deadline: &Deadline) -> ExportReport {
        self.batches.send(deadline.remaining()).unwrap();
        self.reports.recv().unwrap_or_default()
    }
}

fn sending(flush_seconds: u64) -> SendingSettings {
    SendingSettings { flush_seconds, jitter_seconds: 0, retry_seconds: 1, ..SendingSettings::default() }
}

fn report(sent: u64, dropped: u64, undelivered: u64) -> ExportReport {
    ExportReport { sent, dropped, undelivered, ..ExportReport::default() }
}

#[test]
fn what_waits_goes_out_batch_by_batch_without_waiting_for_the_next_look() {
    let feed = Waiting::of(&[30, 30, 1]);
    let (batches, told) = sync_channel(16);
    let (answer, reports) = sync_channel(16);
    for batch in [report(30, 0, 0), report(29, 1, 0), report(1, 0, 0)] {
        answer.send(batch).unwrap();
    }
    let watched = Box::new(Watched { batches, reports });
    let worker = Worker::start(watched, &sending(3_600), Box::new(feed.clone())).unwrap();
    for _ in 0..3 {
        assert!(told.recv_timeout(Duration::from_secs(60)).is_ok());
    }
    let counts = worker.stop(Duration::from_secs(10));
    assert_eq!((counts, feed.left()), (Counts { sent: 60, dropped: 1, retried: 0 }, 0));
}

#[test]
fn what_was_not_delivered_stays_and_goes_out_again() {
    let feed = Waiting::of(&[5]);
    let (batches, told) = sync_channel(16);
    let (answer, reports) = sync_channel(16);
    answer.send(report(2, 0, 3)).unwrap();
    let watched = Box::new(Watched { batches, reports });
    let worker = Worker::start(watched, &sending(3_600), Box::new(feed.clone())).unwrap();
    told.recv_timeout(Duration::from_secs(60)).unwrap();
    assert_eq!(feed.left(), 1);
    answer.send(report(5, 0, 0)).unwrap();
    told.recv_timeout(Duration::from_secs(60)).unwrap();
    let counts = worker.stop(Duration::from_secs(10));
    assert_eq!((counts.sent, counts.retried, feed.left()), (7, 1, 0));
}

#[test]
fn the_end_gives_what_waits_one_more_chance_within_its_grace() {
    let feed = Waiting::default();
    let (batches, told) = sync_channel(16);
    let (answer, reports) = sync_channel(16);
    let watched = Box::new(Watched { batches, reports });
    let worker = Worker::start(watched, &sending(3_600), Box::new(feed.clone())).unwrap();
    feed.0.lock().unwrap().push_back(4);
    answer.send(report(4, 0, 0)).unwrap();
    let counts = worker.stop(Duration::from_secs(20));
    assert!(told.recv().unwrap() <= Duration::from_secs(300));
    assert_eq!((counts.sent, feed.left()), (4, 0));
}

#[test]
fn the_end_does_not_wait_for_pauses_between_repetitions() {
    let server = Scripted::start(vec![Reply::later(503, "200")]);
    let section = format!("[influxdb]\nurl = '{}'\ndatabase = 'ci'", server.url(""));
    let feed = Waiting::of(&[5]);
    let worker = Worker::start(exporter(&settings(&section)), &sending(0), Box::new(feed.clone())).unwrap();
    while server.seen().is_empty() {
        std::thread::yield_now();
    }
    let began = Instant::now();
    let counts = worker.stop(Duration::from_secs(2));
    assert!(began.elapsed() < Duration::from_secs(100), "{:?}", began.elapsed());
    assert_eq!((counts.sent, feed.left()), (0, 1));
}
