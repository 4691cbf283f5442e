//! Delivering what waits in the spool.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use manometer_model::{Clock, Timestamp};
use reqwest::blocking::Body;

use super::client::{Answer, ServerClient};
use super::pause::Pause;
use super::{Server, Spool, Waiting};

/// How long, and how hard, is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// All requests together end within this time.
    pub time: Duration,
    /// Ask a server also while it is being left alone?
    pub ignores_pauses: bool,
}

/// What a call of [`deliver`] did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Delivery {
    /// Shipments the server holds now.
    pub delivered: u64,
    /// Shipments it refused for good, and its words.
    pub rejected: Vec<String>,
    /// Shipments of this server that wait still.
    pub waiting: u64,
    /// Why they wait.
    pub why_waiting: Option<String>,
    /// Shipments for other servers.
    pub for_others: u64,
    /// Shipments that could not be looked at, and why; they stay where they are.
    pub unreadable: Vec<String>,
}

/// Delivers what waits for `server`, oldest first, but first of all what was made since `own_since`.
pub fn deliver(
    spool: &Spool,
    server: &Server,
    own_since: Option<Timestamp>,
    patience: Patience,
    clock: &dyn Clock,
) -> Delivery {
    let mut delivery = Delivery::default();
    let waiting = match spool.waiting() {
        Ok(waiting) => waiting,
        Err(error) => {
            delivery.why_waiting = Some(format!("failed to read {}: {error}", spool.folder().display()));
            return delivery;
        }
    };
    let (own, older): (Vec<Waiting>, Vec<Waiting>) =
        waiting.into_iter().partition(|waiting| own_since.is_some_and(|since| waiting.since >= since));
    let mut sender = Sender { spool, server, patience, clock, begin: Instant::now(), client: None, delivery };
    if !patience.ignores_pauses {
        sender.delivery.why_waiting = Pause::in_force(spool, &server.address, clock.now());
    }
    for waiting in own.into_iter().chain(older) {
        sender.take(&waiting);
    }
    if sender.delivery.delivered > 0 && sender.delivery.why_waiting.is_none() {
        Pause::end(spool);
    }
    sender.delivery
}

/// Keeps others from asking a server for a while, after an attempt that took `spent` and led to nothing.
pub fn leave_alone(spool: &Spool, server: &Server, spent: Duration, why: &str, clock: &dyn Clock) {
    Pause::begin(spool, &server.address, clock.now(), spent, None, why);
}

struct Sender<'a> {
    spool: &'a Spool,
    server: &'a Server,
    patience: Patience,
    clock: &'a dyn Clock,
    begin: Instant,
    client: Option<ServerClient>,
    delivery: Delivery,
}

impl Sender<'_> {
    fn take(&mut self, waiting: &Waiting) {
        let opened = match self.spool.open(waiting) {
            Ok(Some(opened)) => opened,
            // Somebody else sends it right now.
            Ok(None) => return,
            Err(error) if matches!(error.kind(), ErrorKind::InvalidData | ErrorKind::UnexpectedEof) => {
                return self.set_aside(waiting, format!("is no shipment: {error}"));
            }
            Err(error) => {
                let why = format!("failed to read {}: {error}", waiting.path.display());
                self.delivery.unreadable.push(why);
                return;
            }
        };
        let (shipment, mut file) = opened;
        if shipment.server != self.server.address {
            self.delivery.for_others += 1;
            return;
        }
        let time_left = self.patience.time.saturating_sub(self.begin.elapsed());
        if self.delivery.why_waiting.is_none() && time_left.is_zero() {
            self.delivery.why_waiting = Some("the time for sending was up".to_owned());
        }
        if self.delivery.why_waiting.is_some() {
            self.delivery.waiting += 1;
            return;
        }
        let mut body = Vec::new();
        if let Err(error) = std::io::Read::read_to_end(&mut file, &mut body) {
            self.wait_on(format!("failed to read {}: {error}", waiting.path.display()));
            return;
        }
        let client = match self.client.take().map_or_else(|| ServerClient::new(self.server), Ok) {
            Ok(client) => self.client.insert(client),
            Err(why) => return self.wait_on(why),
        };
        let attempt = Instant::now();
        match client.send(&shipment, Body::from(body), time_left) {
            Answer::Delivered => {
                self.delivery.delivered += 1;
                // Where it cannot be removed it is sent again later, which has no effect.
                self.spool.remove(waiting).ok();
            }
            Answer::Refused(words) => {
                self.set_aside(waiting, format!("{} was refused with {words}", shipment.holds));
            }
            Answer::NotNow { why, pause } => {
                let (now, spent) = (self.clock.now(), attempt.elapsed());
                Pause::begin(self.spool, &self.server.address, now, spent, pause, &why);
                self.wait_on(why);
            }
        }
    }

    fn set_aside(&mut self, waiting: &Waiting, reason: String) {
        match self.spool.reject(waiting, &reason) {
            Ok(()) => self.delivery.rejected.push(reason),
            Err(error) => self.wait_on(format!("{reason}; failed to move it aside: {error}")),
        }
    }

    fn wait_on(&mut self, why: String) {
        self.delivery.waiting += 1;
        self.delivery.why_waiting.get_or_insert(why);
    }
}
