//! JSON values to Arrow.
//!
//! A reader of our own that goes from text straight to the buffers of each column: the schema says what comes next, so a key is compared
//! with the one expected, and no value exists in between. Measured on flights (19 fields, 310 bytes), one thread: arrow-json's tape
//! 0.4 million rows a second, serde's visitors over `sonic-rs` 0.8, `serde_json` 1.0; `benches/columnar.rs` prints this one's.

mod cursor;
mod infer;
mod node;
mod number;
mod object;
mod temporal;
mod text;

use std::sync::Arc;

use arrow_array::{ArrayRef, NullArray};
use arrow_schema::{ArrowError, DataType, Field, Fields};

use crate::classic::classic_fields;
use crate::error::{DecodeErrorKind, SchemaError};
use crate::options::{DecodeOptions, OnError};
use crate::trusted::{Buffers, ViewColumn};
pub(crate) use cursor::{Cursor, Fault, Kind};
use infer::Object;
use node::Node;

/// Fewer rows than this are not worth a thread.
const ROWS_PER_THREAD: usize = 4096;
const TOP: &str = "value";

/// A key or value of JSON: its fields, once they are known.
#[derive(Debug)]
pub(crate) struct JsonColumn {
    fields: Option<Fields>,
    wanted: Option<Vec<String>>,
    inferred: bool,
    text: DataType,
}

/// A column of structs. Rows that are `bad` are null in it.
pub(crate) struct DecodedJson {
    pub(crate) array: ArrayRef,
    pub(crate) bad: Vec<(usize, String)>,
}

impl JsonColumn {
    /// With these fields, or inferred; only the wanted ones of them.
    pub(crate) fn new(
        fields: Option<&Fields>,
        wanted: Option<&[String]>,
        views: bool,
    ) -> Result<Self, SchemaError> {
        let text = if views {
            DataType::Utf8View
        } else {
            DataType::Utf8
        };
        let mut column = Self {
            fields: None,
            wanted: wanted.map(<[String]>::to_vec),
            inferred: fields.is_none(),
            text,
        };
        if let Some(fields) = fields {
            let fields = nullable(fields);
            column.set_fields(&if views {
                fields
            } else {
                classic_fields(&fields)
            })?;
        }
        Ok(column)
    }

    /// The fields, if they are known.
    pub(crate) fn fields(&self) -> Option<&Fields> {
        self.fields.as_ref()
    }

    /// What to do about a value that does not fit.
    pub(crate) fn advice(&self) -> &'static str {
        if self.inferred {
            "the schema was inferred from the first records: pass one that fits all"
        } else {
            "correct the schema or the value"
        }
    }

    fn set_fields(&mut self, fields: &Fields) -> Result<(), SchemaError> {
        let fields = match &self.wanted {
            None => fields.clone(),
            Some(wanted) => {
                if let Some(name) = wanted.iter().find(|name| fields.find(name).is_none()) {
                    let known: Vec<&str> =
                        fields.iter().map(|field| field.name().as_str()).collect();
                    return Err(SchemaError::UnknownField {
                        name: name.clone(),
                        known: known.join(", "),
                    });
                }
                fields
                    .iter()
                    .filter(|field| wanted.contains(field.name()))
                    .cloned()
                    .collect()
            }
        };
        // Refuses types and names that cannot be read now rather than at the first record.
        Node::new(TOP, &DataType::Struct(fields.clone()), self.inferred, 0)?;
        self.fields = Some(fields);
        Ok(())
    }

    /// Infers the fields from the first `limit` values, if they are not known and there is an object among these.
    pub(crate) fn learn(
        &mut self,
        values: &ViewColumn,
        buffers: &Buffers,
        limit: usize,
    ) -> Result<(), SchemaError> {
        if self.fields.is_some() {
            return Ok(());
        }
        let mut seen = false;
        let mut object = Object::default();
        let first = (0..values.len())
            .filter_map(|row| values.value(row, buffers))
            .take(limit.max(1));
        for value in first {
            let is_object = {
                let mut cursor = Cursor::new(value);
                cursor.skip_space();
                cursor.peek() == b'{' && cursor.skip_value().and_then(|_| cursor.end()).is_ok()
            };
            // A value that is no object is an error of its row, and has nothing to teach.
            if is_object {
                let mut cursor = Cursor::new(value);
                cursor.skip_space();
                seen |= object.learn(&mut cursor, 0).is_ok();
            }
        }
        if seen {
            self.set_fields(&object.fields(&self.text))
        } else {
            Ok(())
        }
    }

    /// Reads all values, on several threads where that is worth it.
    pub(crate) fn decode(
        &self,
        values: &ViewColumn,
        buffers: &Buffers,
        options: &DecodeOptions,
    ) -> Result<DecodedJson, DecodeErrorKind> {
        let build = |error: ArrowError| DecodeErrorKind::Build {
            reason: error.to_string(),
        };
        let fields = self.fields.clone().unwrap_or_default();
        let data_type = DataType::Struct(fields);
        let part = |rows: std::ops::Range<usize>| {
            self.decode_part(values, buffers, &data_type, rows, options.on_error)
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
        let mut bad = Vec::new();
        for part in parts {
            let part = part.map_err(build)?;
            arrays.push(part.array);
            bad.extend(part.bad);
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
        // Nothing is known of the fields yet: a table of the type `Null`.
        let array = if self.fields.is_some() {
            array
        } else {
            Arc::new(NullArray::new(values.len()))
        };
        Ok(DecodedJson { array, bad })
    }

    fn decode_part(
        &self,
        values: &ViewColumn,
        buffers: &Buffers,
        data_type: &DataType,
        rows: std::ops::Range<usize>,
        on_error: OnError,
    ) -> Result<DecodedJson, ArrowError> {
        let start = rows.start;
        let mut node = Node::new(TOP, data_type, self.inferred, rows.len())
            .map_err(|error| ArrowError::SchemaError(error.to_string()))?;
        let mut bad = Vec::new();
        for row in rows {
            let Some(value) = values.value(row, buffers) else {
                node.push_null();
                continue;
            };
            if let Err(fault) = read_whole(&mut node, value) {
                node.truncate(row - start);
                node.push_null();
                bad.push((row, fault.to_string()));
                if on_error == OnError::Raise {
                    break;
                }
            }
        }
        Ok(DecodedJson {
            array: node.finish(data_type)?,
            bad,
        })
    }
}

fn read_whole(node: &mut Node, value: &[u8]) -> Result<(), Fault> {
    let mut cursor = Cursor::new(value);
    node.read(&mut cursor)?;
    cursor.end()
}

fn threads(max: usize) -> usize {
    if max > 0 {
        max
    } else {
        std::thread::available_parallelism().map_or(1, usize::from)
    }
}

/// The same fields, each of which may be null: in JSON any field may be missing, and a deleted key has no value.
fn nullable(fields: &Fields) -> Fields {
    fields
        .iter()
        .map(|field| {
            Field::clone(field)
                .with_nullable(true)
                .with_data_type(nullable_type(field.data_type()))
        })
        .collect()
}

fn nullable_type(data_type: &DataType) -> DataType {
    let item = |field: &Field| {
        Arc::new(
            field
                .clone()
                .with_nullable(true)
                .with_data_type(nullable_type(field.data_type())),
        )
    };
    match data_type {
        DataType::Struct(fields) => DataType::Struct(nullable(fields)),
        DataType::List(field) => DataType::List(item(field)),
        DataType::LargeList(field) => DataType::LargeList(item(field)),
        other => other.clone(),
    }
}
