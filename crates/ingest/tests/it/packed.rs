//! Packed uploads: what is opened, what is refused, and what is kept of a broken one.

use std::io::Write as _;

use manometer_ingest::{ContentEncoding, IngestError, Part};

use crate::support::{Bench, gzip, junit, part, zip, zstd};

#[test]
fn one_report_means_the_same_however_it_is_packed() {
    let report = junit(&["a", "b"]);
    let uploads: Vec<(&str, Part)> = vec![
        ("plain", part("a.xml", report.clone())),
        ("gzip", part("a.xml.gz", gzip(&report))),
        ("zstd", part("a.xml.zst", zstd(&report))),
        ("zip", part("a.zip", zip(&[("a.xml", &report)]))),
        ("gzip in zip", part("a.zip", zip(&[("a.xml.gz", &gzip(&report))]))),
        ("gzip by header", part("a.xml", gzip(&report)).encoded(ContentEncoding::Gzip)),
        ("zstd by header", part("a.xml", zstd(&report)).encoded(ContentEncoding::Zstd)),
        ("both", part("a.xml.gz", zstd(&gzip(&report))).encoded(ContentEncoding::Zstd)),
    ];
    for (how, upload) in uploads {
        let bench = Bench::new();
        let taken = bench.upload(&[], vec![upload]).unwrap();
        assert_eq!(taken.problems.total, 0, "{how}: {:?}", taken.problems);
        assert_eq!((taken.files[0].tests, taken.files[0].suites), (2, 1), "{how}");
        assert_eq!(bench.column("tests", "name"), ["a", "b"], "{how}");
    }
}

#[test]
fn names_that_leave_the_archive_refuse_it_as_a_whole() {
    for (name, why) in [
        ("../../etc/cron.d/x.xml", "leaves the archive"),
        ("ok/../../x.xml", "leaves the archive"),
        ("..\\x.xml", "leaves the archive"),
        ("/etc/x.xml", "absolute"),
        ("\\\\server\\x.xml", "absolute"),
        ("C:\\x.xml", "absolute"),
    ] {
        let bench = Bench::new();
        // The archive is written under a harmless name of the same length, then renamed byte by byte, so that no
        // packer mends it on the way.
        let placeholder = "n".repeat(name.len());
        let archive = zip(&[("good.xml", &junit(&["a"])), (&placeholder, &junit(&["b"]))]);
        let renamed = replaced(&archive, placeholder.as_bytes(), name.as_bytes());
        let refused = bench.upload(&[], vec![part("slip.zip", renamed)]).unwrap_err();
        let told = refused.to_string();
        assert!(matches!(refused, IngestError::NothingReadable { .. }), "{name}: {told}");
        assert!(told.contains(why) && told.contains("slip.zip"), "{name}: {told}");
        assert!(bench.column("tests", "name").is_empty(), "{name}");
    }
}

fn replaced(content: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut content = content.to_vec();
    let mut found = 0;
    for position in 0..content.len() - from.len() {
        if content[position..].starts_with(from) {
            content[position..position + to.len()].copy_from_slice(to);
            found += 1;
        }
    }
    assert_eq!(found, 2, "a local header and a directory entry");
    content
}

#[test]
fn a_symbolic_link_refuses_the_archive() {
    let bench = Bench::new();
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    archive.start_file("a.xml", zip::write::SimpleFileOptions::default()).unwrap();
    archive.write_all(&junit(&["a"])).unwrap();
    archive.add_symlink("link.xml", "/etc/passwd", zip::write::SimpleFileOptions::default()).unwrap();
    let bytes = archive.finish().unwrap().into_inner();
    let refused = bench.upload(&[], vec![part("links.zip", bytes)]).unwrap_err().to_string();
    assert!(refused.contains("symbolic link"), "{refused}");
}

#[test]
fn an_encrypted_entry_and_an_archive_in_an_archive_cost_only_themselves() {
    let bench = Bench::new();
    let inner = zip(&[("deep.xml", &junit(&["deep"]))]);
    let mut archive =
        zip(&[("good.xml", &junit(&["a"])), ("inner.zip", &inner), ("locked.xml", &junit(&["secret"]))]);
    // Bit 0 of the flags says that an entry is encrypted (APPNOTE 4.4.4), here of the last in the directory.
    let entry = archive.windows(4).rposition(|window| window == b"PK\x01\x02").unwrap();
    archive[entry + 8] |= 1;
    let taken = bench.upload(&[], vec![part("a.zip", archive)]).unwrap();
    assert_eq!(bench.column("tests", "name"), ["a"]);
    let told: Vec<String> = taken.problems.first.iter().map(ToString::to_string).collect();
    assert!(
        told[0].starts_with("a.zip/inner.zip") && told[0].contains("archive inside an archive"),
        "{told:?}"
    );
    assert!(told[1].starts_with("a.zip/locked.xml") && told[1].contains("encrypted"), "{told:?}");
    assert_eq!(taken.files.iter().filter(|file| file.taken).count(), 1);
}

#[test]
fn an_archive_under_another_packing_is_refused_with_what_to_do() {
    let bench = Bench::new();
    let archive = gzip(&zip(&[("a.xml", &junit(&["a"]))]));
    let refused = bench.upload(&[], vec![part("a.zip.gz", archive)]).unwrap_err().to_string();
    assert!(refused.contains("send it as it is"), "{refused}");
}

#[test]
fn what_was_whole_before_a_packed_file_broke_is_kept() {
    let bench = Bench::new();
    let names: Vec<String> =
        (0..20_000).map(|number| format!("test_{number}_{}", number * 7919 % 10_007)).collect();
    let named: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut packed = gzip(&junit(&named));
    packed.truncate(packed.len() / 2);
    let taken = bench.upload(&[], vec![part("cut.gz", packed)]).unwrap();
    let kept = taken.outcome.receipt().rows["tests"];
    assert!((1..20_000).contains(&kept), "{kept}");
    assert_eq!(taken.problems.total, 1, "{:?}", taken.problems);
    assert_eq!(taken.files[0].tests, kept);
}

#[test]
fn a_packed_file_that_gives_nothing_is_named_with_what_is_wrong() {
    let bench = Bench::new();
    for (name, content) in [
        ("head.gz", vec![0x1f, 0x8b, 8, 0]),
        ("noise.gz", [&[0x1f, 0x8b][..], &[0xee; 64]].concat()),
        ("noise.zst", [&[0x28, 0xb5, 0x2f, 0xfd][..], &[0xee; 64]].concat()),
        ("noise.zip", [&b"PK\x03\x04"[..], &[0xee; 64]].concat()),
        ("empty.gz", gzip(b"")),
        ("empty.zip", zip(&[])),
    ] {
        let refused = bench.upload(&[], vec![part(name, content)]).unwrap_err();
        assert!(matches!(refused, IngestError::NothingReadable { .. }), "{name}: {refused}");
    }
    let empty = bench.upload(&[], vec![part("empty", Vec::new())]);
    assert!(matches!(empty, Err(IngestError::Empty)), "{empty:?}");
}
