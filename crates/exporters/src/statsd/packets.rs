//! Lines packed into datagrams.

/// Largest datagram: what fits into an Ethernet frame of 1,500 bytes with room for tunnels on the way, as StatsD
/// and Datadog recommend.
pub(super) const MOST_BYTES: usize = 1_432;

/// Some lines that travel together.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Packet {
    pub(super) bytes: Vec<u8>,
    pub(super) lines: u64,
}

/// Packs lines into as few datagrams as their order allows.
#[derive(Debug, Default)]
pub(super) struct Packing {
    full: Vec<Packet>,
    open: Packet,
}

impl Packing {
    /// Adds lines that must travel together; false when they fit into no datagram.
    pub(super) fn add(&mut self, lines: &[String]) -> bool {
        let joined = lines.join("\n");
        if joined.is_empty() || joined.len() > MOST_BYTES {
            return joined.is_empty();
        }
        if !self.open.bytes.is_empty() && self.open.bytes.len() + 1 + joined.len() > MOST_BYTES {
            self.full.push(std::mem::take(&mut self.open));
        }
        if !self.open.bytes.is_empty() {
            self.open.bytes.push(b'\n');
        }
        self.open.bytes.extend_from_slice(joined.as_bytes());
        self.open.lines += lines.len() as u64;
        true
    }

    /// All datagrams.
    pub(super) fn finish(mut self) -> Vec<Packet> {
        if self.open.lines > 0 {
            self.full.push(self.open);
        }
        self.full
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_datagram_is_too_long_and_no_line_is_cut() {
        let lines: Vec<String> =
            (0..500).map(|number| format!("{}:{number}|c", "n".repeat(number))).collect();
        let mut packing = Packing::default();
        assert!(lines.iter().all(|line| packing.add(std::slice::from_ref(line))));
        assert!(!packing.add(&["x".repeat(MOST_BYTES + 1)]));
        let packets = packing.finish();
        assert!(packets.iter().all(|packet| packet.bytes.len() <= MOST_BYTES));
        let text: Vec<&str> =
            packets.iter().map(|packet| std::str::from_utf8(&packet.bytes).unwrap()).collect();
        assert_eq!(text.join("\n"), lines.join("\n"));
        assert_eq!(packets.iter().map(|packet| packet.lines).sum::<u64>(), 500);
    }
}
