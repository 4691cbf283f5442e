//! How much processor time one `workflow_job` delivery costs: its signature verified, its payload decoded to records.
//!
//! ```text
//! cargo run --release -p manometer-providers --example decode_rate -- [PAYLOAD.json] [DELIVERIES]
//! ```
//!
//! Prints microseconds of CPU time of this one thread, the best of five rounds, which other work on the machine
//! disturbs least. Without a payload, the repository's own fixture is taken.
#![expect(clippy::print_stdout, reason = "a measuring program tells its result")]

use std::error::Error;
use std::hint::black_box;
use std::path::PathBuf;

use hmac::{Hmac, KeyInit as _, Mac as _};
use manometer_model::{Limits, Timestamp};
use manometer_providers::{Delivery, Headers, Secrets, ServiceRules, decode, provider};
use sha2::Sha256;

const SECRET: &str = "a secret of this measurement";
const ROUNDS: usize = 5;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let fixture = || {
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/github/workflow-job-completed.json")
    };
    let body = std::fs::read(arguments.next().map_or_else(fixture, PathBuf::from))?;
    let deliveries: u32 = arguments.next().map_or(Ok(20_000), |text| text.parse())?;

    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes())?;
    mac.update(&body);
    let signature = format!("sha256={}", hex::encode(mac.finalize().into_bytes()));
    let headers = Headers::from_pairs([
        ("X-GitHub-Event", "workflow_job"),
        ("X-GitHub-Delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958"),
        ("X-Hub-Signature-256", signature.as_str()),
        ("Content-Type", "application/json"),
    ]);
    let received_at = Timestamp::from_seconds(1_772_445_600);
    let delivery = Delivery { headers: &headers, query: &[], body: &body, received_at };
    let github = provider("github").ok_or("no such provider")?;
    let (one, two) = (Secrets::new([SECRET])?, Secrets::new(["the former one", SECRET])?);
    let (rules, limits) = (ServiceRules::default(), Limits::default());

    let verify = |secrets: &Secrets| github.verify(black_box(&delivery), secrets);
    let read = || decode(github, black_box(&delivery), &rules, &limits);
    verify(&one)?;
    let decoded = read()?;
    let facts: usize = decoded.facts.iter().map(|group| group.records.len()).sum();
    println!(
        "{}: {} bytes, {} entities, {facts} facts; {deliveries} deliveries a round, best of {ROUNDS}",
        decoded.event,
        body.len(),
        decoded.entities.len(),
    );
    let verify_one = cpu_microseconds(deliveries, || drop(black_box(verify(&one))));
    let verify_two = cpu_microseconds(deliveries, || drop(black_box(verify(&two))));
    let decoding = cpu_microseconds(deliveries, || drop(black_box(read())));
    println!("verify, one secret      {verify_one:8.1} µs");
    println!("verify, two secrets     {verify_two:8.1} µs");
    println!("decode                  {decoding:8.1} µs");
    println!("verify one and decode   {:8.1} µs", verify_one + decoding);
    Ok(())
}

/// Microseconds of this thread's processor time for one call.
fn cpu_microseconds(calls: u32, mut call: impl FnMut()) -> f64 {
    let mut best = f64::INFINITY;
    for _ in 0..ROUNDS {
        let begin = thread_cpu_seconds();
        for _ in 0..calls {
            call();
        }
        best = best.min((thread_cpu_seconds() - begin) * 1e6 / f64::from(calls));
    }
    best
}

fn thread_cpu_seconds() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}
