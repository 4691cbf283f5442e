//! Reads parts of Parquet files: first which rows they are, then the columns of these.

use std::sync::Arc;

use datafusion::arrow::array::TimestampMicrosecondArray;
use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, RecordBatch, RecordBatchOptions, new_null_array,
};
use datafusion::arrow::compute::kernels::cmp::{gt_eq, lt};
use datafusion::arrow::compute::{and, cast, filter};
use datafusion::arrow::datatypes::{Schema, SchemaRef, TimestampMicrosecondType};
use datafusion::common::runtime::SpawnedTask;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::SendableRecordBatchStream;
use datafusion::parquet::arrow::ProjectionMask;
use datafusion::parquet::arrow::arrow_reader::RowSelection;
use datafusion::parquet::arrow::async_reader::{
    AsyncFileReader, ParquetRecordBatchStream, ParquetRecordBatchStreamBuilder,
};
use datafusion::parquet::file::statistics::Statistics;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::{StreamExt, TryStreamExt, stream};

use super::part::{Part, Which};
use crate::table::AT;
use crate::table::segments::SegmentReader;

type Builder = ParquetRecordBatchStreamBuilder<Box<dyn AsyncFileReader>>;

/// Reads one part.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    pub(super) segments: &'a SegmentReader,
    pub(super) part: &'a Part,
    /// The columns of the table.
    pub(super) schema: &'a SchemaRef,
    pub(super) threads: usize,
}

/// Which rows of a file a part has.
#[derive(Debug)]
pub(super) struct Rows {
    shares: Vec<Share>,
    count: usize,
}

/// Row groups that one thread reads, and which of their rows; all of them where that is not said.
#[derive(Debug, Clone)]
struct Share {
    row_groups: Vec<usize>,
    wanted: Option<Vec<BooleanArray>>,
}

impl Rows {
    pub(super) const fn count(&self) -> usize {
        self.count
    }

    /// Memory in use, in bytes.
    pub(super) fn bytes(&self) -> usize {
        let masks = self.shares.iter().filter_map(|share| share.wanted.as_ref()).flatten();
        masks.map(|mask| mask.get_array_memory_size()).sum()
    }
}

