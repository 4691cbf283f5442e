//! What an answer of InfluxDB means for the points that were sent.
//!
//! | answer | meaning |
//! |---|---|
//! | 204, 200 | all points are stored |
//! | 400, 422 with `partial write` | all but `dropped=N`, or but the lines it lists, are stored (1.x, 2.x since 2.5, 3.x) |
//! | 400 otherwise, 413 | none is stored: one or more points, or their number, are to blame |
//! | 401, 403, 404, … | none is stored, and smaller requests would not help |

use manometer_model::Problem;
use serde::Deserialize;

use crate::http::Answer;

/// What became of a request's points.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Taken,
    Partial {
        dropped: u64,
        reasons: Vec<Problem>,
    },
    /// None was taken, but others of them may be.
    SpoiltBySome,
    Refused,
}

/// The body of a refusal: 1.x has `error`, 2.x `code` and `message`, 3.x `error` and `data`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Complaint {
    error: Option<String>,
    message: Option<String>,
    data: Vec<LineComplaint>,
}

#[derive(Debug, Deserialize)]
struct LineComplaint {
    error_message: String,
    line_number: Option<u64>,
    original_line: Option<String>,
}

/// Reads an answer to `sent` points.
pub(super) fn verdict(answer: &Answer, sent: u64) -> Verdict {
    if answer.is_success() {
        return Verdict::Taken;
    }
    match answer.status {
        400 | 422 => refused_in_part(answer, sent).unwrap_or(Verdict::SpoiltBySome),
        413 => Verdict::SpoiltBySome,
        _ => Verdict::Refused,
    }
}

fn refused_in_part(answer: &Answer, sent: u64) -> Option<Verdict> {
    let complaint: Complaint = serde_json::from_slice(&answer.body).unwrap_or_default();
    let text = complaint.message.or(complaint.error).unwrap_or_else(|| answer.said());
    if !text.contains("partial write") {
        return None;
    }
    if !complaint.data.is_empty() {
        let dropped = (complaint.data.len() as u64).min(sent);
        let reasons = complaint.data.into_iter().map(LineComplaint::problem).collect();
        return Some(Verdict::Partial { dropped, reasons });
    }
    // 1.x lists each line it could not parse on a line of its own, and counts those it could not store.
    let unparsed: Vec<&str> = text.lines().filter(|line| line.contains("unable to parse")).collect();
    let counted =
        text.rsplit("dropped=").next().filter(|_| text.contains("dropped=")).and_then(leading_number);
    let dropped = counted.filter(|count| *count > 0).unwrap_or(unparsed.len() as u64).clamp(1, sent);
    let lines: Vec<&str> = if unparsed.is_empty() { vec![text.trim()] } else { unparsed };
    let reasons = lines.into_iter().map(|line| Problem::new(format!("refused: {}", clip(line)))).collect();
    Some(Verdict::Partial { dropped, reasons })
}

impl LineComplaint {
    fn problem(self) -> Problem {
        let line = self.original_line.map_or_else(String::new, |line| format!(": {}", clip(&line)));
        let problem = Problem::new(format!("refused: {}{line}", clip(&self.error_message)));
        match self.line_number {
            Some(number) => problem.at_line(number),
            None => problem,
        }
    }
}

fn leading_number(text: &str) -> Option<u64> {
    let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

fn clip(text: &str) -> String {
    text.trim().chars().take(300).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(status: u16, body: &str) -> Verdict {
        verdict(&Answer { status, retry_after: None, body: body.as_bytes().to_vec() }, 10)
    }

    #[test]
    fn a_type_conflict_of_1x_and_2x_costs_the_points_it_counts() {
        let words = r#"partial write: field type conflict: input field \"duration_seconds\" on measurement \"ci_build\" is type integer, already exists as type float dropped=3"#;
        for (status, body) in [
            (400, format!(r#"{{"error":"{words}"}}"#)),
            (
                422,
                format!(
                    r#"{{"code":"unprocessable entity","message":"failure writing points to database: {words}"}}"#
                ),
            ),
        ] {
            let Verdict::Partial { dropped, reasons } = judged(status, &body) else { panic!("{body}") };
            assert_eq!(dropped, 3);
            assert!(reasons[0].message.contains("field type conflict"), "{reasons:?}");
        }
    }

    #[test]
    fn lines_that_3x_lists_are_named() {
        let body = r#"{"error":"partial write of line protocol occurred","data":[
            {"error_message":"invalid column type for column 'v', expected iox::column_type::field::float","line_number":2,"original_line":"m v=1i 1"},
            {"error_message":"x","line_number":7,"original_line":"m"}]}"#;
        let Verdict::Partial { dropped, reasons } = judged(400, body) else { panic!() };
        assert_eq!((dropped, reasons[0].line, reasons[1].line), (2, Some(2), Some(7)));
    }

    #[test]
    fn lines_that_1x_cannot_parse_are_each_told() {
        let body = r#"{"error":"partial write: unable to parse 'a': missing fields\nunable to parse 'b x': invalid field format dropped=0"}"#;
        let Verdict::Partial { dropped, reasons } = judged(400, body) else { panic!() };
        assert_eq!((dropped, reasons.len()), (2, 2));
    }

    #[test]
    fn a_refusal_without_those_words_took_nothing() {
        assert_eq!(
            judged(400, r#"{"code":"invalid","message":"unable to parse 'x'"}"#),
            Verdict::SpoiltBySome
        );
        assert_eq!(judged(413, ""), Verdict::SpoiltBySome);
        assert_eq!(
            judged(401, r#"{"code":"unauthorized","message":"unauthorized access"}"#),
            Verdict::Refused
        );
        assert_eq!(judged(404, "<html>"), Verdict::Refused);
        assert_eq!(judged(204, ""), Verdict::Taken);
    }
}
