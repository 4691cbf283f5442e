//! Past a document type declaration, reading nothing out of it.

/// How many bytes belong to the declaration that `bytes` begin with, after its `<!`; `None` when it ends later.
pub(crate) fn end_of_declaration(bytes: &[u8]) -> Option<usize> {
    DoctypeEnd::default().feed(bytes)
}

/// Finds the end of `<!DOCTYPE …>`, which may hold an internal subset in brackets with quoted texts and
/// comments. Fed in pieces of any size, it keeps a few numbers and nothing of the text.
#[derive(Debug, Default)]
pub(super) struct DoctypeEnd {
    quote: Option<u8>,
    brackets: u32,
    /// Dashes directly before.
    dashes: u32,
    is_in_comment: bool,
    /// Did it declare anything itself?
    pub(super) has_subset: bool,
}

impl DoctypeEnd {
    /// How many of `bytes` belong to the declaration, when it ends in them.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Option<usize> {
        bytes.iter().position(|byte| self.is_last(*byte)).map(|last| last + 1)
    }

    fn is_last(&mut self, byte: u8) -> bool {
        let dashes_before = self.dashes;
        self.dashes = if byte == b'-' { dashes_before.saturating_add(1) } else { 0 };
        if self.is_in_comment {
            self.is_in_comment = !(byte == b'>' && dashes_before >= 2);
            return false;
        }
        if let Some(quote) = self.quote {
            if byte == quote {
                self.quote = None;
            }
            return false;
        }
        match byte {
            b'"' | b'\'' => self.quote = Some(byte),
            b'-' if dashes_before == 1 => {
                self.is_in_comment = true;
                self.dashes = 0;
            }
            b'[' => {
                self.brackets += 1;
                self.has_subset = true;
            }
            b']' => self.brackets = self.brackets.saturating_sub(1),
            b'>' => return self.brackets == 0,
            _ => {}
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_found_in_whatever_pieces_the_declaration_comes() {
        for declaration in [
            "DOCTYPE html>",
            "DOCTYPE a SYSTEM \"x>y\" 'z>'>",
            "DOCTYPE a [ <!ENTITY b \"]>\"> <!-- it's ]> \" --> <!ELEMENT a (b)> ] >",
            "DOCTYPE a [<!---->]>",
        ] {
            let text = format!("{declaration}<a/>");
            assert_eq!(DoctypeEnd::default().feed(text.as_bytes()), Some(declaration.len()), "{declaration}");
            let mut in_pieces = DoctypeEnd::default();
            let end = text.bytes().position(|byte| in_pieces.feed(&[byte]).is_some());
            assert_eq!(end, Some(declaration.len() - 1), "{declaration}");
        }
        assert_eq!(DoctypeEnd::default().feed(b"DOCTYPE a [ <!ENTITY b '>"), None);
    }
}
