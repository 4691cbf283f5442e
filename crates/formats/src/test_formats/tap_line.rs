//! One line of TAP.

/// What a line says, without its indentation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum TapLine<'a> {
    Version,
    /// `1..7`, with the reason where all is skipped.
    Plan {
        last: u64,
        skip: Option<&'a str>,
    },
    Test(Point<'a>),
    /// `# Subtest: money`
    Subtest(&'a str),
    /// Any other comment, without the `#`.
    Comment(&'a str),
    YamlBegin,
    YamlEnd,
    BailOut(&'a str),
    Pragma,
    Other(&'a str),
}

/// `not ok 3 - adds # TODO later`
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Point<'a> {
    pub(super) is_ok: bool,
    pub(super) number: Option<u64>,
    /// As written, escapes and all.
    pub(super) description: &'a str,
    pub(super) directive: Directive<'a>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Directive<'a> {
    None,
    Skip(&'a str),
    Todo(&'a str),
    /// `# time=12.5ms`, in seconds.
    Time(f64),
}

/// Reads a line from which the indentation was taken off.
pub(super) fn read(line: &str) -> TapLine<'_> {
    if let Some(comment) = line.strip_prefix('#') {
        let comment = comment.trim();
        return match comment.strip_prefix("Subtest") {
            Some(name) if name.is_empty() || name.starts_with(':') => {
                TapLine::Subtest(name.trim_start_matches(':').trim())
            }
            _ => TapLine::Comment(comment),
        };
    }
    match line.trim_end() {
        "---" => return TapLine::YamlBegin,
        "..." => return TapLine::YamlEnd,
        _ => {}
    }
    if let Some(rest) = after_word(line, "not ok") {
        return TapLine::Test(point(false, rest));
    }
    if let Some(rest) = after_word(line, "ok") {
        return TapLine::Test(point(true, rest));
    }
    if line.get(.."bail out!".len()).is_some_and(|start| start.eq_ignore_ascii_case("bail out!")) {
        return TapLine::BailOut(line.get("bail out!".len()..).unwrap_or_default().trim());
    }
    if line.starts_with("TAP version ") {
        return TapLine::Version;
    }
    if line.starts_with("pragma ") {
        return TapLine::Pragma;
    }
    plan(line).unwrap_or(TapLine::Other(line))
}

fn after_word<'a>(line: &'a str, word: &str) -> Option<&'a str> {
    let rest = line.strip_prefix(word)?;
    (rest.is_empty() || rest.starts_with(char::is_whitespace)).then_some(rest)
}

fn plan(line: &str) -> Option<TapLine<'_>> {
    let (first, rest) = line.split_once("..")?;
    first.parse::<u64>().ok()?;
    let (last, comment) = rest.split_once('#').unwrap_or((rest, ""));
    let last = last.trim().parse().ok()?;
    let comment = comment.trim();
    let is_skip = comment.get(..4).is_some_and(|word| word.eq_ignore_ascii_case("skip"));
    let reason = comment.split_once(char::is_whitespace).map_or("", |(_, reason)| reason.trim());
    Some(TapLine::Plan { last, skip: (is_skip || last == 0).then_some(reason) })
}

fn point(is_ok: bool, rest: &str) -> Point<'_> {
    let rest = rest.trim();
    let digits = rest.find(|character: char| !character.is_ascii_digit()).unwrap_or(rest.len());
    let (number, after) = rest.split_at_checked(digits).unwrap_or((rest, ""));
    let (number, rest) = match number.parse() {
        Ok(number) if after.is_empty() || after.starts_with(char::is_whitespace) => {
            (Some(number), after.trim_start())
        }
        _ => (None, rest),
    };
    let rest = rest.strip_prefix('-').map_or(rest, str::trim_start);
    let (description, directive) = directive_of(rest);
    Point { is_ok, number, description, directive }
}

/// Splits off the directive behind the last ` #` that is not escaped and begins one.
fn directive_of(rest: &str) -> (&str, Directive<'_>) {
    for (at, _) in rest.match_indices('#').rev() {
        let (before, behind) = rest.split_at_checked(at).unwrap_or((rest, ""));
        let escapes = before.bytes().rev().take_while(|byte| *byte == b'\\').count();
        if escapes % 2 == 1 || !(before.is_empty() || before.ends_with(char::is_whitespace)) {
            continue;
        }
        let text = behind.trim_start_matches('#').trim();
        let end = text.find(|letter: char| !letter.is_ascii_alphabetic()).unwrap_or(text.len());
        let (word, reason) = text.split_at_checked(end).unwrap_or((text, ""));
        let word = word.to_ascii_lowercase();
        let reason = reason.trim_start_matches([':', ' ', '\t']).trim();
        let directive = match word.as_str() {
            "skip" | "skipped" => Directive::Skip(reason),
            "todo" => Directive::Todo(reason),
            "time" => match time(reason) {
                Some(seconds) => Directive::Time(seconds),
                None => continue,
            },
            _ => continue,
        };
        return (before.trim_end(), directive);
    }
    (rest.trim_end(), Directive::None)
}

/// `=12.5ms` or `=1.5s`
fn time(text: &str) -> Option<f64> {
    let value = text.strip_prefix('=')?;
    let (number, units) = match value.strip_suffix("ms") {
        Some(number) => (number, 1e3),
        None => (value.strip_suffix('s').unwrap_or(value), 1.0),
    };
    number
        .trim()
        .parse::<f64>()
        .ok()
        .filter(|number| number.is_finite() && *number >= 0.0)
        .map(|number| number / units)
}

/// A description with its escapes resolved.
pub(super) fn unescaped(description: &str) -> String {
    let mut out = String::with_capacity(description.len());
    let mut characters = description.chars().peekable();
    while let Some(character) = characters.next() {
        match (character, characters.peek()) {
            ('\\', Some(next @ ('#' | '\\'))) => {
                out.push(*next);
                characters.next();
            }
            _ => out.push(character),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test(line: &str) -> Point<'_> {
        let TapLine::Test(point) = read(line) else { panic!("{line}") };
        point
    }

    #[test]
    fn tests_are_read_with_their_directives() {
        let point = test("not ok 12 - adds # 1 \\# two # TODO not yet");
        assert_eq!((point.is_ok, point.number), (false, Some(12)));
        assert_eq!(unescaped(point.description), "adds # 1 # two");
        assert_eq!(point.directive, Directive::Todo("not yet"));
        assert_eq!(test("ok 4 # skip wartet").directive, Directive::Skip("wartet"));
        assert_eq!(test("ok 4 # SKIP: why").directive, Directive::Skip("why"));
        assert_eq!(test("ok 4 - a # time=12.5ms").directive, Directive::Time(0.0125));
        assert_eq!(test("ok 4 - a # Time=x").directive, Directive::None);
        assert_eq!(test("ok 4 - issue #12").description, "issue #12");
        assert_eq!(test("ok - a \\# SKIP no").description, "a \\# SKIP no");
        assert_eq!(test("ok").description, "");
        assert_eq!(test("ok 3rd party").description, "3rd party");
        assert_eq!(test("ok 3rd party").number, None);
    }

    #[test]
    fn what_is_no_test_is_told_apart() {
        assert_eq!(read("1..7"), TapLine::Plan { last: 7, skip: None });
        assert_eq!(read("1..0 # SKIP no database"), TapLine::Plan { last: 0, skip: Some("no database") });
        assert_eq!(read("1..x"), TapLine::Other("1..x"));
        assert_eq!(read("Bail out!  no database"), TapLine::BailOut("no database"));
        assert_eq!(read("# Subtest: money"), TapLine::Subtest("money"));
        assert_eq!(read("# Subtests are fine"), TapLine::Comment("Subtests are fine"));
        assert_eq!(read("okay"), TapLine::Other("okay"));
        assert_eq!(read("TAP version 14"), TapLine::Version);
    }
}
