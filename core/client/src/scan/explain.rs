//! Describes a scan as text.

use std::fmt::Write as _;

use headwater_columnar::Column;

use super::plan::plan;
use super::{ScanOptions, ScanSource};
use crate::error::Result;

pub(super) async fn explain(source: &ScanSource, options: &ScanOptions) -> Result<String> {
    let ranges = plan(source, options).await?;
    let mut text = format!(
        "SCAN {} from {} to {}",
        source.topic, options.start, options.end
    );
    // Writing to a String cannot fail.
    if let Some(limit) = options.limit {
        let _ = write!(text, ", at most {limit} records");
    }
    let columns: Vec<_> = Column::ALL
        .into_iter()
        .filter(|column| options.decode.columns.contains(*column))
        .map(Column::name)
        .collect();
    let columns = if columns.is_empty() {
        "none (only counts)".to_owned()
    } else {
        columns.join(", ")
    };
    let _ = write!(text, "\n  columns: {columns}");
    let _ = write!(
        text,
        "\n  key: {}, value: {}",
        format_name(&options.decode.key),
        format_name(&options.decode.value)
    );
    let bounds = [
        options
            .offset_from
            .map(|offset| format!("offset >= {offset}")),
        options
            .offset_until
            .map(|offset| format!("offset < {offset}")),
        options
            .timestamp_from_ms
            .map(|time| format!("timestamp >= {time} ms")),
        options
            .timestamp_until_ms
            .map(|time| format!("timestamp < {time} ms")),
    ];
    let bounds: Vec<_> = bounds.into_iter().flatten().collect();
    if !bounds.is_empty() {
        let _ = write!(text, "\n  bounds: {}", bounds.join(", "));
    }
    for range in &ranges {
        let _ = write!(
            text,
            "\n  partition {}: offsets {}..{} ({})",
            range.partition,
            range.start,
            range.end,
            range.offsets()
        );
    }
    let _ = write!(
        text,
        "\n  CRC checked: {}",
        if options.decode.check_crc {
            "yes"
        } else {
            "no"
        }
    );
    Ok(text)
}

fn format_name(format: &headwater_columnar::Format) -> &'static str {
    use headwater_columnar::Format;
    match format {
        Format::Bytes => "bytes",
        Format::String => "string",
        Format::Json(None) | Format::InferredJson(_) => "json, schema inferred",
        Format::Json(Some(_)) => "json with a schema",
    }
}
