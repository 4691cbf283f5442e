//! Texts on their way into fields: clipped, without what colours them, one line end.

use manometer_model::{Problem, Problems};

/// Appends `text` to `out`, which may grow to `limit` bytes; answers whether something was cut off.
///
/// Escape sequences of terminals are left out, so that a failure is the same in colour and without; other control
/// characters stand as U+FFFD, as where they come in XML.
pub(crate) fn append(out: &mut String, text: &str, limit: usize) -> bool {
    let mut rest = text;
    while !rest.is_empty() {
        let special =
            rest.find(|character: char| character.is_control() && !matches!(character, '\n' | '\t'));
        let (plain, tail) = rest.split_at_checked(special.unwrap_or(rest.len())).unwrap_or((rest, ""));
        let room = limit.saturating_sub(out.len());
        if plain.len() > room {
            out.push_str(plain.get(..plain.floor_char_boundary(room)).unwrap_or_default());
            return true;
        }
        out.push_str(plain);
        rest = after_control(tail, out, limit);
    }
    false
}

/// Reads past the control character at the start of `text`, if there is one.
fn after_control<'a>(text: &'a str, out: &mut String, limit: usize) -> &'a str {
    let mut characters = text.chars();
    match characters.next() {
        None => "",
        Some('\u{1b}') => match characters.as_str().strip_prefix('[') {
            Some(sequence) => {
                let end = sequence.find(|character: char| !matches!(character, '0'..='9' | ';' | '?'));
                let mut after = end.and_then(|end| sequence.get(end..)).unwrap_or_default().chars();
                after.next();
                after.as_str()
            }
            None => characters.as_str(),
        },
        Some('\r') => {
            if !characters.as_str().starts_with('\n') && out.len() < limit {
                out.push('\n');
            }
            characters.as_str()
        }
        Some(_) => {
            if out.len() + char::REPLACEMENT_CHARACTER.len_utf8() <= limit {
                out.push(char::REPLACEMENT_CHARACTER);
            }
            characters.as_str()
        }
    }
}

/// The same, with a problem where something was cut off.
pub(crate) fn append_noting(
    out: &mut String,
    text: &str,
    limit: usize,
    problems: &mut Problems,
    field: &str,
    line: u64,
) {
    let was_full = out.len() >= limit;
    if append(out, text, limit) && !was_full {
        cut_off(problems, limit, field, line);
    }
}

/// Reports a text that was longer than is kept.
pub(crate) fn cut_off(problems: &mut Problems, limit: usize, field: &str, line: u64) {
    problems.push_with(|| {
        Problem::new(format!("longer than {limit} bytes, the rest was cut off")).at_line(line).in_field(field)
    });
}

/// The last part of a path of any system: a name that is the same in every checkout.
pub(crate) fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn appended(text: &str, limit: usize) -> (String, bool) {
        let mut out = String::new();
        let was_cut = append(&mut out, text, limit);
        (out, was_cut)
    }

    #[test]
    fn colours_are_left_out_and_line_ends_are_one() {
        assert_eq!(appended("\u{1b}[31mred\u{1b}[0;1m bold\u{1b}[?25l", 100), ("red bold".to_owned(), false));
        assert_eq!(appended("a\r\nb\rc\td\0e\u{1b}(f", 100), ("a\nb\nc\td\u{fffd}e(f".to_owned(), false));
        assert_eq!(appended("\u{1b}[", 100), (String::new(), false));
    }

    #[test]
    fn a_text_is_cut_at_a_character() {
        assert_eq!(appended("größe", 4), ("grö".to_owned(), true));
        assert_eq!(appended("größe", 3), ("gr".to_owned(), true));
        assert_eq!(appended("größe", 7), ("größe".to_owned(), false));
    }

    #[test]
    fn the_last_part_of_a_path_is_its_name() {
        assert_eq!(file_name("/srv/shop/cart.test.js"), "cart.test.js");
        assert_eq!(file_name(r"C:\shop\Shop.Tests.dll"), "Shop.Tests.dll");
        assert_eq!(file_name("cart"), "cart");
    }
}
