//! Parses JSON values to Arrow.
//!
//! This parser writes text directly to the buffers of each column: the schema predicts the next key, so a key is
//! compared with the expected one, and no intermediate value exists. On flights (19 fields, 310 bytes) with one thread,
//! arrow-json's tape, and serde's visitors over `sonic-rs` 0.8 or `serde_json` 1.0, read 0.4 million rows a second;
//! `benches/columnar.rs` prints this one's rate.

mod column_type;
mod cursor;
mod infer;
mod list;
mod node;
mod nullable;
mod number;
mod object;
mod temporal;
mod text;
mod text_node;
mod unnamed;

use std::collections::HashSet;
use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::{Array as _, ArrayRef, StructArray};
use arrow_schema::{ArrowError, DataType, Fields};

use crate::error::{DecodeErrorKind, SchemaError};
use crate::options::{DecodeOptions, Format, Infer, OnError};
use crate::projection::Column;
use crate::trusted::{Buffers, ViewColumn};
pub(crate) use column_type::lifted_name;
use column_type::{ColumnType, ShownFields};
pub(crate) use cursor::{Cursor, Fault, Kind};
use infer::Guess;
use node::{Node, NodeRules};
use nullable::nullable;
pub(crate) use text::special_bytes;
use unnamed::ExtraKeyPolicy;

/// The minimum number of rows for a thread.
const ROWS_PER_THREAD: usize = 4096;
/// The maximum number of new fields that are reported for a column.
const REPORTED_MAX: usize = 100;

/// A key or value column of JSON, with its type once it is known.
#[derive(Debug)]
pub(crate) struct JsonColumn {
    column_type: Option<ColumnType>,
    shown_fields: ShownFields,
    rules: Rules,
    /// Whether this column infers the type.
    infers: bool,
    /// Whether the table has the column.
    is_shown: bool,
    /// The fields that were reported because the inferred type does not have them.
    reported: HashSet<String>,
}

/// When a value fits a type.
#[derive(Clone, Copy, Debug)]
struct Rules {
    /// Whether values must fit the whole type, even if the table shows only some fields: the rest has fields whose
    /// objects have unnamed keys, whether or not they are shown.
    whole: bool,
    /// Whether only objects fit, because their fields become columns.
    objects: bool,
    reading: NodeRules,
}

/// A column of JSON values. Rows in `bad` are null.
pub(crate) struct DecodedJson {
    pub(crate) array: ArrayRef,
    pub(crate) bad: Vec<(usize, String)>,
    /// The fields that an inferred type does not have, each with the first row that has it.
    pub(crate) unnamed: Vec<(String, usize)>,
}

impl JsonColumn {
    /// The column for that format.
    pub(crate) fn new(
        options: &DecodeOptions,
        column: Column,
        format: &Format,
    ) -> Result<Self, SchemaError> {
        let is_shown = options.columns.contains(column);
        let is_inferred = !matches!(format, Format::Json(Some(_)));
        let shown_fields = ShownFields::new(options, column);
        let reports = is_inferred && is_shown && matches!(options.infer, Infer::First(_));
        let mut json = Self {
            column_type: None,
            rules: Rules {
                whole: options.on_error != OnError::Raise || shown_fields.have_rest(),
                objects: column == Column::Value && options.unnest,
                reading: NodeRules {
                    any_text: is_inferred,
                    unnamed: match (reports, shown_fields.have_rest()) {
                        (true, _) => ExtraKeyPolicy::Names,
                        (false, true) => ExtraKeyPolicy::Counts,
                        (false, false) => ExtraKeyPolicy::Nothing,
                    },
                },
            },
            shown_fields,
            infers: matches!(format, Format::Json(None)),
            is_shown,
            reported: HashSet::new(),
        };
        let known = match format {
            Format::Json(Some(schema)) => Some(DataType::Struct(nullable(&schema.fields))),
            Format::InferredJson(data_type) => Some(data_type.clone()),
            _ => None,
        };
        if let Some(known) = known {
            json.set_type(known)?;
        }
        Ok(json)
    }

