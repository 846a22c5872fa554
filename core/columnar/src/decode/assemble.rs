//! Collected rows to a table: formats applied, bad rows refused, made null or left out.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, DictionaryArray, Int8Array, Int32Array, Int64Array, NullArray,
    RecordBatch, RecordBatchOptions, StringArray, StructArray, TimestampMillisecondArray,
};
use arrow_schema::ArrowError;
use headwater_record::Offset;

use super::byte_column::ByteColumn;
use super::plan::{Plan, Shape};
use super::rows::Rows;
use super::{Fetched, error_at};
use crate::error::{DecodeError, DecodeErrorKind};
use crate::options::{DecodeOptions, OnError};
use crate::projection::Column;
use crate::trusted::Buffers;

/// A finished key or value, and the rows that its format could not read, in order.
struct Finished {
    array: ArrayRef,
    bad: Vec<(usize, DecodeErrorKind)>,
}

/// Everything that making the table looks at.
struct Context<'a> {
    options: &'a DecodeOptions,
    fetched: &'a [Fetched],
}

impl Plan {
    /// The table of these rows, and how many of them were left out.
    pub(crate) fn assemble(
        &mut self,
        options: &DecodeOptions,
        mut rows: Rows,
        fetched: &[Fetched],
    ) -> Result<(RecordBatch, usize), DecodeError> {
        let context = Context { options, fetched };
        let (key, value) = (rows.key.take(), rows.value.take());
        let key = context.finish(&mut self.key, "key", key, &rows)?;
        let value = context.finish(&mut self.value, "value", value, &rows)?;
        self.check_names(options)
            .map_err(|error| context.error(&rows, 0, error.into()))?;
        let keep = context.rows_to_keep(rows.count, [&key, &value]);
        let batch = self
            .table(&context, rows, key, value)
            .map_err(|error| context.build_error(&error))?;
        let Some(keep) = keep else {
            return Ok((batch, 0));
        };
        let kept = arrow_select::filter::filter_record_batch(&batch, &keep)
            .map_err(|error| context.build_error(&error))?;
        let skipped = batch.num_rows() - kept.num_rows();
        Ok((kept, skipped))
    }

    fn table(
        &self,
        context: &Context<'_>,
        rows: Rows,
        key: Option<Finished>,
        value: Option<Finished>,
    ) -> Result<RecordBatch, ArrowError> {
        let options = context.options;
        let row_count = RecordBatchOptions::new().with_row_count(Some(rows.count));
        let (partition, topic) = (context.partitions(&rows), context.topics(&rows)?);
        let mut columns: Vec<ArrayRef> = Vec::new();
        let (mut rows, mut key, mut value) = (rows, key, value);
        for column in Column::ALL
            .into_iter()
            .filter(|column| options.columns.contains(*column))
        {
            columns.push(match column {
                Column::Partition => Arc::new(partition.clone()),
                Column::Offset => Arc::new(Int64Array::from(std::mem::take(&mut rows.offsets))),
                Column::Timestamp => Arc::new(
                    TimestampMillisecondArray::from(std::mem::take(&mut rows.timestamps))
                        .with_timezone("UTC"),
                ),
                Column::Key => array_or_nulls(key.take(), rows.count),
                Column::Value => {
                    let array = array_or_nulls(value.take(), rows.count);
                    if self.unnested(options).is_some() {
                        columns.extend(lift(&array)?);
                        continue;
                    }
                    array
                }
                Column::Headers => match rows.headers.take() {
                    Some(headers) => headers.finish(rows.count)?,
                    None => continue,
                },
                Column::Topic => Arc::new(topic.clone()),
                Column::TimestampType => {
                    Arc::new(Int8Array::from(std::mem::take(&mut rows.timestamp_types)))
                }
                Column::LeaderEpoch => {
                    Arc::new(Int32Array::from(std::mem::take(&mut rows.leader_epochs)))
                }
            });
        }
        RecordBatch::try_new_with_options(self.schema_so_far(options), columns, &row_count)
    }
}

impl Shape {
    fn finish(
        &mut self,
        context: &Context<'_>,
        name: &'static str,
        mut column: ByteColumn,
        buffers: &Buffers,
    ) -> Result<Finished, DecodeErrorKind> {
        let not_text = std::mem::take(&mut column.bad);
        let bad = not_text
            .into_iter()
            .map(|bad| {
                (
                    bad.row,
                    DecodeErrorKind::NotText {
                        column: name,
                        reason: bad.reason,
                    },
                )
            })
            .collect();
        let (views, classic) = column.into_parts();
        let array: ArrayRef = match (self, classic) {
            (Self::Json(json), _) => {
                json.learn(&views, buffers, context.options.infer_records)?;
                let advice = json.advice();
                let decoded = json.decode(&views, buffers, context.options)?;
                let to_kind = |reason| DecodeErrorKind::Json {
                    column: name,
                    reason,
                    advice,
                };
                let bad = decoded
                    .bad
                    .into_iter()
                    .map(|(row, reason)| (row, to_kind(reason)))
                    .collect();
                return Ok(Finished {
                    array: decoded.array,
                    bad,
                });
            }
            (Self::Text, Some(classic)) => {
                Arc::new(classic.into_text().map_err(|error| build(&error))?)
            }
            (Self::Text, None) => Arc::new(views.into_text(buffers)),
            (Self::Absent | Self::Bytes, Some(classic)) => Arc::new(classic.into_binary()),
            (Self::Absent | Self::Bytes, None) => Arc::new(views.into_binary(buffers)),
        };
        Ok(Finished { array, bad })
    }
}

