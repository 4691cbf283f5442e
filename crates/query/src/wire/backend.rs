//! Messages to clients, written into the output of a connection.

use bytes::{BufMut as _, BytesMut};
use pgwire::api::results::FieldInfo;

use super::failure::Failure;

/// Where a conversation stands, for ReadyForQuery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Transaction {
    /// None is open.
    None,
    /// One is open.
    Open,
    /// One is open and a statement in it failed.
    Failed,
}

fn message(output: &mut BytesMut, kind: u8, body: impl FnOnce(&mut BytesMut)) {
    output.put_u8(kind);
    let start = output.len();
    output.put_i32(0);
    body(output);
    let length = i32::try_from(output.len() - start).unwrap_or(i32::MAX);
    if let Some(place) = output.get_mut(start..start + 4) {
        place.copy_from_slice(&length.to_be_bytes());
    }
}

fn text(output: &mut BytesMut, value: &str) {
    // A zero byte would end the text early.
    output.extend(value.bytes().filter(|byte| *byte != 0));
    output.put_u8(0);
}

pub(super) fn authentication(output: &mut BytesMut, code: i32, data: &[u8]) {
    message(output, b'R', |body| {
        body.put_i32(code);
        body.put_slice(data);
    });
}

pub(super) fn negotiate_version(output: &mut BytesMut, unknown: &[String]) {
    message(output, b'v', |body| {
        body.put_i32(0);
        body.put_i32(i32::try_from(unknown.len()).unwrap_or(i32::MAX));
        unknown.iter().for_each(|option| text(body, option));
    });
}

pub(super) fn parameter_status(output: &mut BytesMut, name: &str, value: &str) {
    message(output, b'S', |body| {
        text(body, name);
        text(body, value);
    });
}

pub(super) fn key_data(output: &mut BytesMut, process: i32, secret: i32) {
    message(output, b'K', |body| {
        body.put_i32(process);
        body.put_i32(secret);
    });
}

pub(super) fn ready(output: &mut BytesMut, transaction: Transaction) {
    let letter = match transaction {
        Transaction::None => b'I',
        Transaction::Open => b'T',
        Transaction::Failed => b'E',
    };
    message(output, b'Z', |body| body.put_u8(letter));
}

/// A message without a body: ParseComplete, BindComplete and their like.
pub(super) fn plain(output: &mut BytesMut, kind: u8) {
    message(output, kind, |_| {});
}

pub(super) const PARSE_COMPLETE: u8 = b'1';
pub(super) const BIND_COMPLETE: u8 = b'2';
pub(super) const CLOSE_COMPLETE: u8 = b'3';
pub(super) const NO_DATA: u8 = b'n';
pub(super) const EMPTY_QUERY: u8 = b'I';
pub(super) const PORTAL_SUSPENDED: u8 = b's';

pub(super) fn complete(output: &mut BytesMut, tag: &str) {
    message(output, b'C', |body| text(body, tag));
}

pub(super) fn parameter_description(output: &mut BytesMut, types: &[u32]) {
    message(output, b't', |body| {
        body.put_u16(u16::try_from(types.len()).unwrap_or(u16::MAX));
        types.iter().for_each(|oid| body.put_u32(*oid));
    });
}

pub(super) fn row_description(output: &mut BytesMut, fields: &[FieldInfo]) {
    message(output, b'T', |body| {
        body.put_u16(u16::try_from(fields.len()).unwrap_or(u16::MAX));
        for field in fields {
            text(body, field.name());
            body.put_i32(field.table_id().unwrap_or(0));
            body.put_i16(field.column_id().unwrap_or(0));
            body.put_u32(field.datatype().oid());
            body.put_i16(field.type_size());
            body.put_i32(field.type_modifier());
            body.put_i16(field.format().value());
        }
    });
}

/// A row of values that are encoded already.
pub(super) fn row(output: &mut BytesMut, columns: i16, data: &[u8]) {
    message(output, b'D', |body| {
        body.put_i16(columns);
        body.put_slice(data);
    });
}

/// A row of texts.
pub(super) fn text_row(output: &mut BytesMut, values: &[&str]) {
    message(output, b'D', |body| {
        body.put_u16(u16::try_from(values.len()).unwrap_or(u16::MAX));
        for value in values {
            body.put_i32(i32::try_from(value.len()).unwrap_or(i32::MAX));
            body.put_slice(value.as_bytes());
        }
    });
}

pub(super) fn error(output: &mut BytesMut, failure: &Failure) {
    let severity = if failure.is_fatal { "FATAL" } else { "ERROR" };
    fields(output, b'E', severity, failure);
}

/// Something to know that is no error.
pub(super) fn warning(output: &mut BytesMut, code: &'static str, sentence: &str) {
    fields(output, b'N', "WARNING", &Failure::error(code, sentence));
}

fn fields(output: &mut BytesMut, kind: u8, severity: &str, failure: &Failure) {
    let position = failure.position.map(|letter| letter.to_string());
    message(output, kind, |body| {
        let parts = [
            (b'S', Some(severity)),
            (b'V', Some(severity)),
            (b'C', Some(failure.code)),
            (b'M', Some(failure.message.as_str())),
            (b'H', failure.hint.as_deref()),
            (b'P', position.as_deref()),
        ];
        for (field, value) in parts {
            if let Some(known) = value {
                body.put_u8(field);
                text(body, known);
            }
        }
        body.put_u8(0);
    });
}
