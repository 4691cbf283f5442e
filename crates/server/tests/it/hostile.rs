//! Uploads made to hurt: each gets a precise refusal, and the server goes on.

use std::io::Write as _;

use tokio::io::AsyncWriteExt as _;

use crate::harness::{Answer, Harness, REPORTS, exchange, gzip, junit, read_to_end, send};

async fn refused(harness: &Harness, body: Vec<u8>, status: u16, code: &str) -> Answer {
    let answer = send(harness.post(REPORTS, body)).await;
    assert_eq!((answer.status, answer.code().as_str()), (status, code), "{}", answer.text);
    answer
}

#[tokio::test]
async fn bombs_are_refused_with_the_limit_they_break() {
    let harness = Harness::start_with(|options| {
        options.limits.unpacked_bytes = 1024 * 1024;
        options.limits.files_per_upload = 5;
    })
    .await;
    let mut content = b"<testsuite>".to_vec();
    content.resize(2 * 1024 * 1024, b' ');
    let zstd = zstd::stream::encode_all(content.as_slice(), 3).unwrap();
    for bomb in [gzip(&content), zstd, zip(&[("a.xml", &content)])] {
        let answer = refused(&harness, bomb, 413, "too_large").await;
        assert!(answer.message().contains("unpacked_bytes"), "{}", answer.text);
    }
    let report = junit(&["a"]);
    let names: Vec<String> = (0..6).map(|number| format!("{number}.xml")).collect();
    let many: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), report.as_bytes())).collect();
    let answer = refused(&harness, zip(&many), 413, "too_large").await;
    assert!(answer.message().contains("files_per_upload"), "{}", answer.text);
    assert_eq!(harness.count("SELECT count(*) FROM tests").await, 0);
}

fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, content) in files {
        archive.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(content).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

#[tokio::test]
async fn what_is_no_report_is_refused_whatever_it_calls_itself() {
    let harness = Harness::start().await;
    refused(&harness, Vec::new(), 400, "empty").await;
    refused(&harness, b"\x1f\x8b\x08\x00".to_vec(), 422, "unreadable").await;
    refused(&harness, gzip(junit(&["a"]).as_bytes())[..30].to_vec(), 422, "unreadable").await;
    refused(&harness, b"<html><body>502 Bad Gateway</body></html>".to_vec(), 422, "unreadable").await;
    refused(&harness, vec![0xff; 1000], 422, "unreadable").await;
    let mislabelled = harness.post(REPORTS, junit(&["a"])).header("Content-Type", "image/png");
    assert_eq!(send(mislabelled).await.status, 201, "the content decides");
    let encoding = send(harness.post(REPORTS, junit(&["a"])).header("Content-Encoding", "br")).await;
    assert_eq!((encoding.status, encoding.code().as_str()), (415, "content_encoding"));
    let not_packed = send(harness.post(REPORTS, junit(&["b"])).header("Content-Encoding", "gzip")).await;
    assert_eq!((not_packed.status, not_packed.code().as_str()), (422, "unreadable"));
}

#[tokio::test]
async fn broken_forms_are_refused() {
    let harness = Harness::start().await;
    for (content_type, body) in [
        ("multipart/form-data", "--x\r\n"),
        ("multipart/form-data; boundary=x", "nothing"),
        (
            "multipart/form-data; boundary=x",
            "--x\r\nContent-Disposition: form-data; name=a; filename=b\r\n\r\nopen",
        ),
        ("multipart/form-data; boundary=x", "--x\r\n\r\n\r\n--x--"),
    ] {
        let answer = send(harness.post(REPORTS, body).header("Content-Type", content_type)).await;
        assert_eq!((answer.status, answer.code().as_str()), (400, "multipart"), "{body:?}");
    }
}

#[tokio::test]
async fn a_huge_declared_length_is_refused_before_a_byte_of_it_is_sent() {
    let harness = Harness::start().await;
    let mut stream = harness.connect().await;
    let head = format!("POST {REPORTS} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1099511627776\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0_u8; 12];
    tokio::io::AsyncReadExt::read_exact(&mut stream, &mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 413");
}

#[tokio::test]
async fn an_endless_chunked_body_ends_at_the_limit() {
    let harness = Harness::start_with(|options| options.limits.body_bytes = 256 * 1024).await;
    let stream = harness.connect().await;
    let (mut reading, mut writing) = stream.into_split();
    let head = format!("POST {REPORTS} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
    writing.write_all(head.as_bytes()).await.unwrap();
    let chunk = format!("4000\r\n{}\r\n", "x".repeat(0x4000));
    let endless = tokio::spawn(async move { while writing.write_all(chunk.as_bytes()).await.is_ok() {} });
    let mut answer = [0_u8; 12];
    tokio::io::AsyncReadExt::read_exact(&mut reading, &mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 413");
    drop(reading);
    endless.abort();
}

#[tokio::test]
async fn a_body_that_ends_early_is_refused_and_nothing_of_it_is_kept() {
    let harness = Harness::start().await;
    let mut stream = harness.connect().await;
    let report = junit(&["a"]);
    let head = format!(
        "POST {REPORTS} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n",
        report.len() + 10
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(report.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let answer = read_to_end(&mut stream).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert_eq!(harness.count("SELECT count(*) FROM tests").await, 0);
}

#[tokio::test]
async fn malformed_heads_and_heads_that_are_too_large_are_refused() {
    let harness = Harness::start().await;
    let long = format!("GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: {}\r\n\r\n", "x".repeat(100_000));
    let many: String = (0..200).map(|number| format!("X-{number}: 1\r\n")).collect();
    let many = format!("GET /healthz HTTP/1.1\r\nHost: localhost\r\n{many}\r\n");
    for (request, statuses) in [
        (long.as_str(), ["431", "431"]),
        (many.as_str(), ["431", "431"]),
        ("GET\r\n\r\n", ["400", "400"]),
        (
            "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            ["400", "400"],
        ),
        ("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n", ["400", "400"]),
    ] {
        let mut stream = harness.connect().await;
        let answer = exchange(&mut stream, request.as_bytes()).await;
        let status = answer.get(9..12).unwrap_or_default();
        assert!(statuses.contains(&status), "{request:.20}: {answer}");
    }
    assert_eq!(send(harness.get("/healthz")).await.status, 200);
}
