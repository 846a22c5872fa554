//! A table whose columns have roles.

use std::collections::HashSet;

use arrow_array::{Int64Array, RecordBatch};
use headwater_record::HEADER_LEN;

use super::bytes_column::{BytesColumn, Reader};
use super::chunk::CHUNK_ROWS;
use super::columns::KeyValueColumns;
use super::headers::HeaderRows;
use super::numbers::{partitions, timestamps};
use super::options::EncodeOptions;
use super::source::Source;
use crate::error::EncodeError;

/// The maximum size of a record besides key, value and headers, in its own batch (Kafka's bound).
const RECORD_OVERHEAD_MAX: usize = HEADER_LEN + 21;

/// The table. Everything that must be refused before the first batch has been checked.
#[derive(Debug)]
pub(super) struct PreparedTable {
    pub(super) rows: usize,
    pub(super) key: Source,
    pub(super) value: Source,
    pub(super) headers: Option<HeaderRows>,
    pub(super) timestamps: Option<Int64Array>,
    pub(super) partitions: Option<Int64Array>,
}

impl PreparedTable {
    pub(super) fn new(
        table: &RecordBatch,
        columns: &KeyValueColumns,
        options: &EncodeOptions,
    ) -> Result<Self, EncodeError> {
        let find = |name: &Option<String>, role| {
            name.as_deref()
                .map(|name| find(table, name, role))
                .transpose()
        };
        let rows = table.num_rows();
        let source = |index: usize, role| {
            Source::of(table.schema_ref().field(index), table.column(index), role)
        };
        let key = match find(&columns.key, "key")? {
            Some(index) => source(index, "key")?,
            None => Source::Bytes(BytesColumn::AllNull),
        };
        let headers = match find(&columns.headers, "headers")? {
            Some(index) => HeaderRows::of(table.schema().field(index).name(), table.column(index))?,
            None => None,
        };
        let timestamps = find(&columns.timestamp, "timestamp")?
            .map(|index| timestamps(table.schema_ref().field(index), table.column(index)))
            .transpose()?;
        let partitions = find(&columns.partition, "partition")?
            .map(|index| {
                let field = table.schema_ref().field(index);
                partitions(field, table.column(index), options.partition_count)
            })
            .transpose()?;
        let value = match find(&columns.value, "value")? {
            Some(index) => source(index, "value")?,
            None => pack_rest(table, columns)?,
        };
        let prepared = Self {
            rows,
            key,
            value,
            headers,
            timestamps,
            partitions,
        };
        prepared.check_rows(options.max_record_bytes)?;
        Ok(prepared)
    }

    /// Whether keys or values are written as JSON chunk by chunk.
    pub(super) fn is_written(&self) -> bool {
        self.key.is_json() || self.value.is_json()
    }

    /// Refuses the first row that cannot be written or is too large. Checks rows one by one only if some row may be
    /// refused.
    fn check_rows(&self, max: usize) -> Result<(), EncodeError> {
        let longest = self.key.longest().saturating_add(self.value.longest());
        let fits = self.headers.is_none() && longest.saturating_add(RECORD_OVERHEAD_MAX) <= max;
        if fits && !self.key.may_refuse() && !self.value.may_refuse() {
            return Ok(());
        }
        for first in (0..self.rows).step_by(CHUNK_ROWS) {
            let rows = CHUNK_ROWS.min(self.rows - first);
            let (key, value) = (self.key.rows(first, rows)?, self.value.rows(first, rows)?);
            for row in 0..rows {
                let headers = self
                    .headers
                    .as_ref()
                    .map_or(0, |headers| headers.size(first + row));
                let size = RECORD_OVERHEAD_MAX
                    + headers
                    + key.get(row).map_or(0, <[u8]>::len)
                    + value.get(row).map_or(0, <[u8]>::len);
                if size > max {
                    return Err(EncodeError::RecordTooLarge {
                        row: first + row,
                        size,
                        max,
                    });
                }
            }
        }
        Ok(())
    }
}

/// The index of the only column with this name.
fn find(table: &RecordBatch, name: &str, role: &'static str) -> Result<usize, EncodeError> {
    let fields = table.schema_ref().fields();
    let mut found = (0..fields.len()).filter(|index| fields[*index].name() == name);
    match (found.next(), found.next()) {
        (Some(index), None) => Ok(index),
        (Some(_), Some(_)) => Err(EncodeError::DuplicateColumn {
            name: name.to_owned(),
        }),
        (None, _) => Err(EncodeError::UnknownColumn {
            name: name.to_owned(),
            role,
            known: fields
                .iter()
                .map(|field| field.name().as_str())
                .collect::<Vec<_>>()
                .join(", "),
        }),
    }
}

fn pack_rest(table: &RecordBatch, columns: &KeyValueColumns) -> Result<Source, EncodeError> {
    let named = [
        &columns.key,
        &columns.headers,
        &columns.timestamp,
        &columns.partition,
    ];
    let is_rest = |name: &String| !named.iter().any(|role| role.as_ref() == Some(name));
    let fields = table.schema_ref().fields().iter().enumerate();
    let rest: Vec<usize> = fields
        .filter(|(_, field)| is_rest(field.name()))
        .map(|(index, _)| index)
        .collect();
    let rest = table.project(&rest).map_err(|error| EncodeError::Pack {
        reason: error.to_string(),
    })?;
    if rest.num_columns() == 0 {
        return Ok(Source::Bytes(BytesColumn::AllNull));
    }
    let mut seen = HashSet::new();
    for field in rest.schema_ref().fields() {
        if !seen.insert(field.name()) {
            return Err(EncodeError::DuplicateColumn {
                name: field.name().clone(),
            });
        }
    }
    Source::packed(&rest)
}
