//! Ten million tests in one upload: memory stays within the documented bound.

use std::io::{BufWriter, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use manometer_testkit::{ServerOptions, ServerProcess, sql};

const TESTS: u64 = 10_000_000;
/// The bound `docs/GUARANTEES.md` states for one upload of any number of tests.
const BOUND_BYTES: u64 = 1 << 30;

#[test]
#[ignore = "takes minutes: cargo test --release -p manometer-cli --test it huge_report -- --ignored --nocapture"]
fn ten_million_tests_in_one_file_are_stored_within_the_documented_memory() {
    let folder = tempfile::tempdir().unwrap();
    let options = ServerOptions::new(env!("CARGO_BIN_EXE_manometer"), folder.path().join("data"));
    let server = ServerProcess::start(options).unwrap();
    let mut client = server.client();
    let idle = server.usage().unwrap().peak_resident_bytes;
    let path = "/api/v1/reports?project=github.com/acme/huge&service=shop&provider=ci&run_id=1";
    let headers = [("content-type", "application/xml"), ("content-encoding", "gzip")];
    let response = client
        .post_streamed(path, &headers, |body| {
            let mut xml = BufWriter::with_capacity(1 << 16, GzEncoder::new(body, Compression::fast()));
            write_report(&mut xml)?;
            xml.into_inner()?.finish()?.flush()
        })
        .unwrap();
    assert_eq!(response.status, 201, "{}", response.text());
    let peak = server.usage().unwrap().peak_resident_bytes;
    println!("peak {} MiB, idle {} MiB", peak >> 20, idle >> 20);
    assert_eq!(sql::number(&mut client, "select count(*) from tests").unwrap(), TESTS);
    assert!(peak < BOUND_BYTES, "{peak} bytes resident at the peak");
}

fn write_report(xml: &mut impl Write) -> std::io::Result<()> {
    writeln!(xml, "<testsuites><testsuite name=\"shop\" timestamp=\"2026-03-01T12:00:00Z\">")?;
    for test in 0..TESTS {
        writeln!(
            xml,
            "<testcase classname=\"com.acme.shop.module{}.CartTest\" name=\"checks_out_cart_{test}\" time=\"0.{:03}\"/>",
            test / 1000,
            test * 7 % 1000
        )?;
    }
    writeln!(xml, "</testsuite></testsuites>")
}
