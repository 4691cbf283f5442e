//! Formats are told from content.

use manometer_formats::{Kind, detect};

fn refusal(start: &[u8]) -> String {
    detect(start).unwrap_err().to_string()
}

#[test]
fn junit_is_known_by_its_root_in_any_encoding() {
    let utf16: Vec<u8> = "<testsuite/>".encode_utf16().flat_map(u16::to_be_bytes).collect();
    let long_comment = format!("<!--{}--><testsuites>", "x".repeat(5_000));
    for start in [
        b"<testsuite>".as_slice(),
        b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- made by a tool -->\n<testsuites name='x'",
        b"<!DOCTYPE testsuites SYSTEM 'x.dtd'> <testsuites>",
        b"<!DOCTYPE a [<!ENTITY b '<coverage>]>'>]><testsuite>",
        b"<![CDATA[<coverage>]]> < </x><testsuite>",
        b"  \n<testcase name='a'/>",
        &utf16,
        &[b"\xfe\xff", utf16.as_slice()].concat(),
        long_comment.as_bytes(),
        b"<?xml version='1.0' encoding='ISO-8859-1'?><!-- gr\xfcn --><testsuite>",
    ] {
        assert_eq!(detect(start).unwrap().name(), "junit", "{}", String::from_utf8_lossy(start));
    }
}

#[test]
fn records_are_known_by_their_type() {
    assert_eq!(detect(b"{\"type\":\"run\",\"provider\":\"ci\"}\n").unwrap(), Kind::Records);
    assert_eq!(detect(b"\n\n {\"a\":1,\"type\":\"run\"}").unwrap(), Kind::Records);
    let long = format!("{{\"type\":\"log\",\"message\":\"{}", "x".repeat(20_000));
    assert_eq!(detect(long.as_bytes()).unwrap(), Kind::Records);
}

#[test]
fn everything_else_is_named_for_what_it_looks_like() {
    assert_eq!(refusal(b""), "the file is empty");
    assert_eq!(refusal(b" \r\n"), "the file is empty");
    let expected =
        "; expected a report of tests, coverage or builds (docs/FORMATS.md lists them), or records as NDJSON";
    for (start, found) in [
        (b"<!DOCTYPE html><html>".as_slice(), "looks like an HTML page"),
        (b"<HTML><body>", "looks like an HTML page"),
        (b"<tasks line-rate='1'>", "XML with root <tasks>: not read yet"),
        (b"<?xml version='1.0'?>", "looks like XML, but has no element in its first bytes"),
        (b"\x1f\x8b\x08\x00", "gzip data inside what was unpacked"),
        (b"PK\x03\x04aaaa", "a zip archive inside what was unpacked"),
        (b"\x7fELF\x02\x01\x00\x00", "looks like binary data"),
        (
            b"[{\"type\":\"run\"}]",
            "a JSON array of no known kind (keys `type`): records are sent one object a line",
        ),
        (b"{\n  \"kind\": \"run\"\n}", "JSON of no known kind (keys `kind`)"),
        (b"all is well\nok then", "looks like plain text beginning with `all is well`"),
    ] {
        assert_eq!(refusal(start), format!("{found}{expected}"));
    }
}
