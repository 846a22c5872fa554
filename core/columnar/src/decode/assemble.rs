//! Builds a table from collected rows: applies formats, and refuses, nulls or skips bad rows.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, DictionaryArray, Int8Array, Int32Array, Int64Array, NullArray,
    RecordBatch, RecordBatchOptions, StringArray, StructArray, TimestampMillisecondArray,
};
use arrow_schema::ArrowError;
use headwater_record::Offset;

use super::byte_column::ByteColumn;
use super::new_fields::NewField;
use super::plan::{Shape, TableShapes};
use super::rows::Rows;
use super::undecoded::UndecodedRecord;
use super::{Failure, FetchedBatches, error_at};
use crate::error::{DecodeError, DecodeErrorKind};
use crate::options::{DecodeOptions, OnError};
use crate::projection::Column;
use crate::trusted::Buffers;

/// A finished key or value column, and the rows that its format could not read, in order.
struct FinishedColumn {
    array: ArrayRef,
    bad: Vec<(usize, DecodeErrorKind)>,
    /// The text from which inferred JSON was read.
    json: Option<ArrayRef>,
    /// The fields that the type of inferred JSON does not have, each with its first row.
    unnamed: Vec<(String, usize)>,
}

impl FinishedColumn {
    fn take_unnamed(&mut self) -> Vec<(String, usize)> {
        std::mem::take(&mut self.unnamed)
    }
}

/// A finished table.
pub(crate) struct Table {
    pub(crate) batch: RecordBatch,
    /// See [`Decoded::json`](super::Decoded::json).
    pub(crate) json: Option<RecordBatch>,
    /// The number of skipped rows.
    pub(crate) skipped: usize,
    /// See [`Decoded::new_fields`](super::Decoded::new_fields).
    pub(crate) new_fields: Vec<NewField>,
}

/// The input of building a table.
struct TableInput<'a> {
    options: &'a DecodeOptions,
    fetched: &'a [FetchedBatches],
}

impl TableShapes {
    /// Builds the table of these rows.
    pub(crate) fn assemble(
        &mut self,
        options: &DecodeOptions,
        mut rows: Rows,
        fetched: &[FetchedBatches],
    ) -> Result<Table, Failure> {
        let context = TableInput { options, fetched };
        let (key, value) = (rows.key.take(), rows.value.take());
        let mut key = context.finish(&mut self.key, Column::Key, key, &rows)?;
        let mut value = context.finish(&mut self.value, Column::Value, value, &rows)?;
        self.check_names(options)
            .map_err(|error| context.error(&rows, 0, error.into()))?;
        context.refuse_bad_rows(&rows, [&key, &value])?;
        let unnamed = [(Column::Key, &mut key), (Column::Value, &mut value)]
            .map(|(name, column)| (name, column.as_mut().map(FinishedColumn::take_unnamed)))
            .map(|(name, unnamed)| (name, unnamed.unwrap_or_default()));
        let new_fields = self.new_fields(unnamed, &rows, fetched);
        let keep = context.rows_to_keep(rows.count, [&key, &value]);
        let build = |error: ArrowError| context.build_error(&error);
        let json = json_texts(rows.count, [("key", &key), ("value", &value)]).map_err(build)?;
        let batch = self.table(&context, rows, key, value).map_err(build)?;
        let Some(keep) = keep else {
            return Ok(Table {
                batch,
                json,
                skipped: 0,
                new_fields,
            });
        };
        let kept = |table: &RecordBatch| {
            arrow_select::filter::filter_record_batch(table, &keep).map_err(build)
        };
        Ok(Table {
            skipped: keep.false_count(),
            batch: kept(&batch)?,
            json: json.as_ref().map(kept).transpose()?,
            new_fields,
        })
    }

