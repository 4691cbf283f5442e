//! Uploads that unpack to far more than they are: refused with the limit they break.

use std::io::{Read as _, Write as _};

use manometer_ingest::IngestError;
use manometer_ingest::decompress::Exceeded;

use crate::support::{Bench, gzip, junit, part, zip, zstd};

const MIB: usize = 1024 * 1024;

/// White space that a reader would go on reading, after the start of a real report.
fn spaces(bytes: usize) -> Vec<u8> {
    let mut content = b"<testsuite>".to_vec();
    content.resize(bytes, b' ');
    content
}

/// The same packed with gzip, made of members of one mebibyte, so that packing does not take the test's time.
fn gzip_of_spaces(mebibytes: usize) -> Vec<u8> {
    let start = gzip(b"<testsuite>");
    let member = gzip(&vec![b' '; MIB]);
    std::iter::once(start).chain(std::iter::repeat_n(member, mebibytes)).flatten().collect()
}

fn refused(bench: &Bench, name: &str, content: Vec<u8>) -> Exceeded {
    match bench.upload(&[], vec![part(name, content)]) {
        Err(IngestError::Exceeded(exceeded)) => {
            assert!(bench.column("tests", "name").is_empty());
            exceeded
        }
        other => panic!("{name}: {other:?}"),
    }
}

#[test]
fn a_bomb_of_any_packing_breaks_the_ratio_and_nothing_of_it_is_stored() {
    let mut bench = Bench::new();
    bench.limits.unpack_ratio = 20;
    let limit = Exceeded::Ratio { limit: 20 };
    assert_eq!(refused(&bench, "bomb.gz", gzip_of_spaces(18)), limit);
    assert_eq!(refused(&bench, "bomb.zst", zstd(&spaces(18 * MIB))), limit);
    let archive = zip(&[("one.xml", &spaces(3 * MIB)), ("two.xml.gz", &gzip_of_spaces(16))]);
    assert_eq!(refused(&bench, "bomb.zip", archive), limit);
    let told = limit.to_string();
    assert!(told.contains("unpack_ratio") && told.contains("20 times"), "{told}");
}

#[test]
fn packing_twice_does_not_get_around_the_limit() {
    let mut bench = Bench::new();
    bench.limits.unpack_ratio = 20;
    let inner = gzip_of_spaces(18);
    assert_eq!(refused(&bench, "bomb.zip", zip(&[("a.xml.gz", &inner)])), Exceeded::Ratio { limit: 20 });
    let twice = part("bomb", gzip(&inner)).encoded("gzip".parse().unwrap());
    let outcome = bench.upload(&[], vec![twice]);
    assert!(matches!(outcome, Err(IngestError::Exceeded(Exceeded::Ratio { limit: 20 }))), "{outcome:?}");
}

#[test]
fn many_parts_share_one_allowance() {
    let mut bench = Bench::new();
    bench.limits.unpacked_bytes = 5 * MIB as u64;
    let file = gzip(&spaces(2 * MIB));
    let parts = (0..3).map(|number| part(&format!("{number}.gz"), file.clone())).collect();
    let outcome = bench.upload(&[], parts);
    let limit = Exceeded::UnpackedBytes { limit: 5 * MIB as u64 };
    assert!(matches!(&outcome, Err(IngestError::Exceeded(found)) if *found == limit), "{outcome:?}");
}

#[test]
fn an_archive_of_more_files_than_allowed_is_refused_before_its_directory_is_read() {
    let mut bench = Bench::new();
    bench.limits.files_per_upload = 3;
    let report = junit(&["a"]);
    let files: Vec<(String, &[u8])> =
        (0..4).map(|number| (format!("{number}.xml"), report.as_slice())).collect();
    let named: Vec<(&str, &[u8])> = files.iter().map(|(name, content)| (name.as_str(), *content)).collect();
    assert_eq!(refused(&bench, "many.zip", zip(&named)), Exceeded::Files { limit: 3 });
    // An end record that admits to one entry does not hide the others from the count.
    let mut lying = zip(&named);
    let end = lying.windows(4).rposition(|window| window == b"PK\x05\x06").unwrap();
    lying[end + 8..end + 12].copy_from_slice(&[1, 0, 1, 0]);
    assert_eq!(refused(&bench, "lying.zip", lying), Exceeded::Files { limit: 3 });
}

#[test]
fn a_small_file_may_be_packed_as_tightly_as_it_likes() {
    let mut bench = Bench::new();
    bench.limits.unpack_ratio = 2;
    let mut content = junit(&["a"]);
    content.extend(std::iter::repeat_n(b'\n', MIB));
    let taken = bench.upload(&[], vec![part("a.gz", gzip(&content))]).unwrap();
    assert_eq!(taken.outcome.receipt().rows["tests"], 1);
}

#[test]
fn a_zstd_window_above_8_mib_is_refused_and_not_allocated() {
    let bench = Bench::new();
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
    encoder.window_log(27).unwrap();
    encoder.long_distance_matching(true).unwrap();
    encoder.write_all(&junit(&["a"])).unwrap();
    let packed = encoder.finish().unwrap();
    let refused = bench.upload(&[], vec![part("wide.zst", packed)]).unwrap_err();
    let told = refused.to_string();
    assert!(matches!(refused, IngestError::NothingReadable { .. }) && told.contains("wide.zst"), "{told}");
}

#[test]
fn many_members_in_one_gzip_file_are_read_as_one() {
    let bench = Bench::new();
    let [start, end] = [&b"<testsuite><testcase name='a'/>"[..], b"<testcase name='b'/></testsuite>"];
    let members = [gzip(start), gzip(end)].concat();
    let taken = bench.upload(&[], vec![part("members.gz", members)]).unwrap();
    assert_eq!(taken.outcome.receipt().rows["tests"], 2);
}

#[test]
fn the_bombs_here_really_are_larger_than_they_look() {
    let packed = gzip_of_spaces(18);
    assert!(packed.len() < 256 * 1024, "{}", packed.len());
    let mut unpacked = Vec::new();
    zstd::stream::read::Decoder::with_buffer(zstd(&spaces(MIB)).as_slice())
        .unwrap()
        .read_to_end(&mut unpacked)
        .unwrap();
    assert_eq!(unpacked.len(), MIB);
}
