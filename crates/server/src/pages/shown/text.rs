//! Text from reports, made fit to be read: terminal escapes out, length bounded.

/// Text with at most so many bytes and lines, and how much was left out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Clipped {
    /// What is shown.
    pub(crate) text: String,
    /// Bytes left out.
    pub(crate) cut_bytes: usize,
}

impl Clipped {
    /// `raw` as plain text, at most `bytes` bytes and `lines` lines of it.
    pub(crate) fn new(raw: &str, bytes: usize, lines: usize) -> Self {
        let plain = plain_text(raw);
        let trimmed = plain.trim_matches('\n').trim_end();
        let by_lines =
            trimmed.match_indices('\n').nth(lines.saturating_sub(1)).map_or(trimmed.len(), |(at, _)| at);
        let end = trimmed.floor_char_boundary(by_lines.min(bytes));
        let shown = trimmed.get(..end).unwrap_or_default();
        Self { text: shown.to_owned(), cut_bytes: trimmed.len() - shown.len() }
    }

    /// Is there nothing to show?
    pub(crate) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }
}

/// The text without terminal escape sequences and control characters; line ends and tabs stay.
///
/// Sequences are those of ECMA-48: `ESC [ … final`, `ESC ] … BEL` or `ESC ] … ESC \`, and `ESC x`. A sequence that
/// never ends takes its own introducer with it, not the rest of the text.
pub(crate) fn plain_text(raw: &str) -> String {
    let mut plain = String::with_capacity(raw.len());
    let mut rest = raw.chars();
    while let Some(letter) = rest.next() {
        match letter {
            '\u{1b}' => rest = after_escape(rest),
            '\u{9b}' => rest = after_control_sequence(rest),
            '\n' | '\t' => plain.push(letter),
            '\r' => {
                if !rest.as_str().starts_with('\n') {
                    plain.push('\n');
                }
            }
            control if control.is_control() => {}
            // Marks that reverse the direction of what follows can make a name look like another one.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => plain.push('\u{fffd}'),
            _ => plain.push(letter),
        }
    }
    plain
}

fn after_escape(rest: std::str::Chars<'_>) -> std::str::Chars<'_> {
    let mut following = rest.clone();
    match following.next() {
        Some('[') => after_control_sequence(following),
        Some(']' | 'P' | 'X' | '^' | '_') => after_string(following),
        Some(' '..='/') => after_intermediates(following),
        Some('0'..='~') => following,
        _ => rest,
    }
}

/// More intermediates, then one final letter, as in `ESC ( B`.
fn after_intermediates(rest: std::str::Chars<'_>) -> std::str::Chars<'_> {
    let mut following = rest.clone();
    match following.find(|letter| !matches!(letter, ' '..='/')) {
        Some('0'..='~') => following,
        _ => rest,
    }
}

/// Parameters and intermediates are 0x20 to 0x3f, the final byte 0x40 to 0x7e.
fn after_control_sequence(rest: std::str::Chars<'_>) -> std::str::Chars<'_> {
    let mut following = rest.clone();
    for letter in following.by_ref() {
        match letter {
            '\u{20}'..='\u{3f}' => {}
            '\u{40}'..='\u{7e}' => return following,
            _ => return rest,
        }
    }
    rest
}

fn after_string(rest: std::str::Chars<'_>) -> std::str::Chars<'_> {
    let mut following = rest.clone();
    while let Some(letter) = following.next() {
        match letter {
            '\u{7}' | '\u{9c}' => return following,
            '\u{1b}' if following.as_str().starts_with('\\') => {
                let mut behind = following;
                behind.next();
                return behind;
            }
            '\n' => return rest,
            _ => {}
        }
    }
    rest
}

/// The first letters of a commit hash.
pub(crate) fn short_sha(sha: &str) -> String {
    sha.chars().take(10).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminal_colours_links_and_bells_are_taken_out() {
        assert_eq!(plain_text("\u{1b}[31;1mred\u{1b}[0m plain"), "red plain");
        assert_eq!(plain_text("\u{1b}]8;;https://x.example\u{1b}\\link\u{1b}]8;;\u{7}!"), "link!");
        assert_eq!(plain_text("a\u{7}b\u{0}c\u{1b}(Bd"), "abcd");
        assert_eq!(plain_text("\u{9b}1mbold"), "bold");
    }

    #[test]
    fn a_sequence_that_never_ends_does_not_swallow_the_text() {
        assert_eq!(plain_text("before \u{1b}[31"), "before 31");
        assert_eq!(plain_text("\u{1b}]0;title without end\nnext line"), "0;title without end\nnext line");
        assert_eq!(plain_text("\u{1b}"), "");
    }

    #[test]
    fn marks_that_reverse_text_become_visible() {
        assert_eq!(plain_text("user\u{202e}txt.exe"), "user\u{fffd}txt.exe");
    }

    #[test]
    fn clipping_keeps_whole_letters_and_says_what_is_gone() {
        let clipped = Clipped::new("žluťoučký kůň", 3, 10);
        assert_eq!(clipped.text, "žl");
        assert_eq!(clipped.cut_bytes, "žluťoučký kůň".len() - "žl".len());
        let lines = Clipped::new("one\ntwo\nthree", 1_000, 2);
        assert_eq!(lines.text, "one\ntwo");
        assert_eq!(Clipped::new("\n\nfine\n", 100, 100), Clipped { text: "fine".into(), cut_bytes: 0 });
    }
}
