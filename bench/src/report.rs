//! The table of results.

/// One measured line.
#[derive(Debug)]
struct Line {
    what: String,
    ours: String,
    peer: String,
    ratio: String,
    goal: String,
    verdict: &'static str,
}

/// What a figure should be.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Goal {
    /// This or more.
    AtLeast(f64),
    /// This or less.
    AtMost(f64),
    /// No goal: the figure explains another.
    None,
}

impl Goal {
    fn verdict(self, figure: f64) -> &'static str {
        match self {
            Self::AtLeast(least) if figure >= least => "met",
            Self::AtMost(most) if figure <= most => "met",
            Self::None => "",
            _ => "MISSED",
        }
    }
}

/// Lines measured so far.
#[derive(Debug, Default)]
pub(crate) struct Report {
    lines: Vec<Line>,
}

impl Report {
    /// A figure of ours alone. `goal` is about the figure; `unit` is written behind both.
    pub(crate) fn figure(&mut self, what: impl Into<String>, figure: f64, unit: &str, goal: Goal) {
        let goal_text = match goal {
            Goal::AtLeast(bound) => format!("≥ {} {unit}", rounded(bound)),
            Goal::AtMost(bound) => format!("≤ {} {unit}", rounded(bound)),
            Goal::None => String::new(),
        };
        self.push(Line {
            what: what.into(),
            ours: format!("{} {unit}", rounded(figure)),
            peer: String::new(),
            ratio: String::new(),
            goal: goal_text,
            verdict: goal.verdict(figure),
        });
    }

    /// Ours beside a peer's. `goal` is about `ours / peer`.
    pub(crate) fn ratio(&mut self, what: impl Into<String>, ours: f64, peer: f64, unit: &str, goal: Goal) {
        let ratio = ours / peer;
        let goal_text = match goal {
            Goal::AtLeast(bound) => format!("≥ {} ×", rounded(bound)),
            Goal::AtMost(bound) => format!("≤ {} ×", rounded(bound)),
            Goal::None => String::new(),
        };
        self.push(Line {
            what: what.into(),
            ours: format!("{} {unit}", rounded(ours)),
            peer: format!("{} {unit}", rounded(peer)),
            ratio: format!("{} ×", rounded(ratio)),
            goal: goal_text,
            verdict: goal.verdict(ratio),
        });
    }

    /// A comparison that could not be made on this machine.
    pub(crate) fn skipped(&mut self, what: impl Into<String>, reason: &str) {
        let blank = String::new;
        self.push(Line {
            what: what.into(),
            ours: format!("skipped: {reason}"),
            peer: blank(),
            ratio: blank(),
            goal: blank(),
            verdict: "",
        });
    }

    fn push(&mut self, line: Line) {
        note(&format!("{}: {} {} {}", line.what, line.ours, line.peer, line.ratio));
        self.lines.push(line);
    }

    /// Prints the table, in Markdown.
    #[expect(clippy::print_stdout, reason = "the table is the product of this program")]
    pub(crate) fn print(&self) {
        println!("| what | Manometer | peer | ratio | goal | |");
        println!("|---|--:|--:|--:|--:|---|");
        for line in &self.lines {
            let Line { what, ours, peer, ratio, goal, verdict } = line;
            println!("| {what} | {ours} | {peer} | {ratio} | {goal} | {verdict} |");
        }
    }
}

/// Says one thing on standard output.
#[expect(clippy::print_stdout, reason = "the answer to a question")]
pub(crate) fn tell(text: &str) {
    println!("{text}");
}

/// Says what is going on.
#[expect(clippy::print_stderr, reason = "progress belongs to standard error")]
pub(crate) fn note(text: &str) {
    eprintln!("{text}");
}

/// Three significant digits, thousands separated.
fn rounded(figure: f64) -> String {
    if figure == 0.0 || !figure.is_finite() {
        return figure.to_string();
    }
    let digits = (2 - figure.abs().log10().floor() as i32).clamp(0, 6) as usize;
    let scale = 10_f64.powi(figure.abs().log10().floor() as i32 - 2);
    let text = format!("{:.digits$}", (figure / scale).round() * scale);
    let (whole, fraction) =
        text.split_once('.').map_or((text.as_str(), None), |(whole, rest)| (whole, Some(rest)));
    let mut grouped = String::new();
    for (place, digit) in whole.chars().enumerate() {
        let remaining = whole.len() - place;
        if place > 0 && remaining % 3 == 0 && !grouped.ends_with('-') {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    match fraction {
        Some(fraction) => format!("{grouped}.{fraction}"),
        None => grouped,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_three_digits_that_mean_something() {
        let cases = [
            (1_234_567.0, "1,230,000"),
            (12.345, "12.3"),
            (0.012_34, "0.0123"),
            (999.6, "1,000"),
            (7.0, "7.00"),
        ];
        for (figure, expected) in cases {
            assert_eq!(rounded(figure), expected);
        }
    }

    #[test]
    fn a_goal_is_met_at_its_bound() {
        assert_eq!(Goal::AtLeast(2.0).verdict(2.0), "met");
        assert_eq!(Goal::AtMost(2.0).verdict(2.1), "MISSED");
    }
}
