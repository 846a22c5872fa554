//! Reports fields that the inferred types of a scan do not have.

use headwater_columnar::{Column, NewField};

use crate::batch::Batch;

/// Logs the new fields of a table. `rest`: the column that keeps them.
pub(super) fn report(batch: &Batch, rest: Option<&str>) {
    for field in &batch.new_fields {
        let NewField {
            column,
            name,
            topic,
            partition,
            offset,
        } = field;
        let remedy = match rest.filter(|_| *column == Column::Value.name()) {
            Some(rest) => format!("it is kept in the column \"{rest}\""),
            None => "it is left out: infer from more records, pass a schema, or keep it with rest"
                .to_owned(),
        };
        tracing::warn!(
            "{topic}-{partition}: the field \"{name}\" of the {column} first appears at offset {offset}, after the records from which the \
             types were inferred; {remedy}"
        );
    }
}
