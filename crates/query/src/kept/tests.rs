//! What is kept is what the file holds, within its bound.

use std::fs::File;
use std::path::Path;

use datafusion::arrow::array::{
    ArrayRef, AsArray, Int64Array, RecordBatch, StringViewArray, TimestampMicrosecondArray,
};
use datafusion::arrow::datatypes::{Int64Type, TimestampMicrosecondType};
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::file::properties::WriterProperties;
use futures::TryStreamExt as _;
use manometer_model::Timestamp;

use super::*;
use crate::memory;
use crate::table::row_groups::{Needed, RowGroup};

const HOUR: i64 = 3_600_000_000;

/// A segment of so many rows: a minute apart, but in the order of their names, not of their times.
fn segment(folder: &Path, id: i64, rows: i64) -> (SegmentFile, SchemaRef) {
    let numbers: Vec<i64> = (0..rows).map(|row| row * 7 % rows).collect();
    let times = TimestampMicrosecondArray::from_iter_values(numbers.iter().map(|number| number * HOUR / 60));
    let batch = RecordBatch::try_from_iter_with_nullable([
        ("at", Arc::new(times.with_timezone("UTC")) as ArrayRef, false),
        ("number", Arc::new(Int64Array::from(numbers)) as ArrayRef, true),
        (
            "name",
            Arc::new(StringViewArray::from_iter_values(
                (0..rows).map(|row| format!("a name of row {row:06}")),
            )) as ArrayRef,
            true,
        ),
    ])
    .unwrap();
    let path = folder.join(format!("{id}.parquet"));
    let groups = usize::try_from(rows / 10).unwrap();
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(groups)).build();
    let mut writer =
        ArrowWriter::try_new(File::create(&path).unwrap(), batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let segment = SegmentFile {
        id,
        rolls_up: Some(id + 1_000),
        size_bytes: path.metadata().unwrap().len(),
        path,
        rows: rows.unsigned_abs(),
        min_at: Timestamp::from_micros(0),
        max_at: Timestamp::from_micros((rows - 1) * HOUR / 60),
        projects: None,
    };
    (segment, batch.schema())
}

fn with_room(bytes: usize) -> Arc<Kept> {
    Arc::new(Kept::with_room(&memory::shared().unwrap(), 2, bytes))
}

async fn read(kept: &Arc<Kept>, part: &Part, schema: &SchemaRef, wanted: &[usize]) -> RecordBatch {
    match kept.rows(part.clone(), schema, &wanted.into()).await.unwrap() {
        Answer::Held(batch) => batch,
        Answer::Passing(stream) => {
            let batches: Vec<RecordBatch> = stream.try_collect().await.unwrap();
            datafusion::arrow::compute::concat_batches(&batches[0].schema(), &batches).unwrap()
        }
    }
}

fn numbers(batch: &RecordBatch, column: usize) -> Vec<i64> {
    batch.column(column).as_primitive::<Int64Type>().values().to_vec()
}

#[tokio::test]
async fn an_hour_of_a_file_that_is_in_another_order_is_its_rows_in_their_order() {
    let folder = tempfile::tempdir().unwrap();
    let (segment, schema) = segment(folder.path(), 1, 1_000);
    let segment = SegmentFile { rolls_up: None, rows: 1_000_000, ..segment };
    let (parts, read_whole) = Kept::divide(&[segment], Some((3 * HOUR + 5, 3 * HOUR + 9)));
    assert!(read_whole.is_empty());
    let [part] = parts.as_slice() else { panic!("{parts:?}") };
    assert_eq!(part.which, part::Which::Times(3 * HOUR, 4 * HOUR));
    let kept = with_room(KEPT_BYTES);
    let expected: Vec<i64> =
        (0..1_000).map(|row| row * 7 % 1_000).filter(|number| (180..240).contains(number)).collect();
    // Column by column, then all from memory.
    assert_eq!(numbers(&read(&kept, part, &schema, &[1]).await, 0), expected);
    let names = read(&kept, part, &schema, &[2]).await;
    let first = names.column(0).as_string_view().value(0).to_owned();
    let position = (0..1_000).find(|row| row * 7 % 1_000 == expected[0]).unwrap();
    assert_eq!(first, format!("a name of row {position:06}"));
    let times = read(&kept, part, &schema, &[0, 1]).await;
    std::fs::remove_file(part.path.as_ref()).unwrap();
    let again = read(&kept, part, &schema, &[2, 1, 0]).await;
    assert_eq!(again.column(2), times.column(0));
    assert_eq!(numbers(&again, 1), expected);
    let at = times.column(0).as_primitive::<TimestampMicrosecondType>();
    assert!(at.values().iter().all(|at| (3 * HOUR..4 * HOUR).contains(at)));
    // Rows without columns are still counted.
    assert_eq!(read(&kept, part, &schema, &[]).await.num_rows(), 60);
}

/// What is chosen of a segment: these of its row groups, of which it has ten.
fn chosen(segment: &SegmentFile, numbers: impl IntoIterator<Item = usize>) -> Chosen {
    let (rows, bytes) = (segment.rows / 10, segment.size_bytes / 10);
    let row_groups = numbers.into_iter().map(|number| RowGroup { number, rows, bytes }).collect();
    Chosen { segment: segment.clone(), needed: Some(Needed { row_groups, of: 10 }) }
}

