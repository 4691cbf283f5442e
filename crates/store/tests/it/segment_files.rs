//! How segment files are made inside: what readers rely on to skip, and encodings at their limits.

use arrow::array::AsArray;
use arrow::datatypes::TimestampMicrosecondType;
use manometer_model::records::Test;
use manometer_model::{Row, Timestamp};
use manometer_store::Snapshot;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::Encoding;
use parquet::bloom_filter::Sbbf;
use parquet::file::metadata::ParquetMetaData;
use std::fs::File;

use crate::world::{all_batches, info, open, send, test_result};

fn footers(snapshot: &Snapshot) -> Vec<(File, std::sync::Arc<ParquetMetaData>)> {
    let segments = snapshot.segments(Test::table());
    let opened = segments.iter().map(|segment| File::open(segment.path()).unwrap());
    opened
        .map(|file| {
            let builder = ParquetRecordBatchReaderBuilder::try_new(file.try_clone().unwrap()).unwrap();
            (file, std::sync::Arc::clone(builder.metadata()))
        })
        .collect()
}

#[test]
fn a_filter_finds_every_identity_and_hardly_any_other() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    for part in 0..3_u64 {
        send(&store, &part.to_string(), part * 500..part * 500 + 500);
        store.flush().unwrap();
    }
    let look = |snapshot: &Snapshot| {
        let position = Test::table().position("test_id").unwrap();
        let (mut found, mut mistaken, mut asked, mut filter_bytes) = (0, 0, 0, 0);
        for (file, footer) in footers(snapshot) {
            for group in footer.row_groups() {
                let chunk = group.column(position);
                let filter = Sbbf::read_from_column_chunk(chunk, &file).unwrap().unwrap();
                filter_bytes += chunk.bloom_filter_length().unwrap();
                let of = |number| test_result(number).test_id.to_string();
                found += (0..1_500).filter(|number| filter.check(of(*number).as_str())).count();
                mistaken += (2_000..7_000).filter(|number| filter.check(of(*number).as_str())).count();
                asked += 5_000;
            }
            let others = footer.row_groups().iter().flat_map(|group| group.columns());
            let with_filter = others.filter(|chunk| chunk.bloom_filter_offset().is_some()).count();
            assert_eq!(with_filter, footer.num_row_groups(), "filters of identities alone");
        }
        assert!(found >= 1_500, "{found} of 1,500 found");
        assert!(mistaken * 200 < asked, "{mistaken} of {asked} mistaken");
        // Made for a row group of as many tests as rows, and folded.
        assert!(filter_bytes < 3 * 15 * 1_024, "{filter_bytes} bytes of filters");
    };
    look(&store.snapshot());
    store.compact().unwrap();
    look(&store.snapshot());
}

/// So many different times that a dictionary is given up within the row group, and as far apart as times can be.
#[test]
fn many_times_far_apart_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let mut state = 7_u64;
    let mut sent: Vec<i64> = vec![i64::MIN, i64::MAX, i64::MIN, -1, 0, 1, i64::MAX, i64::MAX - 1];
    while sent.len() < 40_000 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        sent.push((state ^ (state >> 31)) as i64);
    }
    let mut writer = store.writer();
    for (number, micros) in sent.iter().enumerate() {
        let test = Test { at: Timestamp::from_micros(*micros), ..test_result(number as u64) };
        writer.append(Test::table(), &test.values()).unwrap();
    }
    store.submit(writer.finish(info("far")).unwrap()).unwrap().wait().unwrap();
    store.flush().unwrap();
    let mut stored: Vec<i64> = Vec::new();
    let snapshot = store.snapshot();
    for batch in all_batches(&snapshot, Test::table()) {
        stored
            .extend(batch.column_by_name("at").unwrap().as_primitive::<TimestampMicrosecondType>().values());
    }
    stored.sort_unstable();
    sent.sort_unstable();
    assert_eq!(stored, sent);
    let position = Test::table().position("at").unwrap();
    let by_difference = footers(&snapshot).iter().any(|(_, footer)| {
        let mut chunks = footer.row_groups().iter().map(|group| group.column(position));
        chunks.any(|chunk| chunk.encodings().any(|encoding| encoding == Encoding::DELTA_BINARY_PACKED))
    });
    assert!(by_difference, "no dictionary was given up");
}
