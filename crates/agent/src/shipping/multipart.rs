//! The body of a form with files, see RFC 7578.

/// A form that grows file by file.
#[derive(Debug)]
pub(super) struct Form {
    boundary: String,
    body: Vec<u8>,
    files: usize,
}

impl Form {
    pub(super) fn new() -> Self {
        // 128 random bits: no file contains them.
        Self { boundary: format!("manometer-{}", uuid::Uuid::new_v4().simple()), body: Vec::new(), files: 0 }
    }

    pub(super) fn text(&mut self, name: &str, value: &str) {
        self.begin_part(&format!("name=\"{}\"", escaped(name)));
        self.body.extend_from_slice(value.as_bytes());
        self.body.extend_from_slice(b"\r\n");
    }

    pub(super) fn file(&mut self, file_name: &str, content: &[u8]) {
        self.begin_part(&format!("name=\"file\"; filename=\"{}\"", escaped(file_name)));
        self.body.extend_from_slice(content);
        self.body.extend_from_slice(b"\r\n");
        self.files += 1;
    }

    pub(super) fn files(&self) -> usize {
        self.files
    }

    pub(super) fn len(&self) -> usize {
        self.body.len()
    }

    /// Content type and body.
    pub(super) fn finish(mut self) -> (String, Vec<u8>) {
        self.body.extend_from_slice(format!("--{}--\r\n", self.boundary).as_bytes());
        (format!("multipart/form-data; boundary={}", self.boundary), self.body)
    }

    fn begin_part(&mut self, disposition: &str) {
        let head = format!("--{}\r\nContent-Disposition: form-data; {disposition}\r\n\r\n", self.boundary);
        self.body.extend_from_slice(head.as_bytes());
    }
}

/// As browsers write names in forms: quotes and line ends percent-encoded.
fn escaped(text: &str) -> String {
    text.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}