#[tokio::test]
async fn of_a_large_companion_the_row_groups_that_are_needed_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let (segment, schema) = segment(folder.path(), 1, 200_000);
    assert!(Kept::divide(std::slice::from_ref(&segment), None).0.is_empty(), "too large as a whole");
    let mut read_whole = vec![chosen(&segment, [3, 7]), chosen(&segment, 0..10)];
    let mut parts = Vec::new();
    Kept::take_chosen(&mut read_whole, &mut parts);
    assert_eq!(read_whole.len(), 1, "not where all are needed");
    let [third, seventh] = parts.as_slice() else { panic!("{parts:?}") };
    let kept = with_room(KEPT_BYTES);
    for (part, first) in [(third, 60_000), (seventh, 140_000)] {
        let expected: Vec<i64> = (first..first + 20_000).map(|row| row * 7 % 200_000).collect();
        assert_eq!(numbers(&read(&kept, part, &schema, &[1]).await, 0), expected);
    }
    std::fs::remove_file(third.path.as_ref()).unwrap();
    assert_eq!(read(&kept, third, &schema, &[1]).await.num_rows(), 20_000);
}

#[test]
fn row_groups_beyond_what_a_query_may_keep_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let (one, _) = segment(folder.path(), 1, 1_000);
    let large = SegmentFile { size_bytes: 30 << 20, ..one };
    let mut read: Vec<Chosen> = (0..8).map(|_| chosen(&large, [2])).collect();
    let mut parts = Vec::new();
    Kept::take_chosen(&mut read, &mut parts);
    assert_eq!((parts.len(), read.len()), (5, 3));
}

#[tokio::test]
async fn what_was_used_least_recently_makes_room() {
    let folder = tempfile::tempdir().unwrap();
    let segments: Vec<_> = (0..8).map(|id| segment(folder.path(), id, 1_000)).collect();
    let schema = Arc::clone(&segments[0].1);
    let segments: Vec<_> = segments.into_iter().map(|(segment, _)| segment).collect();
    let (parts, _) = Kept::divide(&segments, None);
    assert_eq!(parts.len(), 8);
    let one = with_room(KEPT_BYTES);
    read(&one, &parts[0], &schema, &[0, 1, 2]).await;
    let room = one.bytes() * 3;
    let kept = with_room(room);
    for part in &parts {
        read(&kept, &parts[0], &schema, &[0, 1, 2]).await;
        read(&kept, part, &schema, &[0, 1, 2]).await;
        assert!(kept.bytes() <= room, "{} of {room}", kept.bytes());
    }
    std::fs::remove_dir_all(folder.path()).unwrap();
    for held in [0, 6, 7] {
        assert_eq!(read(&kept, &parts[held], &schema, &[0, 1, 2]).await.num_rows(), 1_000, "{held}");
    }
    assert!(kept.rows(parts[1].clone(), &schema, &[0].into()).await.is_err());
    assert!(kept.rows(parts[1].clone(), &schema, &[0].into()).await.is_err(), "an error is not kept");
}

#[tokio::test]
async fn more_rows_than_they_seemed_are_passed_on_and_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    let (segment, schema) = segment(folder.path(), 1, 300_000);
    let part = Part {
        path: Arc::new(segment.path),
        size_bytes: segment.size_bytes,
        which: part::Which::All,
        rows: 60_000,
        file_bytes: 1,
    };
    let kept = with_room(KEPT_BYTES);
    for _ in 0..2 {
        let batch = read(&kept, &part, &schema, &[2, 1]).await;
        assert_eq!(batch.num_rows(), 300_000);
        assert_eq!(numbers(&batch, 1)[1], 7);
        assert!(kept.bytes() < 10_000, "{}", kept.bytes());
    }
}

#[tokio::test]
async fn a_query_that_ends_while_it_decodes_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let (segment, schema) = segment(folder.path(), 1, 8_000);
    let (parts, _) = Kept::divide(&[segment], None);
    let kept = with_room(KEPT_BYTES);
    for polls in 0..6 {
        let wanted = [0, 1, 2].into();
        let reading = kept.rows(parts[0].clone(), &schema, &wanted);
        let mut reading = std::pin::pin!(reading);
        for _ in 0..polls {
            if futures::poll!(reading.as_mut()).is_ready() {
                break;
            }
            tokio::task::yield_now().await;
        }
    }
    assert_eq!(read(&kept, &parts[0], &schema, &[1]).await.num_rows(), 8_000);
}

#[tokio::test]
async fn many_that_ask_at_once_get_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let (segment, schema) = segment(folder.path(), 1, 8_000);
    let (parts, _) = Kept::divide(&[segment], None);
    let kept = with_room(KEPT_BYTES);
    let asked = (0..16).map(|number| {
        let (kept, part, schema) = (Arc::clone(&kept), parts[0].clone(), Arc::clone(&schema));
        async move { read(&kept, &part, &schema, &[number % 3, 1]).await }
    });
    for batch in futures::future::join_all(asked).await {
        assert_eq!(numbers(&batch, 1)[..3], [0, 7, 14]);
        assert_eq!(batch.num_rows(), 8_000);
    }
}

#[test]
fn what_would_drive_out_everything_else_is_read_from_its_files() {
    let folder = tempfile::tempdir().unwrap();
    let (one, _) = segment(folder.path(), 1, 100);
    let large = SegmentFile { size_bytes: 3 << 20, ..one };
    let (parts, read) = Kept::divide(&vec![large.clone(); 5], None);
    assert_eq!((parts.len(), read.len()), (5, 0));
    let (parts, read) = Kept::divide(&vec![large; 6], None);
    assert_eq!((parts.len(), read.len()), (0, 6));
}
