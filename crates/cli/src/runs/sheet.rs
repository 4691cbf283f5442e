//! A table of texts, as aligned columns or as Markdown.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthStr as _;

/// What a cell's text means, where that is worth a colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Nothing special.
    Plain,
    /// For the worse.
    Bad,
    /// For the better.
    Good,
    /// Not to be relied on.
    Faint,
}

/// One cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cell {
    text: String,
    tone: Tone,
}

impl Cell {
    /// A plain cell. What could command a terminal is taken out: names come from files and servers.
    pub(crate) fn new(text: impl AsRef<str>) -> Self {
        Self { text: text.as_ref().chars().map(printable).collect(), tone: Tone::Plain }
    }

    /// What it shows.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The same with a meaning.
    pub(crate) fn toned(mut self, tone: Tone) -> Self {
        self.tone = tone;
        self
    }
}

fn printable(letter: char) -> char {
    // Direction marks can make a line read as something else than what it says.
    let is_mark =
        matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if letter.is_control() || is_mark { '\u{fffd}' } else { letter }
}

/// Where the text of a column stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// Texts.
    Left,
    /// Numbers.
    Right,
}

/// The table.
#[derive(Debug)]
pub(crate) struct Sheet {
    header: Vec<(Cell, Side)>,
    rows: Vec<Vec<Cell>>,
    gap: usize,
}

impl Sheet {
    /// A table with these columns.
    pub(crate) fn new(header: &[(&str, Side)]) -> Self {
        let header = header.iter().map(|(title, side)| (Cell::new(title), *side)).collect();
        Self { header, rows: Vec::new(), gap: 2 }
    }

    /// The same with so many spaces between columns.
    pub(crate) fn with_gap(mut self, gap: usize) -> Self {
        self.gap = gap;
        self
    }

    /// Adds a row, with a cell for each column.
    pub(crate) fn push(&mut self, row: Vec<Cell>) {
        self.rows.push(row);
    }

    /// Aligned columns under a line; in colour if asked for.
    pub(crate) fn plain(&self, is_coloured: bool) -> String {
        let widths: Vec<usize> = (0..self.header.len())
            .map(|column| {
                let cells = self.rows.iter().filter_map(|row| row.get(column));
                let titles = self.header.get(column).map(|(title, _)| title);
                cells.chain(titles).map(|cell| cell.text.width()).max().unwrap_or_default()
            })
            .collect();
        let titles: Vec<&Cell> = self.header.iter().map(|(title, _)| title).collect();
        let mut text = self.line(&titles, &widths, false);
        let total = widths.iter().sum::<usize>() + self.gap * widths.len().saturating_sub(1);
        text.push_str(&"-".repeat(total.clamp(40, 120)));
        text.push('\n');
        for row in &self.rows {
            text.push_str(&self.line(&row.iter().collect::<Vec<_>>(), &widths, is_coloured));
        }
        text
    }

    fn line(&self, cells: &[&Cell], widths: &[usize], is_coloured: bool) -> String {
        let mut line = String::new();
        for ((cell, width), (_, side)) in cells.iter().zip(widths).zip(&self.header) {
            let padding = " ".repeat(width.saturating_sub(cell.text.width()));
            let shown = if is_coloured { painted(cell) } else { cell.text.clone() };
            match side {
                Side::Left => line.push_str(&format!("{shown}{padding}")),
                Side::Right => line.push_str(&format!("{padding}{shown}")),
            }
            line.push_str(&" ".repeat(self.gap));
        }
        line.truncate(line.trim_end().len());
        line.push('\n');
        line
    }

    /// A table in GitHub's and GitLab's Markdown.
    pub(crate) fn markdown(&self) -> String {
        let titles: Vec<&Cell> = self.header.iter().map(|(title, _)| title).collect();
        let mut text = markdown_row(&titles);
        for (_, side) in &self.header {
            text.push_str(match side {
                Side::Left => "|---",
                Side::Right => "|--:",
            });
        }
        text.push_str("|\n");
        for row in &self.rows {
            text.push_str(&markdown_row(&row.iter().collect::<Vec<_>>()));
        }
        text
    }
}

fn markdown_row(cells: &[&Cell]) -> String {
    let mut line = String::new();
    for cell in cells {
        let text = markdown_text(&cell.text);
        match cell.tone {
            Tone::Bad => write!(line, "| **{text}** "),
            _ => write!(line, "| {text} "),
        }
        .ok();
    }
    line.push_str("|\n");
    line
}

/// A text that Markdown shows as it is.
pub(crate) fn markdown_text(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars().map(printable) {
        match letter {
            '|' | '*' | '_' | '`' | '[' | ']' | '\\' | '~' | '#' => {
                shown.push('\\');
                shown.push(letter);
            }
            '<' => shown.push_str("&lt;"),
            '>' => shown.push_str("&gt;"),
            '&' => shown.push_str("&amp;"),
            // An invisible joint, so that nobody is called by a mention.
            '@' => shown.push_str("@\u{2060}"),
            other => shown.push(other),
        }
    }
    shown
}

fn painted(cell: &Cell) -> String {
    let code = match cell.tone {
        Tone::Plain => return cell.text.clone(),
        Tone::Bad => "1;31",
        Tone::Good => "32",
        Tone::Faint => "2",
    };
    format!("\x1b[{code}m{}\x1b[0m", cell.text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sheet() -> Sheet {
        let mut sheet = Sheet::new(&[("Name", Side::Left), ("Größe", Side::Right)]);
        sheet.push(vec![Cell::new("a|b\u{1b}[31m"), Cell::new("1")]);
        sheet.push(vec![Cell::new("漢字"), Cell::new("10.5").toned(Tone::Bad)]);
        sheet
    }

    #[test]
    fn columns_are_aligned_by_what_is_seen_and_nothing_commands_the_terminal() {
        assert_eq!(
            sheet().plain(false),
            "Name      Größe\n----------------------------------------\na|b\u{fffd}[31m      1\n漢字       10.5\n"
        );
        assert!(sheet().plain(true).ends_with("\x1b[1;31m10.5\x1b[0m\n"));
    }

    #[test]
    fn markdown_shows_texts_as_they_are() {
        assert_eq!(
            sheet().markdown(),
            "| Name | Größe |\n|---|--:|\n| a\\|b\u{fffd}\\[31m | 1 |\n| 漢字 | **10.5** |\n"
        );
        assert_eq!(markdown_text("<img> @team _x_"), "&lt;img&gt; @\u{2060}team \\_x\\_");
    }
}