    /// The type that the table shows, if it is known.
    pub(crate) fn data_type(&self) -> Option<&DataType> {
        self.column_type.as_ref().map(|known| &known.shown)
    }

    /// The fields that the table shows, if they are known.
    pub(crate) fn fields(&self) -> Option<&Fields> {
        match self.data_type() {
            Some(DataType::Struct(fields)) => Some(fields),
            _ => None,
        }
    }

    /// Whether the type must still be inferred.
    pub(crate) fn is_inferring(&self) -> bool {
        self.column_type.is_none()
    }

    /// Whether the text of the values is returned too: for JSON without a schema, if no field is left out.
    pub(crate) fn keeps_text(&self) -> bool {
        self.rules.reading.any_text && self.is_shown && self.shown_fields.are_all()
    }

    /// The format with the inferred type.
    pub(crate) fn format(&self) -> Option<Format> {
        let known = self.column_type.as_ref().filter(|_| self.infers)?;
        Some(Format::InferredJson(known.whole.clone()))
    }

    /// Fixes the type to the one inferred so far: null, if there was no value.
    pub(crate) fn fix(&mut self) -> Result<(), SchemaError> {
        if self.is_inferring() {
            self.set_type(DataType::Null)?;
        }
        Ok(())
    }

    /// Drops the inferred type.
    pub(crate) fn forget(&mut self) {
        if self.infers {
            self.column_type = None;
        }
    }

