//! The first look at a body: is it of a size and depth worth reading?
//!
//! One pass over the bytes, no memory, no recursion. What passes may still be no JSON: [`crate::tree`] says so.

use manometer_model::Limits;

use crate::DecodeError;

/// Largest body of a webhook that is read, in bytes. The systems known here send a few hundred KiB at the most; only a
/// push of thousands of commits comes near to this.
pub const MOST_BODY_BYTES: usize = 8 * 1024 * 1024;

/// Checks size and depth of a body.
///
/// # Errors
/// When it is empty, larger than [`MOST_BODY_BYTES`] or `limits.body_bytes`, or deeper than `limits.nesting`.
pub(crate) fn check(body: &[u8], limits: &Limits) -> Result<(), DecodeError> {
    check_size(body, limits)?;
    // The reader behind this has a limit of 128 levels of its own.
    let most = limits.nesting.min(127);
    if is_deeper_than(body, most) {
        return Err(DecodeError::TooDeep { most });
    }
    Ok(())
}

/// Checks the size of a body that is unpacked before it is read.
///
/// # Errors
/// When it is empty, larger than [`MOST_BODY_BYTES`] or `limits.body_bytes`.
pub(crate) fn check_size(body: &[u8], limits: &Limits) -> Result<(), DecodeError> {
    let most = MOST_BODY_BYTES.min(limits.body_bytes);
    if body.len() > most {
        return Err(DecodeError::TooLarge { bytes: body.len(), most });
    }
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(DecodeError::Empty);
    }
    Ok(())
}

fn is_deeper_than(body: &[u8], most: usize) -> bool {
    let (mut depth, mut is_text, mut is_escaped) = (0_usize, false, false);
    for byte in body {
        if is_text {
            match byte {
                _ if is_escaped => is_escaped = false,
                b'\\' => is_escaped = true,
                b'"' => is_text = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => is_text = true,
            b'{' | b'[' => {
                depth += 1;
                if depth > most {
                    return true;
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_is_counted_outside_of_texts() {
        assert!(!is_deeper_than(br#"{"a":"[[[[[\"[[[[[","b":[{}]}"#, 3));
        assert!(is_deeper_than(br#"{"a":[{}]}"#, 2));
        assert!(!is_deeper_than(br#"[[],[],[]]"#, 2));
    }

    #[test]
    fn huge_deep_and_empty_bodies_are_refused_with_the_limit_they_broke() {
        let limits = Limits::default();
        let deep = vec![b'['; 1024 * 1024];
        assert!(matches!(check(&deep, &limits), Err(DecodeError::TooDeep { most: 64 })));
        let huge = vec![b' '; 10 * 1024 * 1024];
        assert!(matches!(check(&huge, &limits), Err(DecodeError::TooLarge { most: MOST_BODY_BYTES, .. })));
        assert!(matches!(check(b" \n", &limits), Err(DecodeError::Empty)));
        let small = Limits { body_bytes: 2, ..Limits::default() };
        assert!(matches!(check(b"{} ", &small), Err(DecodeError::TooLarge { bytes: 3, most: 2 })));
    }
}
