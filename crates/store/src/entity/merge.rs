//! Two documents of one entity become one.
//!
//! Each register is settled on its own by the greater of (stamp, value) under a total order, `queued_at` by
//! the earlier time. Taking a greatest element is commutative, associative and idempotent, and so is the
//! merge: deliveries may come late, twice and in any order.

use std::cmp::Ordering;

use crate::entity::cells::Cell;
use crate::entity::doc::{Doc, Register};

/// Of this column the earliest known time is kept: a late "queued" must not be outranked by a later state
/// that repeats another time.
const EARLIEST: &str = "queued_at";

/// Merges two encoded documents.
pub(crate) fn merge_encoded(left: &[u8], right: &[u8]) -> Result<Vec<u8>, &'static str> {
    Ok(merge(&Doc::decode(left)?, &Doc::decode(right)?).encode())
}

/// Merges two documents.
pub(crate) fn merge<'a>(left: &Doc<'a>, right: &Doc<'a>) -> Doc<'a> {
    let mut registers = Vec::with_capacity(left.registers.len().max(right.registers.len()));
    let mut from_left = left.registers.iter().peekable();
    let mut from_right = right.registers.iter().peekable();
    loop {
        let next = match (from_left.peek(), from_right.peek()) {
            (None, None) => return Doc { registers },
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(first), Some(second)) => first.name.cmp(second.name),
        };
        match next {
            Ordering::Less => registers.extend(from_left.next()),
            Ordering::Greater => registers.extend(from_right.next()),
            Ordering::Equal => {
                if let (Some(first), Some(second)) = (from_left.next(), from_right.next()) {
                    registers.push(*stronger(first, second));
                }
            }
        }
    }
}

fn stronger<'r, 'a>(first: &'r Register<'a>, second: &'r Register<'a>) -> &'r Register<'a> {
    let by_weight = || first.stamp.cmp(&second.stamp).then_with(|| first.cell.total_order(&second.cell));
    let order = match (first.cell, second.cell) {
        (Cell::Time(one), Cell::Time(other)) if first.name == EARLIEST => {
            other.cmp(&one).then_with(by_weight)
        }
        _ => by_weight(),
    };
    if order == Ordering::Less { second } else { first }
}
