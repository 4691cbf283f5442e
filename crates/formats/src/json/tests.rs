//! What the cursor makes of good and bad JSON.

use std::io::BufReader;

use super::*;

fn with<T>(text: &[u8], piece: usize, read: impl FnOnce(&mut Json<'_>) -> T) -> T {
    let mut input = BufReader::with_capacity(piece, text);
    let mut json = Json::new(Utf8Input::new(&mut input).unwrap(), 16);
    read(&mut json)
}

fn string(text: &str) -> String {
    let whole = with(text.as_bytes(), 4096, |json| json.string().unwrap().unwrap().to_owned());
    let pieces = with(text.as_bytes(), 1, |json| json.string().unwrap().unwrap().to_owned());
    assert_eq!(whole, pieces);
    whole
}

#[test]
fn strings_are_decoded_and_clipped() {
    assert_eq!(string(r#""a\"\\\/\n\u00e4""#), "a\"\\/\nä");
    assert_eq!(string(r#""\ud83d\ude00""#), "😀");
    assert_eq!(string(r#""\ud83d""#), "\u{fffd}");
    assert_eq!(string(r#""\ud83dx\ude00""#), "\u{fffd}x\u{fffd}");
    assert_eq!(string(r#""C:\src\cart""#), r"C:\src\cart");
    assert_eq!(string("\"0123456789012345ä\""), "0123456789012345");
    assert_eq!(string("\"012345678901234ä\""), "012345678901234");
    with(b"\"gr\xfcn\"", 64, |json| assert_eq!(json.string().unwrap(), Some("grün")));
}

#[test]
fn a_reader_is_led_past_what_it_does_not_know() {
    let text =
        br#"{"x": [{"y": "]}\""}, [[]], 1e5, NaN], "a": 1, "b": "no", "c": [true, -2.5e3,], "d": null,}"#;
    for piece in [1, 2, 3, 1000] {
        with(text, piece, |json| {
            assert!(json.enter_object().unwrap());
            let mut found = Vec::new();
            while let Some(key) = json.next_key().unwrap() {
                match key {
                    "a" => found.push(json.number().unwrap().unwrap().to_owned()),
                    "b" => assert!(!json.enter_array().unwrap()),
                    "c" => {
                        assert!(json.enter_array().unwrap());
                        assert!(json.next_element().unwrap());
                        assert_eq!(json.boolean().unwrap(), Some(true));
                        assert!(json.next_element().unwrap());
                        found.push(json.number().unwrap().unwrap().to_owned());
                        assert!(!json.next_element().unwrap());
                    }
                    _ => json.skip().unwrap(),
                }
            }
            assert_eq!(found, ["1", "-2.5e3"]);
            assert!(json.is_at_end().unwrap());
        });
    }
}

#[test]
fn depth_costs_neither_stack_nor_memory() {
    let mut deep = vec![b'['; 3_000_000];
    deep.extend(vec![b']'; 3_000_000]);
    with(&deep, 65_536, |json| {
        json.skip().unwrap();
        assert!(json.is_at_end().unwrap());
        assert!(json.open.capacity() < 100 && json.bytes.capacity() < 100);
    });
}

#[test]
fn what_is_no_json_says_where() {
    for (text, expected) in [
        ("{\n\"a\"\n 1}", "line 3: `:` expected"),
        ("{\n1: 2}", "line 2: a key in quotes expected"),
        ("{\"a\": }", "line 1: a value expected"),
        ("{\"a\": 1\n\"b\": 2}", "line 2: `,` or the end of what is open expected"),
        ("{\"a\": \"\\u12g4\"}", "line 1: four hexadecimal digits expected"),
        ("{\"a\": [1,\n", "line 2: the file ends too early"),
        ("{\"a\": \"x", "line 1: the file ends too early"),
        ("{\"a", "line 1: the file ends too early"),
    ] {
        let stop = with(text.as_bytes(), 64, |json| {
            let outcome: Result<(), Stop> = (|| {
                json.enter_object()?;
                while json.next_key()?.is_some() {
                    match json.kind()? {
                        Kind::String => drop(json.string()?.map(str::to_owned)),
                        _ => json.skip()?,
                    }
                }
                Ok(())
            })();
            outcome.unwrap_err()
        });
        let line = match &stop {
            Stop::Syntax { line, .. } | Stop::Ended { line } => *line,
            Stop::Io(_) => 0,
        };
        assert_eq!(format!("line {line}: {stop}"), expected, "{text}");
    }
}
