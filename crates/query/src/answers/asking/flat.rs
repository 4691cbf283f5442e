//! Answers as one table of plain cells, for CSV.

use manometer_model::Timestamp;

/// A cell.
#[derive(Debug, Clone, PartialEq)]
pub enum FlatCell {
    /// Not known: an empty cell.
    Null,
    /// Text.
    Text(String),
    /// A whole number.
    Count(u64),
    /// A real number.
    Number(f64),
    /// A time, RFC 3339.
    Time(Timestamp),
    /// True or false.
    Truth(bool),
}

impl From<&str> for FlatCell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<&String> for FlatCell {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

impl From<u64> for FlatCell {
    fn from(count: u64) -> Self {
        Self::Count(count)
    }
}

impl From<f64> for FlatCell {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl From<Timestamp> for FlatCell {
    fn from(time: Timestamp) -> Self {
        Self::Time(time)
    }
}

impl From<bool> for FlatCell {
    fn from(truth: bool) -> Self {
        Self::Truth(truth)
    }
}

impl<T: Into<FlatCell>> From<Option<T>> for FlatCell {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// An answer that fits one table.
pub trait Flat {
    /// The titles of its columns.
    const COLUMNS: &'static [&'static str];

    /// Its rows, each with a cell for every column.
    fn rows(&self) -> Vec<Vec<FlatCell>>;

    /// It as CSV: RFC 4180 with a header, lines ended by a line feed.
    fn csv(&self) -> String {
        let mut text = Self::COLUMNS.join(",");
        text.push('\n');
        for row in self.rows() {
            let cells: Vec<String> = row.iter().map(written).collect();
            text.push_str(&cells.join(","));
            text.push('\n');
        }
        text
    }
}

fn written(cell: &FlatCell) -> String {
    match cell {
        FlatCell::Null => String::new(),
        FlatCell::Text(text) => quoted(text),
        FlatCell::Count(count) => count.to_string(),
        FlatCell::Number(number) if number.is_finite() => number.to_string(),
        FlatCell::Number(_) => String::new(),
        FlatCell::Time(time) => time.to_string(),
        FlatCell::Truth(truth) => truth.to_string(),
    }
}

fn quoted(text: &str) -> String {
    let needs_quotes = text.is_empty() || text.contains([',', '"', '\n', '\r']);
    if needs_quotes { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Two;

    impl Flat for Two {
        const COLUMNS: &'static [&'static str] = &["name", "value"];

        fn rows(&self) -> Vec<Vec<FlatCell>> {
            vec![vec!["a \"b\", c".into(), 1.5.into()], vec!["".into(), None::<f64>.into()]]
        }
    }

    #[test]
    fn an_empty_text_and_nothing_at_all_differ() {
        assert_eq!(Two.csv(), "name,value\n\"a \"\"b\"\", c\",1.5\n\"\",\n");
    }
}
