//! The form in which sketches are stored and sent.
//!
//! | bytes | |
//! |---|---|
//! | 1 | version: 1 |
//! | varint | number of buckets that are not empty; 0 ends an empty sketch |
//! | 8, 8 | smallest and largest value, IEEE 754, little-endian |
//! | for each bucket, ascending: varint | first bucket: its key, zigzag; then: steps from the last key, less 1 |
//! | varint | its count, less 1 |
//!
//! A varint is LEB128 in its shortest form. There is exactly one form of a sketch, and everything else is refused; so
//! equal bytes are equal sketches and nothing read from a disk can break an invariant.

use super::Sketch;
use super::bucket::Key;

const VERSION: u8 = 1;

/// Why bytes are no sketch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SketchError {
    /// Written by a newer version: this number.
    Version(u8),
    /// They end inside.
    Truncated,
    /// Something that the encoding never writes; the text says what.
    Malformed(&'static str),
}

impl std::fmt::Display for SketchError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Version(version) => write!(
                formatter,
                "a sketch of version {version}; this program knows versions up to {VERSION}"
            ),
            Self::Truncated => formatter.write_str("a sketch that ends inside"),
            Self::Malformed(what) => write!(formatter, "no sketch: {what}"),
        }
    }
}

impl std::error::Error for SketchError {}

impl Sketch {
    /// The sketch as bytes: about two for each bucket that is not empty.
    pub fn encode(&self) -> Vec<u8> {
        let buckets = self.storage.sorted();
        let mut bytes = Vec::with_capacity(24 + buckets.len() * 3);
        bytes.push(VERSION);
        put_varint(&mut bytes, buckets.len() as u64);
        if buckets.is_empty() {
            return bytes;
        }
        bytes.extend_from_slice(&self.min.to_le_bytes());
        bytes.extend_from_slice(&self.max.to_le_bytes());
        let mut last: Option<i32> = None;
        for (key, count) in buckets {
            let number = key.number();
            put_varint(
                &mut bytes,
                match last {
                    None => zigzag(number),
                    Some(last) => number.abs_diff(last).saturating_sub(1).into(),
                },
            );
            put_varint(&mut bytes, count - 1);
            last = Some(number);
        }
        bytes
    }

    /// Reads what [`encode`](Self::encode) wrote.
    ///
    /// # Errors
    /// When the bytes are anything else. Memory is taken only for buckets that are there.
    pub fn decode(bytes: &[u8]) -> Result<Self, SketchError> {
        let mut sketch = Self::new();
        sketch.merge_encoded(bytes)?;
        Ok(sketch)
    }

    /// Adds what an encoded sketch counted, without making it: that is where time goes when many small ones are put
    /// together.
    ///
    /// # Errors
    /// When the bytes are not what [`encode`](Self::encode) wrote. The sketch then holds a part of them and is of no use.
    pub fn merge_encoded(&mut self, bytes: &[u8]) -> Result<(), SketchError> {
        let mut input = Input { rest: bytes };
        let [version] = input.take::<1>()?;
        if version != VERSION {
            return Err(SketchError::Version(version));
        }
        let buckets = input.varint()?;
        if buckets == 0 {
            return if input.rest.is_empty() { Ok(()) } else { Err(TRAILING) };
        }
        let min = f64::from_le_bytes(input.take()?);
        let max = f64::from_le_bytes(input.take()?);
        if !(min.is_finite() && max.is_finite() && min <= max) {
            return Err(SketchError::Malformed("smallest and largest value are not in order"));
        }
        // It would be a second form of zero.
        let is_minus_zero = |value: f64| value == 0.0 && value.is_sign_negative();
        if is_minus_zero(min) || is_minus_zero(max) {
            return Err(SketchError::Malformed("minus zero"));
        }
        self.widen(min, max);
        // Each holds a value at least.
        self.storage.expect(buckets);
        let mut added = 0_u64;
        let (mut first, mut last) = (None, None);
        for _ in 0..buckets {
            let key = input.key(last)?;
            let count = input.varint()?.checked_add(1).ok_or(SketchError::Malformed("counts too large"))?;
            added = added.checked_add(count).ok_or(SketchError::Malformed("counts too large"))?;
            self.storage.add(key, count);
            first = first.or(Some(key));
            last = Some(key);
        }
        self.count = self.count.saturating_add(added);
        if !input.rest.is_empty() {
            return Err(TRAILING);
        }
        if first != Some(Key::of(min)) || last != Some(Key::of(max)) {
            return Err(SketchError::Malformed("smallest or largest value outside of its bucket"));
        }
        Ok(())
    }
}

const TRAILING: SketchError = SketchError::Malformed("bytes behind the end");

struct Input<'a> {
    rest: &'a [u8],
}

impl Input<'_> {
    fn take<const COUNT: usize>(&mut self) -> Result<[u8; COUNT], SketchError> {
        let (head, rest) = self.rest.split_first_chunk::<COUNT>().ok_or(SketchError::Truncated)?;
        self.rest = rest;
        Ok(*head)
    }

    /// Most numbers are small: steps from one bucket to the next, and counts.
    #[inline]
    fn varint(&mut self) -> Result<u64, SketchError> {
        match self.rest.split_first() {
            Some((&byte, rest)) if byte & 0x80 == 0 => {
                self.rest = rest;
                Ok(byte.into())
            }
            _ => self.long_varint(),
        }
    }

    fn long_varint(&mut self) -> Result<u64, SketchError> {
        let mut value = 0_u64;
        for shift in (0..u64::BITS).step_by(7) {
            let [byte] = self.take::<1>()?;
            let part = u64::from(byte & 0x7f);
            if (part << shift) >> shift != part {
                return Err(SketchError::Malformed("a number too large"));
            }
            value |= part << shift;
            match byte {
                // A number of one byte is not read here: the last byte of a longer one holds something.
                0 => break,
                1..0x80 => return Ok(value),
                _ => {}
            }
        }
        Err(SketchError::Malformed("a number too long"))
    }

    fn key(&mut self, last: Option<Key>) -> Result<Key, SketchError> {
        let value = self.varint()?;
        let number = match last {
            None => Some(from_zigzag(value)),
            Some(last) => i64::try_from(value)
                .ok()
                .and_then(|steps| i64::from(last.number()).checked_add(steps)?.checked_add(1)),
        };
        number.and_then(Key::from_number).ok_or(SketchError::Malformed("a bucket that no number has"))
    }
}

fn put_varint(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

/// Small numbers of either sign as small numbers without: 0, −1, 1, −2 are 0, 1, 2, 3.
fn zigzag(number: i32) -> u64 {
    let number = i64::from(number);
    ((number << 1) ^ (number >> 63)) as u64
}

fn from_zigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}
