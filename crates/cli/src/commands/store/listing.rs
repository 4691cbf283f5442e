//! Short lists in the three forms: aligned for people, JSON and CSV for programs.

use std::io::IsTerminal as _;

use serde::Serialize;
use unicode_width::UnicodeWidthStr as _;

use crate::args::StoreFormat;
use crate::output;

/// Letters of the longest bar.
const BAR_LETTERS: usize = 12;

/// One line.
pub(super) struct Line {
    /// For people.
    pub(super) shown: Vec<String>,
    /// For CSV.
    pub(super) plain: Vec<String>,
    /// What its bar shows, beside the other lines.
    pub(super) weight: u64,
}

/// The heads of the columns.
pub(super) struct Heads {
    /// For people; a column whose head begins with `>` is aligned to the right.
    pub(super) shown: &'static [&'static str],
    /// For CSV.
    pub(super) plain: &'static [&'static str],
}

/// Prints lines for people or as CSV, or `all` as JSON.
pub(super) fn print(
    format: StoreFormat,
    heads: &Heads,
    lines: &[Line],
    all: &impl Serialize,
) -> anyhow::Result<()> {
    let text = match format {
        StoreFormat::Table => aligned(heads.shown, lines, std::io::stdout().is_terminal()),
        StoreFormat::Csv => csv(heads.plain, lines),
        StoreFormat::Json => format!("{}\n", serde_json::to_string_pretty(all)?),
    };
    output::data(&text)?;
    Ok(())
}

fn aligned(heads: &[&str], lines: &[Line], with_bars: bool) -> String {
    let names: Vec<&str> = heads.iter().map(|head| head.trim_start_matches('>')).collect();
    let widths: Vec<usize> = names
        .iter()
        .enumerate()
        .map(|(column, name)| {
            let cells = lines.iter().filter_map(|line| line.shown.get(column)).map(|cell| cell.width());
            cells.chain([name.width()]).max().unwrap_or_default()
        })
        .collect();
    let row = |cells: &mut dyn Iterator<Item = &str>| {
        let mut text = String::new();
        for ((cell, width), head) in cells.zip(&widths).zip(heads) {
            let gap = " ".repeat(width.saturating_sub(cell.width()));
            let (before, after) = if head.starts_with('>') { (gap.as_str(), "") } else { ("", gap.as_str()) };
            text.push_str(&format!("{before}{cell}{after}  "));
        }
        text
    };
    let mut text = row(&mut names.iter().copied()).trim_end().to_owned();
    text.push('\n');
    let heaviest = lines.iter().map(|line| line.weight).max().unwrap_or_default();
    for line in lines {
        let mut shown = row(&mut line.shown.iter().map(String::as_str));
        if with_bars {
            shown.push_str(&bar(line.weight, heaviest));
        }
        text.push_str(shown.trim_end());
        text.push('\n');
    }
    text
}

/// A bar in eighths of a letter; what is not nothing shows at least one.
fn bar(weight: u64, heaviest: u64) -> String {
    const PARTS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    if weight == 0 || heaviest == 0 {
        return String::new();
    }
    let share = weight as f64 / heaviest as f64;
    let eighths = ((share * (BAR_LETTERS * 8) as f64).round() as usize).max(1);
    format!("{}{}", "█".repeat(eighths / 8), PARTS.get(eighths % 8).unwrap_or(&""))
}

fn csv(heads: &[&str], lines: &[Line]) -> String {
    let mut text = format!("{}\r\n", heads.join(","));
    for line in lines {
        let cells: Vec<String> = line.plain.iter().map(|cell| quoted(cell)).collect();
        text.push_str(&format!("{}\r\n", cells.join(",")));
    }
    text
}

/// As RFC 4180 has it.
fn quoted(cell: &str) -> String {
    if cell.contains([',', '"', '\r', '\n']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_align_and_bars_are_for_terminals() {
        let line = |name: &str, number: &str, weight| Line {
            shown: vec![name.to_owned(), number.to_owned()],
            plain: vec![name.to_owned(), number.to_owned()],
            weight,
        };
        let lines = [line("tests", "12", 100), line("a", "1,000", 50), line("none", "0", 0)];
        let plain = aligned(&["table", ">rows"], &lines, false);
        assert_eq!(plain, "table   rows\ntests     12\na      1,000\nnone       0\n");
        let drawn = aligned(&["table", ">rows"], &lines, true);
        assert!(drawn.contains("12  ████████████\n") && drawn.contains("1,000  ██████\n"), "{drawn}");
        assert!(drawn.ends_with("0\n"), "nothing has no bar");
        assert_eq!(bar(1, 1_000_000), "▏");
    }

    #[test]
    fn cells_with_commas_are_quoted() {
        let line = Line { shown: Vec::new(), plain: vec!["a, \"b\"".to_owned(), "1".to_owned()], weight: 0 };
        assert_eq!(csv(&["kept", "rows"], &[line]), "kept,rows\r\n\"a, \"\"b\"\"\",1\r\n");
    }
}
