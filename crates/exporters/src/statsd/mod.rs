//! StatsD and DogStatsD over UDP.
//!
//! UDP promises nothing: what counts as sent was handed to the network. When the machine at the other end says
//! that nobody listens there, the report says so too.

mod lines;
mod packets;

use std::io;
use std::net::{SocketAddr, ToSocketAddrs as _, UdpSocket};
use std::sync::mpsc::sync_channel;

use manometer_model::Problem;

use crate::records::{Batch, measures};
use crate::settings::{StatsdFormat, StatsdSettings};
use crate::{Deadline, ExportReport, Exporter};

/// The exporter.
#[derive(Debug)]
pub(crate) struct Statsd {
    host: String,
    format: StatsdFormat,
    prefix: Option<String>,
}

const DEFAULT_PORT: u16 = 8125;

impl Statsd {
    pub(crate) fn new(settings: &StatsdSettings) -> Result<Self, Problem> {
        let text = settings.host.trim();
        let text = text.strip_prefix("udp://").unwrap_or(text);
        if text.is_empty() || text.contains('/') {
            let shown: String = text.chars().take(64).collect();
            return Err(Problem::new(format!("`{shown}` is not HOST or HOST:PORT")).in_field("host"));
        }
        Ok(Self { host: with_port(text), format: settings.format, prefix: settings.prefix.clone() })
    }

    fn send(&self, packets: &[packets::Packet], deadline: &Deadline, report: &mut ExportReport) {
        let all: u64 = packets.iter().map(|packet| packet.lines).sum();
        let socket = match open(&self.host, deadline) {
            Ok(socket) => socket,
            Err(why) => return report.leave_items(all, format!("{all} lines were not sent: {why}")),
        };
        let mut lost = (0, String::new());
        for packet in packets {
            // A packet to a closed port fails the one after it; that one is tried once more.
            let outcome = socket.send(&packet.bytes).or_else(|error| match error.kind() {
                io::ErrorKind::ConnectionRefused => socket.send(&packet.bytes).and(Err(error)),
                _ => Err(error),
            });
            match outcome {
                Ok(_) => report.sent += packet.lines,
                Err(error) => lost = (lost.0 + packet.lines, error.to_string()),
            }
        }
        if lost.0 > 0 {
            report.leave_items(lost.0, format!("{} lines did not leave: {}", lost.0, lost.1));
        }
    }
}

impl Exporter for Statsd {
    fn name(&self) -> &'static str {
        "statsd"
    }

    fn destination(&self) -> &str {
        &self.host
    }

    fn export(&mut self, batch: &Batch<'_>, deadline: &Deadline) -> ExportReport {
        let mut report = ExportReport::default();
        let mut packing = packets::Packing::default();
        for measure in measures(batch) {
            let lines = lines::lines(&measure, self.format, self.prefix.as_deref());
            if !packing.add(&lines) {
                let name: String = measure.name.chars().take(64).collect();
                report.drop_items(1, format!("`{name}` with its tags is longer than a datagram"));
            }
        }
        let packets = packing.finish();
        if !packets.is_empty() {
            self.send(&packets, deadline, &mut report);
        }
        report
    }
}

fn with_port(host: &str) -> String {
    let has_port = match host.rsplit_once(':') {
        // `::1` is an address without a port, `[::1]:8125` and `host:8125` have one.
        Some((before, port)) => {
            port.parse::<u16>().is_ok() && (before.ends_with(']') || !before.contains(':'))
        }
        None => false,
    };
    match (has_port, host.contains(':') && !host.starts_with('[')) {
        (true, _) => host.to_owned(),
        (false, true) => format!("[{host}]:{DEFAULT_PORT}"),
        (false, false) => format!("{host}:{DEFAULT_PORT}"),
    }
}

fn open(host: &str, deadline: &Deadline) -> Result<UdpSocket, String> {
    let address = resolve(host, deadline)?;
    let local: SocketAddr = match address {
        SocketAddr::V4(_) => ([0, 0, 0, 0], 0).into(),
        SocketAddr::V6(_) => ([0_u16; 8], 0).into(),
    };
    let socket = UdpSocket::bind(local).map_err(|error| error.to_string())?;
    socket.connect(address).map_err(|error| error.to_string())?;
    Ok(socket)
}

/// Looks a host up, for as long as there is time: the system's own look-up knows no deadline.
fn resolve(host: &str, deadline: &Deadline) -> Result<SocketAddr, String> {
    if let Ok(address) = host.parse() {
        return Ok(address);
    }
    let (tell, told) = sync_channel(1);
    let name = host.to_owned();
    let looking = std::thread::Builder::new().name("look-up".to_owned()).spawn(move || {
        let found = name.to_socket_addrs().map(|mut addresses| addresses.next());
        // Nobody listens any more when the deadline has passed.
        drop(tell.send(found));
    });
    looking.map_err(|error| error.to_string())?;
    match told.recv_timeout(deadline.remaining()) {
        Ok(Ok(Some(address))) => Ok(address),
        Ok(Ok(None)) => Err(format!("`{host}` has no address")),
        Ok(Err(error)) => Err(format!("`{host}` could not be looked up: {error}")),
        Err(_) => Err(format!("`{host}` was not found in time")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_without_a_port_gets_the_usual_one() {
        for (said, meant) in [
            ("localhost", "localhost:8125"),
            ("localhost:9125", "localhost:9125"),
            ("::1", "[::1]:8125"),
            ("[::1]", "[::1]:8125"),
            ("[::1]:9125", "[::1]:9125"),
            ("10.0.0.7", "10.0.0.7:8125"),
        ] {
            assert_eq!(with_port(said), meant, "{said}");
        }
    }
}
