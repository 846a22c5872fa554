//! Fields of JSON that an inferred type does not have.

use std::sync::Arc;

use headwater_record::{Offset, PartitionId};

use super::FetchedBatches;
use super::plan::{Shape, TableShapes};
use super::rows::Rows;
use crate::projection::Column;

/// A field that first appears after the records from which the type was inferred.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewField {
    /// `key` or `value`.
    pub column: &'static str,
    /// Its name; a field in other fields has a path such as `origin.airport`.
    pub name: String,
    /// The topic.
    pub topic: Arc<str>,
    /// The partition.
    pub partition: PartitionId,
    /// The offset of the first record with the field.
    pub offset: Offset,
}

impl TableShapes {
    /// The fields to report of `unnamed`: each field is reported once.
    pub(super) fn new_fields(
        &mut self,
        unnamed: [(Column, Vec<(String, usize)>); 2],
        rows: &Rows,
        fetched: &[FetchedBatches],
    ) -> Vec<NewField> {
        let mut fields = Vec::new();
        for (column, unnamed) in unnamed {
            let shape = match column {
                Column::Key => &mut self.key,
                _ => &mut self.value,
            };
            let Shape::Json(json) = shape else { continue };
            let new = json.report(unnamed).into_iter().filter_map(|(name, row)| {
                let fetched = fetched.get(rows.fetched_of(row))?;
                Some(NewField {
                    column: column.name(),
                    name,
                    topic: Arc::clone(&fetched.topic),
                    partition: fetched.partition,
                    offset: Offset::new(*rows.offsets.get(row)?),
                })
            });
            fields.extend(new);
        }
        fields
    }
}