    /// The remedy for a value that does not fit.
    pub(crate) fn advice(&self) -> &'static str {
        if self.rules.reading.any_text {
            "the schema was inferred from the first records: pass one that fits all"
        } else {
            "correct the schema or the value"
        }
    }

    /// Those of the fields that were not reported before. They count as reported.
    pub(crate) fn report(&mut self, unnamed: Vec<(String, usize)>) -> Vec<(String, usize)> {
        let mut new = unnamed;
        new.retain(|(name, _)| {
            self.reported.len() < REPORTED_MAX && self.reported.insert(name.clone())
        });
        new
    }

    fn set_type(&mut self, whole: DataType) -> Result<(), SchemaError> {
        let known = ColumnType::new(
            whole,
            &self.shown_fields,
            self.rules.whole,
            self.rules.reading,
        )?;
        self.column_type = Some(known);
        Ok(())
    }

    /// Infers the type, if it is not known and there are values.
    pub(crate) fn learn(
        &mut self,
        values: &ViewColumn,
        buffers: &Buffers,
        infer: Infer,
    ) -> Result<(), SchemaError> {
        if !self.is_inferring() {
            return Ok(());
        }
        let limit = match infer {
            Infer::First(limit) => limit.max(1),
            Infer::EachTable => usize::MAX,
        };
        let mut guess = Guess::default();
        let first = (0..values.len())
            .filter_map(|row| values.value(row, buffers))
            .take(limit);
        for value in first {
            let mut cursor = Cursor::new(value);
            let kind = cursor.kind();
            let teaches = match kind {
                Ok(Kind::Object) => true,
                Ok(_) => !self.rules.objects,
                Err(_) => false,
            };
            // A value that is not JSON is an error of its row, and is not used for inference.
            if teaches && is_json(value) {
                // Infer from the valid JSON values only.
                let _ = guess.learn(&mut cursor, 0);
            }
        }
        match guess.top_type(&DataType::Utf8) {
            Some(data_type) => self.set_type(data_type),
            None => Ok(()),
        }
    }

    /// Parses all values, on several threads if there are enough.
    pub(crate) fn decode(
        &self,
        values: &ViewColumn,
        buffers: &Buffers,
        options: &DecodeOptions,
    ) -> Result<DecodedJson, DecodeErrorKind> {
        let build = |error: ArrowError| DecodeErrorKind::Build {
            reason: error.to_string(),
        };
        let part = |rows: std::ops::Range<usize>| {
            self.decode_part(values, buffers, rows, options.on_error)
        };
        let threads = threads(options.max_threads)
            .min(values.len() / ROWS_PER_THREAD)
            .max(1);
        let rows_each = values.len().div_ceil(threads).max(1);
        let parts: Vec<Result<DecodedJson, ArrowError>> = std::thread::scope(|scope| {
            let start = |index: usize| (index * rows_each).min(values.len());
            let others: Vec<_> = (1..threads)
                .map(|index| scope.spawn(move || part(start(index)..start(index + 1))))
                .collect();
            let first = part(0..start(1));
            let joined = others.into_iter().map(|other| {
                other
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            });
            std::iter::once(first).chain(joined).collect()
        });
        let mut arrays = Vec::with_capacity(parts.len());
        let (mut bad, mut unnamed) = (Vec::new(), Vec::new());
        for part in parts {
            let part = part.map_err(build)?;
            arrays.push(part.array);
            bad.extend(part.bad);
            unnamed.extend(part.unnamed);
            if options.on_error == OnError::Raise && !bad.is_empty() {
                break;
            }
        }
        let array = match &*arrays {
            [only] => only.clone(),
            _ => {
                arrow_select::concat::concat(&arrays.iter().map(AsRef::as_ref).collect::<Vec<_>>())
                    .map_err(build)?
            }
        };
        let array = match self.data_type() {
            Some(shown) => show(&array, shown).map_err(build)?,
            None => array,
        };
        Ok(DecodedJson {
            array,
            bad,
            unnamed,
        })
    }

    fn read_whole(&self, node: &mut Node, value: &[u8]) -> Result<(), Fault> {
        let mut cursor = Cursor::new(value);
        if self.rules.objects && !matches!(cursor.kind()?, Kind::Object | Kind::Null) {
            return Err(cursor.mismatch("an object"));
        }
        if self.is_inferring() {
            // The type is not known yet; a value that is not JSON is reported as such.
            let mut whole = cursor;
            whole.skip_value().and_then(|_| whole.end())?;
        }
        node.read(&mut cursor)?;
        cursor.end()
    }

    fn decode_part(
        &self,
        values: &ViewColumn,
        buffers: &Buffers,
        rows: std::ops::Range<usize>,
        on_error: OnError,
    ) -> Result<DecodedJson, ArrowError> {
        let start = rows.start;
        let node = match &self.column_type {
            Some(known) => known.node(rows.len()),
            None => Ok(Node::Null(0)),
        };
        let mut node = node.map_err(|error| ArrowError::SchemaError(error.to_string()))?;
        let mut bad = Vec::new();
        for row in rows {
            let Some(value) = values.value(row, buffers) else {
                node.push_null();
                continue;
            };
            if let Err(fault) = self.read_whole(&mut node, value) {
                node.truncate(row - start);
                node.push_null();
                bad.push((row, fault.to_string()));
                if on_error == OnError::Raise {
                    break;
                }
            }
        }
        let mut unnamed = Vec::new();
        node.add_unnamed_names("", &mut unnamed);
        for (_, row) in &mut unnamed {
            *row += start;
        }
        let read = self.column_type.as_ref().map(ColumnType::read);
        Ok(DecodedJson {
            array: node.finish(read.unwrap_or(&DataType::Null))?,
            bad,
            unnamed,
        })
    }
}

/// Whether this is exactly one JSON value.
fn is_json(value: &[u8]) -> bool {
    let mut cursor = Cursor::new(value);
    cursor.skip_value().and_then(|_| cursor.end()).is_ok()
}

/// The array with only the fields of that type.
fn show(array: &ArrayRef, data_type: &DataType) -> Result<ArrayRef, ArrowError> {
    let (Some(structs), DataType::Struct(fields)) = (array.as_struct_opt(), data_type) else {
        return Ok(Arc::clone(array));
    };
    if structs.fields() == fields {
        return Ok(Arc::clone(array));
    }
    let columns = fields
        .iter()
        .filter_map(|field| structs.column_by_name(field.name()).cloned());
    Ok(Arc::new(StructArray::try_new_with_length(
        fields.clone(),
        columns.collect(),
        structs.nulls().cloned(),
        structs.len(),
    )?))
}

fn threads(max: usize) -> usize {
    if max > 0 {
        max
    } else {
        std::thread::available_parallelism().map_or(1, usize::from)
    }
}
