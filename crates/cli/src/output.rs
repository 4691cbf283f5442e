//! The one place that prints: data to standard output, everything else to standard error.

use std::io::{IsTerminal, Write};

/// Writes data to standard output.
///
/// # Errors
/// When standard output is closed or full.
pub(crate) fn data(text: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Writes a line for people to standard error; where that is closed there is nobody to tell.
pub(crate) fn note(text: impl AsRef<str>) {
    let line = format!("{}\n", text.as_ref());
    std::io::stderr().lock().write_all(line.as_bytes()).ok();
}

/// A warning for people.
pub(crate) fn warn(text: impl AsRef<str>) {
    note(format!("{} {}", paint("warning:", YELLOW), text.as_ref()));
}

/// An error for people.
pub(crate) fn error(text: impl AsRef<str>) {
    note(format!("{} {}", paint("error:", RED), text.as_ref()));
}

const RED: &str = "31";
const YELLOW: &str = "33";

/// Is standard output for eyes that want colour?
pub(crate) fn is_coloured() -> bool {
    std::io::stdout().is_terminal() && wants_colour()
}

fn wants_colour() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

fn paint(text: &str, color: &str) -> String {
    if std::io::stderr().is_terminal() && wants_colour() {
        format!("\x1b[1;{color}m{text}\x1b[0m")
    } else {
        text.to_owned()
    }
}

/// `1234567` as `1,234,567`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A size for people: `12.3 MiB`.
pub(crate) fn bytes(size: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if size < 1024 {
        return format!("{size} B");
    }
    let mut value = size as f64 / 1024.0;
    let mut unit = UNITS[0];
    for larger in &UNITS[1..] {
        if value < 1024.0 {
            break;
        }
        value /= 1024.0;
        unit = larger;
    }
    format!("{value:.1} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_three() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_234_567), "1,234,567");
    }

    #[test]
    fn sizes_take_the_unit_that_fits() {
        assert_eq!(bytes(1023), "1023 B");
        assert_eq!(bytes(1536), "1.5 KiB");
        assert_eq!(bytes(3 * 1024 * 1024 * 1024), "3.0 GiB");
    }
}
