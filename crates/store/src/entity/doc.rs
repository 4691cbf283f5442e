//! The stored form of an entity: registers by column name, each with the stamp of the observation it is from.
//!
//! ```text
//! version (1)
//! stamps:    count, then each: rank with 0x80 when a time follows, time (zigzag varint)
//! registers: count, then each, sorted by name:
//!            name length (1 byte), name, index of its stamp, kind, value
//! ```
//! Counts, lengths and whole numbers are LEB128 varints, signed ones zigzag. Names, not positions, so that
//! columns may be added and removed; a register of an unknown name is kept as it is.

use crate::entity::cells::Cell;

const DOC_VERSION: u8 = 1;
const HAS_TIME: u8 = 0x80;

const TEXT: u8 = 1;
const TIME: u8 = 2;
const FLOAT: u8 = 3;
const INT: u8 = 4;
const FALSE: u8 = 5;
const TRUE: u8 = 6;
const TEST_ID: u8 = 7;
const LABELS: u8 = 8;

/// How much an observation weighs against another: first how far it saw the entity, then when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Stamp {
    /// 0 when the observation said nothing of the status, then queued, waiting, running, completed.
    pub(crate) rank: u8,
    /// Microseconds; `i64::MIN` when the observation had no time.
    pub(crate) updated_at: i64,
}

/// One column's winning value.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Register<'a> {
    pub(crate) name: &'a str,
    pub(crate) stamp: Stamp,
    pub(crate) cell: Cell<'a>,
}

/// All registers of one entity, sorted by name.
#[derive(Debug, Clone, Default)]
pub(crate) struct Doc<'a> {
    pub(crate) registers: Vec<Register<'a>>,
}

impl<'a> Doc<'a> {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut stamps: Vec<Stamp> = self.registers.iter().map(|register| register.stamp).collect();
        stamps.sort_unstable();
        stamps.dedup();
        let mut bytes = Vec::with_capacity(16 + 24 * self.registers.len());
        bytes.push(DOC_VERSION);
        put_number(&mut bytes, stamps.len() as u64);
        for stamp in &stamps {
            if stamp.updated_at == i64::MIN {
                bytes.push(stamp.rank);
            } else {
                bytes.push(stamp.rank | HAS_TIME);
                put_number(&mut bytes, zigzag(stamp.updated_at));
            }
        }
        put_number(&mut bytes, self.registers.len() as u64);
        for register in &self.registers {
            put_register(&mut bytes, register, &stamps);
        }
        bytes
    }

    /// Reads an encoded document; the error says what is wrong with it.
    pub(crate) fn decode(bytes: &'a [u8]) -> Result<Self, &'static str> {
        let mut reader = Reader { rest: bytes };
        if reader.byte()? != DOC_VERSION {
            return Err("the document has an unknown version");
        }
        let stamp_count = reader.count()?;
        let mut stamps = Vec::with_capacity(stamp_count);
        for _ in 0..stamp_count {
            let rank = reader.byte()?;
            let updated_at = if rank & HAS_TIME == 0 { i64::MIN } else { unzigzag(reader.number()?) };
            stamps.push(Stamp { rank: rank & !HAS_TIME, updated_at });
        }
        let register_count = reader.count()?;
        let mut registers = Vec::with_capacity(register_count);
        for _ in 0..register_count {
            let name_length = usize::from(reader.byte()?);
            let name = reader.text(name_length)?;
            let index = usize::try_from(reader.number()?).unwrap_or(usize::MAX);
            let stamp = *stamps.get(index).ok_or("a register names a stamp that is not there")?;
            registers.push(Register { name, stamp, cell: reader.cell()? });
        }
        if reader.rest.is_empty() {
            Ok(Self { registers })
        } else {
            Err("the document has bytes behind its end")
        }
    }
}

fn put_register(bytes: &mut Vec<u8>, register: &Register<'_>, stamps: &[Stamp]) {
    // Column names are identifiers of the model, far shorter than 256 bytes.
    bytes.push(u8::try_from(register.name.len()).unwrap_or(u8::MAX));
    bytes.extend_from_slice(register.name.as_bytes());
    let index = stamps.binary_search(&register.stamp).unwrap_or(0);
    put_number(bytes, index as u64);
    match register.cell {
        Cell::Text(text) => put_text(bytes, TEXT, text),
        Cell::Labels(json) => put_text(bytes, LABELS, json),
        Cell::Time(micros) => {
            bytes.push(TIME);
            put_number(bytes, zigzag(micros));
        }
        Cell::Float(number) => {
            bytes.push(FLOAT);
            bytes.extend_from_slice(&number.to_bits().to_le_bytes());
        }
        Cell::Int(number) => {
            bytes.push(INT);
            put_number(bytes, zigzag(number));
        }
        Cell::Bool(truth) => bytes.push(if truth { TRUE } else { FALSE }),
        Cell::TestId(id) => {
            bytes.push(TEST_ID);
            bytes.extend_from_slice(&id.to_le_bytes());
        }
    }
}

fn put_text(bytes: &mut Vec<u8>, kind: u8, text: &str) {
    bytes.push(kind);
    put_number(bytes, text.len() as u64);
    bytes.extend_from_slice(text.as_bytes());
}

fn put_number(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push((number as u8) | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

const fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)) as u64
}

const fn unzigzag(number: u64) -> i64 {
    ((number >> 1) as i64) ^ -((number & 1) as i64)
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], &'static str> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or("the document is cut short")?;
        self.rest = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, &'static str> {
        let (first, rest) = self.rest.split_first().ok_or("the document is cut short")?;
        self.rest = rest;
        Ok(*first)
    }

    fn number(&mut self) -> Result<u64, &'static str> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err("the document has a number that does not end")
    }

    /// A count of things that each take at least a byte: never more than bytes are left.
    fn count(&mut self) -> Result<usize, &'static str> {
        let number = self.number()?;
        if number > self.rest.len() as u64 {
            return Err("the document is cut short");
        }
        Ok(number as usize)
    }

    fn text(&mut self, length: usize) -> Result<&'a str, &'static str> {
        std::str::from_utf8(self.take(length)?).map_err(|_| "the document has text that is not UTF-8")
    }

    fn cell(&mut self) -> Result<Cell<'a>, &'static str> {
        let kind = self.byte()?;
        Ok(match kind {
            TEXT => {
                let length = self.count()?;
                Cell::Text(self.text(length)?)
            }
            LABELS => {
                let length = self.count()?;
                Cell::Labels(self.text(length)?)
            }
            TIME => Cell::Time(unzigzag(self.number()?)),
            INT => Cell::Int(unzigzag(self.number()?)),
            FLOAT => {
                let bits = self.take(8)?.try_into().map_err(|_| "the document is cut short")?;
                Cell::Float(f64::from_bits(u64::from_le_bytes(bits)))
            }
            FALSE => Cell::Bool(false),
            TRUE => Cell::Bool(true),
            TEST_ID => {
                let bits = self.take(16)?.try_into().map_err(|_| "the document is cut short")?;
                Cell::TestId(u128::from_le_bytes(bits))
            }
            _ => return Err("the document has a value of an unknown kind"),
        })
    }
}
