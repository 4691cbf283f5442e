//! One short hash for failures of one cause.

use xxhash_rust::xxh3::Xxh3;

/// 16 hexadecimal digits: XXH3-64 of the failure's kind and message with what changes from run to run taken
/// out.
///
/// Taken out are: numbers, hexadecimal numbers and addresses, UUIDs and long hashes (each word that has a
/// digit and otherwise only hexadecimal digits, `x`, dots, colons, dashes or underscores counts as one), and
/// paths in temporary folders. White space counts as one space. Everything else counts, so that
/// `expected 3 items, got 5` and `expected 4 items, got 9` are one failure and
/// `expected a string` is another. The recipe is part of the stored data: another recipe would separate
/// today's failures from last year's.
pub fn of_failure(kind: &str, message: &str, hex: &mut String) {
    let mut hasher = Xxh3::new();
    hasher.update(kind.trim().as_bytes());
    hasher.update(&[0]);
    let mut words = message.split_whitespace().peekable();
    while let Some(word) = words.next() {
        hash_word(word, &mut hasher);
        if words.peek().is_some() {
            hasher.update(b" ");
        }
    }
    let hash = hasher.digest();
    hex.clear();
    for nibble in (0..16).rev() {
        let digit = (hash >> (nibble * 4)) & 15;
        hex.extend(char::from_digit(digit as u32, 16));
    }
}

/// Stands for whatever was taken out.
const MARK: &[u8] = b"#";

/// Folders whose paths differ from run to run, wherever in a word they begin.
const TEMPORARY: &[&str] = &["/tmp/", "/var/folders/", "/var/tmp/", "/private/tmp/", "\\Temp\\", "\\TEMP\\"];

fn hash_word(word: &str, hasher: &mut Xxh3) {
    let has_path = memchr::memchr2(b'/', b'\\', word.as_bytes()).is_some();
    let temporary = TEMPORARY.iter().filter(|_| has_path).filter_map(|folder| word.find(folder)).min();
    let (before, rest) = word.split_at_checked(temporary.unwrap_or(word.len())).unwrap_or((word, ""));
    hash_pieces(before, hasher);
    if rest.is_empty() {
        return;
    }
    hasher.update(MARK);
    // The path ends where its quotes or brackets do.
    let end = rest.find(['"', '\'', '`', ')', ']', '>', ',', ';']).unwrap_or(rest.len());
    hash_pieces(rest.get(end..).unwrap_or_default(), hasher);
}

/// Hashes runs of letters, digits and the marks inside numbers, each number-like run as one mark.
fn hash_pieces(text: &str, hasher: &mut Xxh3) {
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|character: char| !is_inside_run(character)).unwrap_or(rest.len());
        let (run, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
        hash_run(run, hasher);
        let mut characters = after.chars();
        if let Some(separator) = characters.next() {
            hasher.update(separator.encode_utf8(&mut [0; 4]).as_bytes());
        }
        rest = characters.as_str();
    }
}

fn is_inside_run(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '.' | ':' | '-' | '_' | '+')
}

fn hash_run(run: &str, hasher: &mut Xxh3) {
    let mut trimmed = run.trim_end_matches(['.', ':', '-', '_', '+']);
    // The unit of `7.5ms` is no part of the number.
    if trimmed.starts_with(|first: char| first.is_ascii_digit()) && !is_number_like(trimmed) {
        trimmed = trimmed.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    }
    let tail = run.get(trimmed.len()..).unwrap_or_default();
    if is_number_like(trimmed) {
        hasher.update(MARK);
    } else {
        hash_digits_as_marks(trimmed, hasher);
    }
    hasher.update(tail.as_bytes());
}

fn is_number_like(run: &str) -> bool {
    run.bytes().any(|byte| byte.is_ascii_digit())
        && run.bytes().all(|byte| {
            byte.is_ascii_hexdigit()
                || matches!(byte, b'x' | b'X' | b'.' | b':' | b'-' | b'_' | b'+' | b'T' | b'Z')
        })
}

/// A word with digits in it, as `item42` or `12ms`: each run of digits is one mark.
fn hash_digits_as_marks(run: &str, hasher: &mut Xxh3) {
    for piece in run.as_bytes().chunk_by(|left, right| left.is_ascii_digit() == right.is_ascii_digit()) {
        let is_number = piece.first().is_some_and(u8::is_ascii_digit);
        hasher.update(if is_number { MARK } else { piece });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fingerprint(kind: &str, message: &str) -> String {
        let mut hex = String::new();
        of_failure(kind, message, &mut hex);
        hex
    }

    fn is_one_cause(left: &str, right: &str) {
        assert_eq!(fingerprint("E", left), fingerprint("E", right), "{left} | {right}");
    }

    #[test]
    fn the_recipe_never_changes() {
        assert_eq!(fingerprint("AssertionError", "expected 3 items, got 5"), "e3c39b9c563ddbd3");
        assert_eq!(fingerprint("", "").len(), 16);
    }

    #[test]
    fn what_changes_from_run_to_run_is_taken_out() {
        is_one_cause("expected 3 items, got 5", "expected 4 items, got 19");
        is_one_cause("took 12ms", "took 7.5ms");
        is_one_cause("<Cart object at 0x7f3a2c1b9d30>", "<Cart object at 0x7fff5fbff8c0>");
        is_one_cause(
            "order 1b4e28ba-2fa1-11d2-883f-0016d3cca427 lost",
            "order 6fa459ea-ee8a-3ca4-894e-db77e160355e lost",
        );
        is_one_cause("at 2026-11-21T06:13:38Z: late", "at 2025-01-02T23:59:01.5Z: late");
        is_one_cause("connect to 10.0.3.7:5432: refused", "connect to 127.0.0.1:40123: refused");
        is_one_cause("no such file: '/tmp/pytest-of-ci/pytest-3/x.db'", "no such file: '/tmp/ab12/y/x.db'");
        is_one_cause("open \"C:\\Users\\ci\\Temp\\a1\\b\"", "open \"C:\\Users\\ci\\Temp\\zz\"");
        is_one_cause("commit da39a3ee5e6b4b0d", "commit 0beec7b5ea3f0fdb");
        is_one_cause("line one\n  line two", "line one line two");
    }

    #[test]
    fn what_tells_causes_apart_stays() {
        assert_ne!(fingerprint("E", "expected a string"), fingerprint("E", "expected a number"));
        assert_ne!(fingerprint("E", "boom"), fingerprint("F", "boom"));
        assert_ne!(fingerprint("E", "cart is empty"), fingerprint("E", "cart is full"));
        assert_ne!(fingerprint("ab", "c"), fingerprint("a", "bc"));
        assert_ne!(
            fingerprint("E", "dead beef"),
            fingerprint("E", "face feed"),
            "words without digits are words"
        );
    }
}