impl Reader<'_> {
    /// The columns at these positions.
    pub(super) fn schema_of(&self, columns: &[usize]) -> Result<SchemaRef> {
        Ok(Arc::new(self.schema.project(columns)?))
    }

    async fn open(&self) -> Result<Builder> {
        let file = self.segments.open(&self.part.path, self.part.size_bytes)?;
        Ok(ParquetRecordBatchStreamBuilder::new(file).await?)
    }

    /// Finds out which rows the part has. Where it takes their times to find them, these come with it, piece by piece.
    pub(super) async fn find(&self) -> Result<(Rows, Vec<ArrayRef>)> {
        let builder = self.open().await?;
        let groups = builder.metadata().row_groups();
        let whole = |row_groups: Vec<usize>| {
            let rows_of = |group: &usize| groups.get(*group).map_or(0, |group| group.num_rows());
            let count = row_groups.iter().map(|group| usize::try_from(rows_of(group)).unwrap_or(0)).sum();
            let shares = self.shares(row_groups).into_iter();
            let shares = shares.map(|row_groups| Share { row_groups, wanted: None }).collect();
            Rows { shares, count }
        };
        let (start, end) = match self.part.which {
            Which::All => return Ok((whole((0..groups.len()).collect()), Vec::new())),
            Which::RowGroup(group) => return Ok((whole(vec![group]), Vec::new())),
            Which::Times(start, end) => (start, end),
        };
        let column = builder.parquet_schema().columns().iter().position(|column| column.name() == AT);
        let meets =
            |group: usize| match column.and_then(|place| groups.get(group)?.column(place).statistics()) {
                Some(Statistics::Int64(known)) => {
                    known.max_opt().is_none_or(|last| *last >= start)
                        && known.min_opt().is_none_or(|first| *first < end)
                }
                _ => true,
            };
        let row_groups: Vec<usize> = (0..groups.len()).filter(|group| meets(*group)).collect();
        let at = vec![self.schema.index_of(AT)?];
        let all = self.shares(row_groups).into_iter().map(|row_groups| Share { row_groups, wanted: None });
        let all: Vec<Share> = all.collect();
        let mut shares = Vec::new();
        let mut count = 0;
        let mut found_times = Vec::new();
        for (share, times) in all.iter().zip(self.read_shares(&all, &at).await?) {
            let masks = times.iter().map(|batch| within(batch, start, end)).collect::<Result<Vec<_>>>()?;
            let found: usize = masks.iter().map(BooleanArray::true_count).sum();
            if found > 0 {
                count += found;
                for (batch, mask) in times.iter().zip(&masks) {
                    found_times.push(filter(batch.column(0), mask)?);
                }
                shares.push(Share { row_groups: share.row_groups.clone(), wanted: Some(masks) });
            }
        }
        Ok((Rows { shares, count }, found_times))
    }

    fn shares(&self, row_groups: Vec<usize>) -> Vec<Vec<usize>> {
        let each = row_groups.len().div_ceil(self.threads.max(1)).max(1);
        row_groups.chunks(each).map(<[usize]>::to_vec).collect()
    }

    /// These columns of the rows, in their order.
    pub(super) async fn read(&self, rows: &Rows, columns: &[usize]) -> Result<Vec<RecordBatch>> {
        Ok(self.read_shares(&rows.shares, columns).await?.into_iter().flatten().collect())
    }

    /// Reads shares side by side.
    async fn read_shares(&self, shares: &[Share], columns: &[usize]) -> Result<Vec<Vec<RecordBatch>>> {
        let mut tasks = Vec::with_capacity(shares.len());
        for share in shares {
            let batches = self.batches(share, columns).await?;
            tasks.push(SpawnedTask::spawn(gather(batches)));
        }
        let mut read = Vec::with_capacity(tasks.len());
        for task in tasks {
            read.push(task.join().await.map_err(|error| DataFusionError::External(Box::new(error)))??);
        }
        Ok(read)
    }

    /// These columns of a share of the rows, batch by batch.
    async fn batches(&self, share: &Share, columns: &[usize]) -> Result<Batches> {
        let builder = self.open().await?;
        let schema = self.schema_of(columns)?;
        let places = builder.parquet_schema().columns().iter().enumerate();
        let wanted = |name: &str| schema.fields().iter().any(|field| field.name() == name);
        let places: Vec<usize> =
            places.filter_map(|(place, column)| wanted(column.name()).then_some(place)).collect();
        let mask = ProjectionMask::leaves(builder.parquet_schema(), places);
        let mut builder = builder.with_projection(mask).with_row_groups(share.row_groups.clone());
        if let Some(masks) = &share.wanted {
            builder = builder.with_row_selection(RowSelection::from_filters(masks));
        }
        Ok(Batches { stream: builder.build()?, schema })
    }

    /// These columns of all rows, as they are read.
    pub(super) fn pass(&self, rows: &Rows, columns: &[usize]) -> Result<SendableRecordBatchStream> {
        let (segments, part, schema) = (self.segments.clone(), self.part.clone(), Arc::clone(self.schema));
        let columns: Arc<[usize]> = columns.into();
        let passed = self.schema_of(&columns)?;
        let batches = stream::iter(rows.shares.clone())
            .then(move |share| {
                let (segments, part, schema) = (segments.clone(), part.clone(), Arc::clone(&schema));
                let columns = Arc::clone(&columns);
                async move {
                    let reader = Reader { segments: &segments, part: &part, schema: &schema, threads: 1 };
                    let Batches { stream, schema } = reader.batches(&share, &columns).await?;
                    Ok::<_, DataFusionError>(stream.map(move |batch| as_table(&batch?, &schema)))
                }
            })
            .try_flatten();
        Ok(Box::pin(RecordBatchStreamAdapter::new(passed, batches)))
    }
}

/// A file that is read, and the columns it is read for.
struct Batches {
    stream: ParquetRecordBatchStream<Box<dyn AsyncFileReader>>,
    schema: SchemaRef,
}

async fn gather(batches: Batches) -> Result<Vec<RecordBatch>> {
    let Batches { mut stream, schema } = batches;
    let mut gathered = Vec::new();
    while let Some(batch) = stream.next().await {
        gathered.push(as_table(&batch?, &schema)?);
        // A query that has ended is told here.
        tokio::task::yield_now().await;
    }
    Ok(gathered)
}

/// The columns of the table by name; those the file does not have are null.
fn as_table(batch: &RecordBatch, schema: &Schema) -> Result<RecordBatch> {
    let mut columns = Vec::with_capacity(schema.fields().len());
    for field in schema.fields() {
        columns.push(match batch.column_by_name(field.name()) {
            Some(column) if column.data_type() == field.data_type() => Arc::clone(column),
            Some(column) => cast(column, field.data_type())?,
            None => new_null_array(field.data_type(), batch.num_rows()),
        });
    }
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    Ok(RecordBatch::try_new_with_options(Arc::new(schema.clone()), columns, &options)?)
}

/// Which rows have a time in the range; `times` has that one column.
fn within(times: &RecordBatch, start: i64, end: i64) -> Result<BooleanArray> {
    let times = times.column(0).as_primitive::<TimestampMicrosecondType>();
    let moment = |micros| {
        TimestampMicrosecondArray::new_scalar(micros)
            .into_inner()
            .with_timezone_opt(times.timezone().map(Arc::from))
    };
    let from = gt_eq(times, &datafusion::arrow::array::Scalar::new(moment(start)))?;
    let found = and(&from, &lt(times, &datafusion::arrow::array::Scalar::new(moment(end)))?)?;
    Ok(match found.nulls() {
        None => found,
        Some(_) => found.iter().map(|verdict| Some(verdict == Some(true))).collect(),
    })
}
