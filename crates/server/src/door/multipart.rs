//! `multipart/form-data` (RFC 7578) over a body that is already in memory: the parts are slices of it.

use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use bytes::Bytes;
use memchr::memmem::Finder;

/// One part of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Field {
    /// Name of the form field.
    pub(crate) name: String,
    /// Name of the file, where the part is one.
    pub(crate) file_name: Option<String>,
    /// Its content.
    pub(crate) content: Bytes,
}

/// Why a body is not a form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum MultipartError {
    #[error("the multipart body has no part that begins with its boundary `--{boundary}`")]
    NoBoundary { boundary: String },
    #[error("part {part} of the multipart body ends early: the closing boundary is missing")]
    EndsEarly { part: usize },
    #[error("part {part} of the multipart body is malformed: {what}")]
    Malformed { part: usize, what: &'static str },
    #[error(
        "the multipart body has more than {limit} parts (limit `files_per_upload`): send it in several uploads"
    )]
    TooManyParts { limit: usize },
}

/// Longest head of a part.
const HEAD_BYTES: usize = 16 * 1024;

/// The boundary of a multipart body; `None` when the content type is another one.
pub(crate) fn boundary_of(headers: &HeaderMap) -> Option<Result<String, &'static str>> {
    let content_type = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let (kind, parameters) = content_type.split_once(';').unwrap_or((content_type, ""));
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let boundary = parameter(parameters, "boundary").unwrap_or_default();
    // RFC 2046, 5.1.1: one to seventy characters.
    let is_usable = (1..=70).contains(&boundary.len()) && boundary.is_ascii();
    Some(if is_usable {
        Ok(boundary)
    } else {
        Err("the content type multipart/form-data needs a boundary of 1 to 70 characters")
    })
}

/// Splits a body into its parts.
pub(crate) fn split(body: &Bytes, boundary: &str, most_parts: usize) -> Result<Vec<Field>, MultipartError> {
    let opening = format!("--{boundary}");
    let delimiter = format!("\r\n--{boundary}");
    let finder = Finder::new(delimiter.as_bytes());
    let mut position = if body.starts_with(opening.as_bytes()) {
        opening.len()
    } else {
        let preamble =
            finder.find(body).ok_or_else(|| MultipartError::NoBoundary { boundary: boundary.to_owned() })?;
        preamble + delimiter.len()
    };
    let mut fields = Vec::new();
    loop {
        let part = fields.len() + 1;
        let rest = body.get(position..).unwrap_or_default();
        if rest.starts_with(b"--") {
            return Ok(fields);
        }
        let padding = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        if rest.get(padding..padding + 2) != Some(b"\r\n") {
            return Err(MultipartError::Malformed {
                part,
                what: "its boundary is not followed by a line break",
            });
        }
        if fields.len() >= most_parts {
            return Err(MultipartError::TooManyParts { limit: most_parts });
        }
        let start = position + padding + 2;
        let content_end = body.get(start..).and_then(|rest| finder.find(rest));
        let end = start + content_end.ok_or(MultipartError::EndsEarly { part })?;
        fields.push(field(&body.slice(start..end), part)?);
        position = end + delimiter.len();
    }
}

fn field(part_bytes: &Bytes, part: usize) -> Result<Field, MultipartError> {
    let malformed = |what| MultipartError::Malformed { part, what };
    let searched = part_bytes.get(..HEAD_BYTES.min(part_bytes.len())).unwrap_or_default();
    let head_end =
        memchr::memmem::find(searched, b"\r\n\r\n").ok_or_else(|| malformed("its head has no end"))?;
    let head = std::str::from_utf8(searched.get(..head_end).unwrap_or_default())
        .map_err(|_| malformed("its head is not UTF-8"))?;
    let disposition = head
        .split("\r\n")
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("content-disposition"))
        .map(|(_, value)| value)
        .ok_or_else(|| malformed("it has no Content-Disposition"))?;
    let (kind, parameters) = disposition.split_once(';').unwrap_or((disposition, ""));
    if !kind.trim().eq_ignore_ascii_case("form-data") {
        return Err(malformed("its Content-Disposition is not form-data"));
    }
    Ok(Field {
        name: parameter(parameters, "name").ok_or_else(|| malformed("it has no name"))?,
        file_name: parameter(parameters, "filename"),
        content: part_bytes.slice(head_end + 4..),
    })
}