    fn table(
        &self,
        context: &TableInput<'_>,
        rows: Rows,
        key: Option<FinishedColumn>,
        value: Option<FinishedColumn>,
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
        context: &TableInput<'_>,
        column: Column,
        values: ByteColumn,
        buffers: &Buffers,
    ) -> Result<FinishedColumn, DecodeErrorKind> {
        let (name, mut column) = (column.name(), values);
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
                json.learn(&views, buffers, context.options.infer)?;
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
                let text = json
                    .keeps_text()
                    .then(|| Arc::new(views.into_binary(buffers)) as ArrayRef);
                return Ok(FinishedColumn {
                    array: decoded.array,
                    bad,
                    json: text,
                    unnamed: decoded.unnamed,
                });
            }
            (Self::Text, Some(classic)) => {
                Arc::new(classic.into_text().map_err(|error| build(&error))?)
            }
            (Self::Text, None) => Arc::new(views.into_text(buffers)),
            (Self::Absent | Self::Bytes, Some(classic)) => Arc::new(classic.into_binary()),
            (Self::Absent | Self::Bytes, None) => Arc::new(views.into_binary(buffers)),
        };
        Ok(FinishedColumn {
            array,
            bad,
            json: None,
            unnamed: Vec::new(),
        })
    }
}

impl TableInput<'_> {
    fn finish(
        &self,
        shape: &mut Shape,
        column: Column,
        values: Option<ByteColumn>,
        rows: &Rows,
    ) -> Result<Option<FinishedColumn>, DecodeError> {
        let Some(values) = values else {
            return Ok(None);
        };
        shape
            .finish(self, column, values, &rows.buffers)
            .map(Some)
            .map_err(|kind| self.error(rows, 0, kind))
    }

    /// Fails with the first row that could not be read, if the options require that.
    fn refuse_bad_rows(
        &self,
        rows: &Rows,
        columns: [&Option<FinishedColumn>; 2],
    ) -> Result<(), Failure> {
        if self.options.on_error != OnError::Raise {
            return Ok(());
        }
        let first = columns
            .into_iter()
            .flatten()
            .filter_map(|column| column.bad.first())
            .min_by_key(|(row, _)| *row);
        let Some((row, kind)) = first else {
            return Ok(());
        };
        let mut error = self.error(rows, *row, kind.clone());
        error.record = self
            .fetched
            .get(rows.fetched_of(*row))
            .and_then(|fetched| {
                UndecodedRecord::find(fetched, error.offset, self.options.decompress_limit)
            })
            .map(Box::new);
        Err(Failure::after(*row, error))
    }

    /// `None` if all rows stay.
    fn rows_to_keep(
        &self,
        count: usize,
        columns: [&Option<FinishedColumn>; 2],
    ) -> Option<BooleanArray> {
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
                record: None,
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
                record: None,
            },
        }
    }
}

/// The error for a column that Arrow refused to build.
pub(crate) fn build(error: &ArrowError) -> DecodeErrorKind {
    DecodeErrorKind::Build {
        reason: error.to_string(),
    }
}

/// The texts of inferred JSON as a table. Rows that became null because they could not be read are null here too.
fn json_texts(
    rows: usize,
    columns: [(&str, &Option<FinishedColumn>); 2],
) -> Result<Option<RecordBatch>, ArrowError> {
    let mut texts: Vec<(&str, ArrayRef)> = Vec::new();
    for (name, column) in columns {
        let Some(FinishedColumn {
            json: Some(text),
            bad,
            ..
        }) = column
        else {
            continue;
        };
        let mut is_bad = vec![false; rows];
        for (row, _) in bad {
            is_bad[*row] = true;
        }
        let text = if bad.is_empty() {
            Arc::clone(text)
        } else {
            arrow_select::nullif::nullif(text, &BooleanArray::from(is_bad))?
        };
        texts.push((name, text));
    }
    if texts.is_empty() {
        return Ok(None);
    }
    RecordBatch::try_from_iter_with_nullable(
        texts.into_iter().map(|(name, text)| (name, text, true)),
    )
    .map(Some)
}

fn array_or_nulls(finished: Option<FinishedColumn>, rows: usize) -> ArrayRef {
    finished.map_or_else(
        || Arc::new(NullArray::new(rows)) as ArrayRef,
        |finished| finished.array,
    )
}

/// The fields of a struct as columns. Null structs have null fields.
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