impl Context<'_> {
    fn finish(
        &self,
        shape: &mut Shape,
        name: &'static str,
        column: Option<ByteColumn>,
        rows: &Rows,
    ) -> Result<Option<Finished>, DecodeError> {
        let Some(column) = column else {
            return Ok(None);
        };
        let mut finished = shape
            .finish(self, name, column, &rows.buffers)
            .map_err(|kind| self.error(rows, 0, kind))?;
        if self.options.on_error == OnError::Raise && !finished.bad.is_empty() {
            let (row, kind) = finished.bad.swap_remove(0);
            return Err(self.error(rows, row, kind));
        }
        Ok(Some(finished))
    }

    /// `None` where all rows stay.
    fn rows_to_keep(&self, count: usize, columns: [&Option<Finished>; 2]) -> Option<BooleanArray> {
        if self.options.on_error != OnError::Skip
            || columns
                .iter()
                .all(|column| column.as_ref().is_none_or(|column| column.bad.is_empty()))
        {
            return None;
        }
        let mut keep = vec![true; count];
        for (row, _) in columns.into_iter().flatten().flat_map(|column| &column.bad) {
            keep[*row] = false;
        }
        Some(BooleanArray::from(keep))
    }

    fn partitions(&self, rows: &Rows) -> Int32Array {
        let mut partitions = Vec::new();
        if self.options.columns.contains(Column::Partition) {
            for (fetched, end) in &rows.runs {
                partitions.resize(*end, self.fetched[*fetched].partition.get());
            }
        }
        Int32Array::from(partitions)
    }

    fn topics(
        &self,
        rows: &Rows,
    ) -> Result<DictionaryArray<arrow_array::types::Int32Type>, ArrowError> {
        let (mut names, mut keys): (Vec<&str>, Vec<i32>) = Default::default();
        if self.options.columns.contains(Column::Topic) {
            for (fetched, end) in &rows.runs {
                let name = &*self.fetched[*fetched].topic;
                let known = names.iter().position(|known| *known == name);
                let key = known.unwrap_or_else(|| {
                    names.push(name);
                    names.len() - 1
                });
                keys.resize(*end, key as i32);
            }
        }
        DictionaryArray::try_new(Int32Array::from(keys), Arc::new(StringArray::from(names)))
    }

    fn error(&self, rows: &Rows, row: usize, kind: DecodeErrorKind) -> DecodeError {
        match (
            self.fetched.get(rows.fetched_of(row)),
            rows.offsets.get(row),
        ) {
            (Some(fetched), Some(offset)) => error_at(fetched, Offset::new(*offset), kind),
            (Some(fetched), None) => error_at(fetched, fetched.from, kind),
            (None, _) => DecodeError {
                topic: Arc::from(""),
                partition: 0.into(),
                offset: Offset::ZERO,
                kind,
            },
        }
    }

    fn build_error(&self, error: &ArrowError) -> DecodeError {
        match self.fetched.first() {
            Some(fetched) => error_at(fetched, fetched.from, build(error)),
            None => DecodeError {
                topic: Arc::from(""),
                partition: 0.into(),
                offset: Offset::ZERO,
                kind: build(error),
            },
        }
    }
}

/// What Arrow refused to build.
pub(crate) fn build(error: &ArrowError) -> DecodeErrorKind {
    DecodeErrorKind::Build {
        reason: error.to_string(),
    }
}

fn array_or_nulls(finished: Option<Finished>, rows: usize) -> ArrayRef {
    finished.map_or_else(
        || Arc::new(NullArray::new(rows)) as ArrayRef,
        |finished| finished.array,
    )
}

/// The fields of a struct as columns; where the struct is null they are.
fn lift(array: &ArrayRef) -> Result<Vec<ArrayRef>, ArrowError> {
    let Some(structs) = array.as_any().downcast_ref::<StructArray>() else {
        return Ok(vec![array.clone()]);
    };
    let (_, columns, nulls) = structs.clone().into_parts();
    let Some(nulls) = nulls else {
        return Ok(columns);
    };
    let is_null = BooleanArray::new(!nulls.inner(), None);
    columns
        .iter()
        .map(|column| arrow_select::nullif::nullif(column, &is_null))
        .collect()
}