/// One parameter of a header value, its quotes undone. Browsers write a quote inside as `%22`, others as `\"`.
fn parameter(parameters: &str, wanted: &str) -> Option<String> {
    let mut rest = parameters;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ';']);
        let (name, after) = rest.split_once('=')?;
        let (value, remaining) = match after.strip_prefix('"') {
            Some(quoted) => unquote(quoted)?,
            None => {
                let (plain, remaining) = after.split_once(';').unwrap_or((after, ""));
                (plain.trim().to_owned(), remaining)
            }
        };
        if name.trim().eq_ignore_ascii_case(wanted) {
            return Some(value.replace("%22", "\""));
        }
        rest = remaining;
    }
}

fn unquote(quoted: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut letters = quoted.char_indices();
    while let Some((position, letter)) = letters.next() {
        match letter {
            '"' => return Some((value, quoted.get(position + 1..)?)),
            '\\' if matches!(quoted.as_bytes().get(position + 1), Some(b'"' | b'\\')) => {
                value.extend(letters.next().map(|(_, escaped)| escaped));
            }
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split_text(text: &str) -> Result<Vec<Field>, MultipartError> {
        split(&Bytes::from(text.to_owned()), "XX", 3)
    }

    fn part(head: &str, content: &str) -> String {
        format!("--XX\r\nContent-Disposition: form-data; {head}\r\n\r\n{content}\r\n")
    }

    #[test]
    fn files_and_fields_are_told_apart_and_content_is_kept_to_the_byte() {
        let file = part("name=\"file\"; filename=\"a \\\"b\\\" %22c%22.xml\"", "<a>\r\n--X\r\n</a>\r\n");
        let body = format!("preamble\r\n{}{file}--XX--\r\nepilogue", part("name=project", "shop"));
        let fields = split_text(&body).unwrap();
        assert_eq!(fields.len(), 2);
        assert_eq!((fields[0].name.as_str(), fields[0].file_name.as_deref()), ("project", None));
        assert_eq!(fields[0].content, "shop");
        assert_eq!(fields[1].file_name.as_deref(), Some("a \"b\" \"c\".xml"));
        assert_eq!(fields[1].content, "<a>\r\n--X\r\n</a>\r\n");
    }

    #[test]
    fn what_ends_early_or_is_malformed_is_refused_with_the_part() {
        for (body, what) in [
            ("", "no part that begins"),
            ("nothing", "no part that begins"),
            ("--XX\r\nContent-Disposition: form-data; name=a\r\n\r\nopen", "ends early"),
            ("--XX\r\nContent-Type: text/plain\r\n\r\nx\r\n--XX--", "no Content-Disposition"),
            ("--XX\r\nContent-Disposition: attachment; name=a\r\n\r\nx\r\n--XX--", "not form-data"),
            ("--XX\r\nContent-Disposition: form-data\r\n\r\nx\r\n--XX--", "no name"),
            ("--XX\r\nContent-Disposition: form-data; name=\"a\r\n\r\nx\r\n--XX--", "no name"),
            ("--XXY\r\n", "not followed by a line break"),
        ] {
            let refused = split_text(body).unwrap_err().to_string();
            assert!(refused.contains(what), "{body:?}: {refused}");
        }
    }

    #[test]
    fn more_parts_than_allowed_are_refused() {
        let body: String = (0..4).map(|_| part("name=a", "1")).chain(["--XX--".to_owned()]).collect();
        assert_eq!(split_text(&body), Err(MultipartError::TooManyParts { limit: 3 }));
    }

    #[test]
    fn the_boundary_is_read_from_the_content_type() {
        let of = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, text.parse().unwrap());
            boundary_of(&headers)
        };
        assert_eq!(of("multipart/form-data; boundary=abc"), Some(Ok("abc".to_owned())));
        assert_eq!(of("Multipart/Form-Data; charset=utf-8; boundary=\"a b\""), Some(Ok("a b".to_owned())));
        assert_eq!(of("application/xml"), None);
        assert!(matches!(of("multipart/form-data"), Some(Err(_))));
        assert!(matches!(of(&format!("multipart/form-data; boundary={}", "x".repeat(71))), Some(Err(_))));
    }
}
