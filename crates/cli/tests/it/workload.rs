//! Deliveries for crash tests: each says what it sent, under which key, and what came back.

use std::fmt::Write as _;

use manometer_testkit::{HttpClient, Response};

pub(crate) const TESTS_PROJECT: &str = "github.com/acme/reports";
pub(crate) const RUNS_PROJECT: &str = "github.com/acme/progress";
pub(crate) const SAVED_PROJECT: &str = "acme/saved";
/// One day for all rows, so that flushes make many small files of one partition and compaction has work.
const AT: &str = "2026-03-01T12:00:00Z";

/// How far a run was when it was told of.
pub(crate) const STATUSES: [&str; 3] = ["queued", "running", "completed"];

/// What a delivery holds, in terms the oracle can count.
#[derive(Debug, Clone)]
pub(crate) enum Content {
    /// A JUnit file of tests with unique names.
    Report { run_id: String, tests: usize },
    /// NDJSON: one state of a run, and samples with unique names.
    Progress { run_id: String, status: usize, samples: usize },
    /// A document of `/save_metrics`.
    Saved { pipeline_id: u64, jobs: usize },
}

/// One delivery and what became of it.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) key: String,
    pub(crate) content: Content,
    /// The receipt's id, once one came back. Documents of `/save_metrics` have an empty one.
    pub(crate) acknowledged: Option<String>,
}

impl Sent {
    pub(crate) fn new(key: String, content: Content) -> Self {
        Self { key, content, acknowledged: None }
    }

    /// The names of the rows it brings, unique in the whole test.
    pub(crate) fn names(&self, count: usize) -> impl Iterator<Item = String> {
        (0..count).map(|row| format!("{}-{row}", self.key))
    }

    /// Sends it; the same delivery is the same bytes every time. A receipt is noted.
    pub(crate) fn send(&mut self, client: &mut HttpClient) -> std::io::Result<Response> {
        let response = self.post(client)?;
        if !matches!(response.status, 200 | 201 | 208) {
            return Ok(response);
        }
        let receipt = match self.content {
            Content::Saved { .. } => String::new(),
            _ => receipt_id(&response),
        };
        match &self.acknowledged {
            None => self.acknowledged = Some(receipt),
            Some(first) => {
                assert_eq!(*first, receipt, "{}: a repetition is answered with another receipt", self.key)
            }
        }
        Ok(response)
    }

    fn post(&self, client: &mut HttpClient) -> std::io::Result<Response> {
        let key = ("idempotency-key", self.key.as_str());
        match &self.content {
            Content::Report { run_id, tests } => {
                let path = format!(
                    "/api/v1/reports?project={TESTS_PROJECT}&service=shop&provider=ci&run_id={run_id}&branch=main"
                );
                client.post(
                    &path,
                    &[key, ("content-type", "application/xml")],
                    self.report(*tests).as_bytes(),
                )
            }
            Content::Progress { run_id, status, samples } => {
                let body = self.records(run_id, *status, *samples);
                client.post(
                    "/api/v1/records",
                    &[key, ("content-type", "application/x-ndjson")],
                    body.as_bytes(),
                )
            }
            Content::Saved { pipeline_id, jobs } => {
                let body = saved(*pipeline_id, *jobs);
                client.post("/save_metrics", &[("content-type", "application/json")], body.as_bytes())
            }
        }
    }

    fn report(&self, tests: usize) -> String {
        let mut xml = format!("<testsuite name=\"shop\" tests=\"{tests}\" timestamp=\"{AT}\">");
        for name in self.names(tests) {
            write!(xml, "<testcase classname=\"shop.Cart\" name=\"{name}\" time=\"0.25\"/>").unwrap();
        }
        xml.push_str("</testsuite>");
        xml
    }

    fn records(&self, run_id: &str, status: usize, samples: usize) -> String {
        let context = format!(r#""provider":"ci","project":"{RUNS_PROJECT}","run_id":"{run_id}""#);
        let mut lines = format!("{{\"type\":\"run\",{context},\"status\":\"{}\"", STATUSES[status]);
        if status == 2 {
            lines.push_str(r#","conclusion":"success""#);
        }
        lines.push_str("}\n");
        for name in self.names(samples) {
            writeln!(lines, r#"{{"type":"sample",{context},"name":"{name}","value":1.5,"at":"{AT}"}}"#)
                .unwrap();
        }
        lines
    }

    /// Is it a delivery the server has to answer with its receipt from now on?
    pub(crate) const fn is_acknowledged(&self) -> bool {
        self.acknowledged.is_some()
    }
}

fn receipt_id(response: &Response) -> String {
    let body = response.json().unwrap();
    let receipt = body.get("receipt").unwrap_or(&body);
    receipt.get("id").and_then(|id| id.as_str()).unwrap_or_else(|| panic!("no receipt in {body}")).to_owned()
}

fn saved(pipeline_id: u64, jobs: usize) -> String {
    let jobs: Vec<String> = (0..jobs)
        .map(|job| {
            format!(
                r#"{{"name":"job-{job}","started_at":"{AT}","finished_at":"{AT}","duration":27,"up":{job}}}"#
            )
        })
        .collect();
    format!(
        r#"{{"jobs":[{}],"builds":[{{"image":64}}],"build":64,"created_at":"{AT}","ref":"master","duration":97,
        "duration_e2e":27,"jobs_failed":[],"has_restarts":false,"project":"{SAVED_PROJECT}","pipeline_id":{pipeline_id}}}"#,
        jobs.join(",")
    )
}

/// An endless mix of deliveries, the same for the same seed. `name` must be unique in one data folder.
pub(crate) struct Mix {
    name: String,
    chance: fastrand::Rng,
    made: u64,
    /// The run that is told of step by step, and its next status.
    run: (u64, usize),
    pipeline_base: u64,
}

impl Mix {
    pub(crate) fn new(name: String, pipeline_base: u64, seed: u64) -> Self {
        Self { name, chance: fastrand::Rng::with_seed(seed), made: 0, run: (0, 0), pipeline_base }
    }

    pub(crate) fn next(&mut self) -> Sent {
        self.made += 1;
        let key = format!("{}-{}", self.name, self.made);
        let content = match self.chance.u32(..10) {
            0..4 => Content::Report { run_id: key.clone(), tests: self.chance.usize(1..40) },
            4..8 => self.progress(),
            _ => Content::Saved { pipeline_id: self.pipeline_base + self.made, jobs: self.chance.usize(..4) },
        };
        Sent::new(key, content)
    }

    fn progress(&mut self) -> Content {
        let (number, status) = self.run;
        self.run = if status == 2 { (number + 1, 0) } else { (number, status + 1) };
        Content::Progress {
            run_id: format!("{}-run-{number}", self.name),
            status,
            samples: self.chance.usize(..6),
        }
    }
}
