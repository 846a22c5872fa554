//! Derives from the options how keys and values are collected, and the schema.

use std::collections::HashSet;
use std::sync::Arc;

use arrow_schema::{DataType, Field, FieldRef, Fields, Schema, SchemaRef, TimeUnit};

use super::byte_column::{ByteColumn, Keep, ReadAs};
use super::header_column::item_field;
use crate::error::SchemaError;
use crate::json::{JsonColumn, lifted_name};
use crate::options::{DecodeOptions, Format, Infer};
use crate::projection::Column;

/// The type of a key or value column.
#[derive(Debug)]
pub(crate) enum Shape {
    Absent,
    Bytes,
    Text,
    Json(Box<JsonColumn>),
}

impl Shape {
    fn new(options: &DecodeOptions, column: Column, format: &Format) -> Result<Self, SchemaError> {
        if !options.columns.contains(column) && !options.skips_by(column) {
            return Ok(Self::Absent);
        }
        Ok(match format {
            Format::Bytes => Self::Bytes,
            Format::String => Self::Text,
            Format::Json(_) | Format::InferredJson(_) => {
                Self::Json(Box::new(JsonColumn::new(options, column, format)?))
            }
        })
    }

    fn byte_column(&self, views: bool) -> Option<ByteColumn> {
        let keep = if views { Keep::Views } else { Keep::Classic };
        match self {
            Self::Absent => None,
            Self::Bytes => Some(ByteColumn::new(keep, ReadAs::Bytes)),
            Self::Text => Some(ByteColumn::new(keep, ReadAs::Text)),
            Self::Json(_) => Some(ByteColumn::new(Keep::Views, ReadAs::Json)),
        }
    }

    /// `None` if it is not known yet.
    fn data_type(&self, views: bool) -> Option<DataType> {
        match (self, views) {
            (Self::Absent, _) => Some(DataType::Null),
            (Self::Bytes, true) => Some(DataType::BinaryView),
            (Self::Bytes, false) => Some(DataType::Binary),
            (Self::Text, true) => Some(DataType::Utf8View),
            (Self::Text, false) => Some(DataType::Utf8),
            (Self::Json(json), _) => json.data_type().cloned(),
        }
    }
}

/// The shapes of key and value, and whether they can still change.
#[derive(Debug)]
pub(crate) struct TableShapes {
    pub(crate) key: Shape,
    pub(crate) value: Shape,
    views: bool,
}

impl TableShapes {
    pub(crate) fn new(options: &DecodeOptions) -> Result<Self, SchemaError> {
        let plan = Self {
            key: Shape::new(options, Column::Key, &options.key)?,
            value: Shape::new(options, Column::Value, &options.value)?,
            views: options.views,
        };
        check_options(options)?;
        plan.check_names(options)?;
        Ok(plan)
    }

    /// Checks that with `unnest` no two columns have the same name.
    pub(crate) fn check_names(&self, options: &DecodeOptions) -> Result<(), SchemaError> {
        if self.unnested(options).is_none() {
            return Ok(());
        }
        let schema = self.schema_so_far(options);
        let mut names = HashSet::new();
        match schema
            .fields()
            .iter()
            .find(|field| !names.insert(field.name()))
        {
            Some(field) => Err(SchemaError::NameClash {
                name: field.name().clone(),
            }),
            None => Ok(()),
        }
    }

    /// The collectors for keys and values, if they are requested.
    pub(crate) fn byte_columns(&self) -> (Option<ByteColumn>, Option<ByteColumn>) {
        (
            self.key.byte_column(self.views),
            self.value.byte_column(self.views),
        )
    }

    pub(crate) fn schema(&self, options: &DecodeOptions) -> Option<SchemaRef> {
        for (column, shape) in [(Column::Key, &self.key), (Column::Value, &self.value)] {
            if options.columns.contains(column) {
                shape.data_type(self.views)?;
            }
        }
        Some(self.schema_so_far(options))
    }

