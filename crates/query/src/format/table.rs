//! Answers as a table for a terminal.
//!
//! Widths are taken from the first rows, up to [`MEASURED_ROWS`]; later rows keep them and are clipped.
//! Control characters are shown as signs, so that no text of a report can steer the terminal.

use std::sync::Arc;

use bytes::Bytes;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::record_batch::RecordBatch;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::{Encoder, cell, failed_to_encode};
use crate::{QueryError, Summary};

/// Rows whose widths count; they are held in memory until they are written.
const MEASURED_ROWS: usize = 5_000;
/// A column is not clipped below this many letters.
const NARROWEST: usize = 8;
/// Without an end of the line, a cell is still clipped to this many letters.
const WIDEST: usize = 200;
const BETWEEN: &str = " │ ";

pub(super) struct Table {
    schema: SchemaRef,
    width: Option<usize>,
    stage: Stage,
}

enum Stage {
    Measuring(Vec<Vec<String>>),
    Writing(Vec<usize>),
}

impl Table {
    pub(super) fn new(schema: &SchemaRef, width: Option<usize>) -> Self {
        Self { schema: Arc::clone(schema), width, stage: Stage::Measuring(Vec::new()) }
    }

    fn is_number(&self, column: usize) -> bool {
        self.schema.fields().get(column).is_some_and(|field| field.data_type().is_numeric())
    }

    /// Takes the widths, and writes the head and the rows held so far.
    fn begin_writing(&mut self) -> String {
        let Stage::Measuring(rows) = std::mem::replace(&mut self.stage, Stage::Writing(Vec::new())) else {
            return String::new();
        };
        let head: Vec<String> = self.schema.fields().iter().map(|field| visible(field.name())).collect();
        let natural = (0..head.len())
            .map(|column| {
                let cells = rows.iter().filter_map(|row| row.get(column)).chain(head.get(column));
                cells.map(|text| text.width()).max().unwrap_or_default().min(WIDEST)
            })
            .collect();
        let widths = fitted(natural, self.width);
        let mut text = String::new();
        self.push_row(&mut text, &head, &widths);
        let rules: Vec<String> = widths.iter().map(|width| "─".repeat(*width)).collect();
        text.push_str(&rules.join("─┼─"));
        text.push('\n');
        for row in &rows {
            self.push_row(&mut text, row, &widths);
        }
        self.stage = Stage::Writing(widths);
        text
    }

    fn push_row(&self, text: &mut String, row: &[String], widths: &[usize]) {
        let start = text.len();
        for (column, (value, width)) in row.iter().zip(widths).enumerate() {
            if column > 0 {
                text.push_str(BETWEEN);
            }
            let shown = clipped(value, *width);
            let padding = " ".repeat(width.saturating_sub(shown.width()));
            if self.is_number(column) {
                text.push_str(&padding);
                text.push_str(&shown);
            } else {
                text.push_str(&shown);
                text.push_str(&padding);
            }
        }
        while text.len() > start && text.ends_with(' ') {
            text.pop();
        }
        text.push('\n');
    }
}

impl Encoder for Table {
    fn start(&mut self) -> Result<Bytes, QueryError> {
        Ok(Bytes::new())
    }

    fn batch(&mut self, batch: &RecordBatch) -> Result<Bytes, QueryError> {
        let rows = texts(batch)?;
        match &mut self.stage {
            Stage::Measuring(held) => {
                held.extend(rows);
                if held.len() < MEASURED_ROWS {
                    return Ok(Bytes::new());
                }
                Ok(self.begin_writing().into())
            }
            Stage::Writing(widths) => {
                let known = std::mem::take(widths);
                let mut text = String::new();
                for row in &rows {
                    self.push_row(&mut text, row, &known);
                }
                self.stage = Stage::Writing(known);
                Ok(text.into())
            }
        }
    }

    fn finish(&mut self, _summary: &Summary) -> Result<Bytes, QueryError> {
        Ok(self.begin_writing().into())
    }
}

fn texts(batch: &RecordBatch) -> Result<Vec<Vec<String>>, QueryError> {
    let mut rows = vec![Vec::with_capacity(batch.num_columns()); batch.num_rows()];
    for column in batch.columns() {
        let formatter = cell::formatter(column).map_err(|error| failed_to_encode("a table", error))?;
        for (index, row) in rows.iter_mut().enumerate() {
            row.push(visible(&formatter.value(index).to_string()));
        }
    }
    Ok(rows)
}

/// The text on one line, with signs in place of control characters, at most a little longer than any cell.
fn visible(text: &str) -> String {
    text.chars()
        .take(WIDEST + 1)
        .map(|letter| match letter {
            '\n' => '⏎',
            '\t' => ' ',
            other => cell::harmless(other),
        })
        .collect()
}

fn clipped(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut shown = String::new();
    let mut used = 1;
    for letter in text.chars() {
        used += letter.width().unwrap_or_default();
        if used > width {
            break;
        }
        shown.push(letter);
    }
    shown.push('…');
    shown
}

/// Takes letters from the widest columns until the line fits, or every column is narrow.
fn fitted(mut widths: Vec<usize>, line: Option<usize>) -> Vec<usize> {
    let Some(line) = line else { return widths };
    let between = BETWEEN.width() * widths.len().saturating_sub(1);
    loop {
        let used = widths.iter().sum::<usize>() + between;
        let Some(widest) = widths.iter_mut().max() else { return widths };
        if used <= line || *widest <= NARROWEST {
            return widths;
        }
        *widest -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_widest_columns_give_way_first_and_none_vanishes() {
        assert_eq!(fitted(vec![4, 60, 20], Some(60)), [4, 30, 20]);
        assert_eq!(fitted(vec![4, 60, 60], Some(10)), [4, 8, 8]);
        assert_eq!(fitted(vec![4, 60], None), [4, 60]);
        assert_eq!(fitted(vec![], Some(10)), Vec::<usize>::new());
    }

    #[test]
    fn letters_of_double_width_are_counted_as_two() {
        assert_eq!(clipped("日本語テスト", 7), "日本語…");
        assert_eq!(clipped("short", 5), "short");
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        assert_eq!(visible("a\u{1b}[31mred\nb"), "a\u{fffd}[31mred⏎b");
    }
}
