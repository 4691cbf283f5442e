//! Inputs made to exhaust a reader's memory, and what reading them takes.

use std::io::{self, BufRead, BufReader, Read};
use std::ops::ControlFlow;
use std::process::Command;

use anyhow::{Context as _, bail, ensure};
use manometer_formats::test_report::{self, TestCase};
use manometer_model::Limits;

/// An input, made while it is read: none of it is held but what the reader holds.
#[derive(Debug, Clone, Copy)]
pub struct Hostile {
    /// What it is called on the command line.
    pub name: &'static str,
    /// What is hostile about it.
    pub what: &'static str,
    format: &'static str,
    open: fn() -> Box<dyn Read>,
}

/// What reading one came to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Taken {
    /// Tests that came out.
    pub tests: u64,
    /// Most resident memory of the process, in bytes.
    pub peak_bytes: u64,
    /// Processor time, in seconds.
    pub processor_seconds: f64,
}

const GIGABYTE: u64 = 1 << 30;
const TESTS: u64 = 10_000_000;
const LEVELS: u64 = 100_000;

/// All of them.
pub const ALL: &[Hostile] = &[
    Hostile { name: "tests", what: "10 million tests, 24 in a suite", format: "junit", open: || tests(24) },
    Hostile {
        name: "one-suite",
        what: "10 million tests, all in one suite",
        format: "junit",
        open: || tests(TESTS),
    },
    Hostile {
        name: "suites",
        what: "10 million tests, each in a suite of its own",
        format: "junit",
        open: || tests(1),
    },
    Hostile {
        name: "repeated",
        what: "10 million times the same test",
        format: "junit",
        open: || around("<testsuite>", repeated("<testcase name=\"a\"/>", TESTS), "</testsuite>"),
    },
    Hostile {
        name: "attribute",
        what: "an attribute of 1 GiB",
        format: "junit",
        open: || around("<testsuite><testcase name=\"a\"/><testcase name=\"", letters(), "\"/></testsuite>"),
    },
    Hostile {
        name: "text",
        what: "a text of 1 GiB",
        format: "junit",
        open: || around("<testcase name=\"a\"><failure>", letters(), "</failure></testcase>"),
    },
    Hostile {
        name: "nesting",
        what: "100,000 elements one in another",
        format: "junit",
        open: || around("<testsuite><testcase name=\"a\"/>", repeated("<testsuite name=\"s\">", LEVELS), ""),
    },
    Hostile {
        name: "json-string",
        what: "a JSON string of 1 GiB",
        format: "mocha",
        open: || around("{\"stats\":{},\"tests\":[{\"title\":\"", letters(), "\"}]}"),
    },
    Hostile {
        name: "json-nesting",
        what: "100,000 JSON arrays one in another",
        format: "mocha",
        open: || around("{\"stats\":{},\"tests\":[],\"x\":", repeated("[", LEVELS), ""),
    },
    Hostile {
        name: "line",
        what: "a line of 1 GiB",
        format: "go-test",
        open: || around("{\"Action\":\"output\",\"Output\":\"", letters(), "\"}\n"),
    },
];

impl Hostile {
    /// Reads it in a process of its own, whose memory is that of the reader alone.
    ///
    /// # Errors
    /// When that process fails.
    pub fn read_apart(&self) -> anyhow::Result<Taken> {
        let program = std::env::current_exe().context("failed to find this program")?;
        let output = Command::new(program).args(["read", self.name]).output()?;
        if !output.status.success() {
            bail!("{}: {}", self.name, String::from_utf8_lossy(&output.stderr));
        }
        let printed = String::from_utf8_lossy(&output.stdout);
        let figures: Vec<&str> = printed.split_whitespace().collect();
        let [tests, peak_bytes, processor_seconds] = figures.as_slice() else {
            bail!("{}: printed {printed}", self.name)
        };
        Ok(Taken {
            tests: tests.parse()?,
            peak_bytes: peak_bytes.parse()?,
            processor_seconds: processor_seconds.parse()?,
        })
    }

    /// Reads it in this process.
    ///
    /// # Errors
    /// When reading fails otherwise than by finding that it can read no further.
    pub fn read(&self) -> anyhow::Result<Taken> {
        let format = test_report::FORMATS.iter().find(|format| format.name == self.format);
        let read = format.context("no such format")?.read;
        let mut tests = 0;
        let mut sink = |_: &TestCase<'_>| {
            tests += 1;
            ControlFlow::Continue(())
        };
        let mut input: Box<dyn BufRead> = Box::new(BufReader::new((self.open)()));
        let (processor_seconds, summary) =
            crate::figures::processor_timed(|| read(&mut input, &Limits::default(), &mut sink));
        if let Ok(summary) = summary {
            ensure!(summary.tests == tests, "the summary counts {} tests, {tests} came", summary.tests);
        }
        Ok(Taken { tests, peak_bytes: peak_bytes()?, processor_seconds })
    }
}

/// Most resident memory of this process so far, as the kernel of Linux tells it.
fn peak_bytes() -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status").context("failed to read /proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = peak.and_then(|peak| peak.trim().strip_suffix(" kB")).context("no peak is told")?;
    Ok(kilobytes.trim().parse::<u64>()? * 1024)
}

fn around(before: &'static str, middle: impl Read + 'static, after: &'static str) -> Box<dyn Read> {
    Box::new(before.as_bytes().chain(middle).chain(after.as_bytes()))
}

fn letters() -> impl Read {
    io::repeat(b'x').take(GIGABYTE)
}

fn repeated(text: &'static str, times: u64) -> impl Read {
    Made::new(times, move |_, out| out.push_str(text))
}

fn tests(in_suite: u64) -> Box<dyn Read> {
    let write = move |number: u64, out: &mut String| {
        if number.is_multiple_of(in_suite) {
            if number > 0 {
                out.push_str("</testsuite>");
            }
            out.push_str(&format!("<testsuite name=\"com.acme.shop.Suite{}\">", number / in_suite));
        }
        out.push_str(&format!(
            "<testcase classname=\"com.acme.shop\" name=\"works_{number}\" time=\"0.001\"/>"
        ));
    };
    around("<testsuites>", Made::new(TESTS, write), "</testsuite></testsuites>")
}

/// Pieces of text made one at a time, numbered from 0.
struct Made<F> {
    next: u64,
    end: u64,
    write: F,
    piece: String,
    given: usize,
}

impl<F: Fn(u64, &mut String)> Made<F> {
    fn new(end: u64, write: F) -> Self {
        Self { next: 0, end, write, piece: String::new(), given: 0 }
    }
}

impl<F: Fn(u64, &mut String)> Read for Made<F> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        if self.given == self.piece.len() && self.next < self.end {
            self.piece.clear();
            self.given = 0;
            (self.write)(self.next, &mut self.piece);
            self.next += 1;
        }
        let mut rest = self.piece.as_bytes().get(self.given..).unwrap_or_default();
        let count = rest.read(room)?;
        self.given += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_while_it_is_read_is_whole() {
        let mut text = String::new();
        around("<", Made::new(3, |number, out| out.push_str(&number.to_string())), ">")
            .read_to_string(&mut text)
            .unwrap();
        assert_eq!(text, "<012>");
    }
}