    pub(crate) fn is_inferring(&self) -> bool {
        let unknown = |shape: &Shape| matches!(shape, Shape::Json(json) if json.is_inferring());
        unknown(&self.key) || unknown(&self.value)
    }

    pub(crate) fn fix(&mut self) -> Result<(), SchemaError> {
        for shape in [&mut self.key, &mut self.value] {
            if let Shape::Json(json) = shape {
                json.fix()?;
            }
        }
        Ok(())
    }

    pub(crate) fn formats(&self, options: &DecodeOptions) -> (Format, Format) {
        let fixed = |shape: &Shape, format: &Format| match shape {
            Shape::Json(json) => json.format().unwrap_or_else(|| format.clone()),
            _ => format.clone(),
        };
        (
            fixed(&self.key, &options.key),
            fixed(&self.value, &options.value),
        )
    }

    /// Drops the types of the previous table if each table is inferred separately.
    pub(crate) fn start_table(&mut self, options: &DecodeOptions) {
        if options.infer == Infer::EachTable {
            for shape in [&mut self.key, &mut self.value] {
                if let Shape::Json(json) = shape {
                    json.forget();
                }
            }
        }
    }

    /// The schema, with `Null` for unknown types.
    pub(crate) fn schema_so_far(&self, options: &DecodeOptions) -> SchemaRef {
        let mut fields: Vec<FieldRef> = Vec::new();
        for column in Column::ALL
            .into_iter()
            .filter(|column| options.columns.contains(*column))
        {
            match (column, self.unnested(options)) {
                (Column::Value, Some(unnested)) => {
                    fields.extend(unnested.iter().map(|field| lifted(field, options)));
                }
                (Column::Value, None) => fields.push(self.nullable(column, &self.value)),
                (Column::Key, _) => fields.push(self.nullable(column, &self.key)),
                _ => fields.push(Arc::new(place_field(column))),
            }
        }
        Arc::new(Schema::new(fields))
    }

    /// The fields of the value that become columns.
    pub(crate) fn unnested(&self, options: &DecodeOptions) -> Option<&Fields> {
        match &self.value {
            Shape::Json(json) if options.unnest => json.fields(),
            _ => None,
        }
    }

    fn nullable(&self, column: Column, shape: &Shape) -> FieldRef {
        Arc::new(Field::new(
            column.name(),
            shape.data_type(self.views).unwrap_or(DataType::Null),
            true,
        ))
    }
}

/// The column of an unnested field.
fn lifted(field: &FieldRef, options: &DecodeOptions) -> FieldRef {
    let name = lifted_name(field.name(), &options.unnest_prefix);
    if name == *field.name() {
        return Arc::clone(field);
    }
    Arc::new(Field::clone(field).with_name(name))
}

/// Checks `unnest` and `rest`, whatever the types are.
fn check_options(options: &DecodeOptions) -> Result<(), SchemaError> {
    let has_fields = matches!(options.value, Format::Json(_) | Format::InferredJson(_));
    if options.unnest && !has_fields {
        return Err(SchemaError::NothingToUnnest);
    }
    let Some(rest) = &options.rest else {
        return Ok(());
    };
    if Column::from_name(rest).is_some() {
        return Err(SchemaError::RestIsAColumn { name: rest.clone() });
    }
    if options.infer == Infer::EachTable && options.value == Format::Json(None) {
        return Err(SchemaError::EmptyRest);
    }
    if has_fields {
        Ok(())
    } else {
        Err(SchemaError::NoFieldsForRest)
    }
}

/// The columns that are the same whatever the formats.
fn place_field(column: Column) -> Field {
    let (data_type, nullable) = match column {
        Column::Partition | Column::LeaderEpoch => (DataType::Int32, false),
        Column::Offset => (DataType::Int64, false),
        Column::Timestamp => (
            DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into())),
            false,
        ),
        Column::Headers => (DataType::List(item_field()), false),
        Column::Topic => (
            DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)),
            false,
        ),
        Column::TimestampType => (DataType::Int8, false),
        Column::Key | Column::Value => (DataType::Null, true),
    };
    Field::new(column.name(), data_type, nullable)
}
