//! A topic as text, and as a table of its partitions.

use pyo3::exceptions::PyKeyboardInterrupt;
use pyo3::prelude::*;

use super::{BlockingTopic, Topic};
use crate::runtime;
use crate::texts;

#[pymethods]
impl Topic {
    fn __repr__(&self) -> String {
        texts::object(self.access.face(), "Topic", [texts::quoted(&self.name)])
    }
}

#[pymethods]
impl BlockingTopic {
    /// The table of partitions that notebooks show: of a topic of an embedded engine, which needs no network.
    fn _repr_html_(slf: &Bound<'_, Self>) -> PyResult<Option<String>> {
        let (py, this) = (slf.py(), slf.as_super().get());
        let Ok(topic) = this.get() else {
            return Ok(None);
        };
        if this.access.engine()?.deletions().is_none() {
            return Ok(None);
        }
        let described = async { tokio::try_join!(topic.describe(), topic.counts()) };
        let (topic, counts) = match runtime::call(py, this.access.runtime(), described) {
            Ok(described) => described,
            Err(error) if error.is_instance_of::<PyKeyboardInterrupt>(py) => return Err(error),
            // An unknown topic has no table.
            Err(_) => return Ok(None),
        };
        let rows: Vec<String> = topic
            .partitions
            .iter()
            .map(|partition| {
                let records = counts.get(&partition.partition).copied();
                partition_row(partition, records.unwrap_or(0))
            })
            .collect();
        let rows = rows.concat();
        // Topic names consist of letters, digits, dots, dashes and underscores: nothing to escape.
        Ok(Some(format!(
            "<table><caption>Topic <b>{}</b></caption><thead><tr><th>partition</th><th>first offset</th><th>next offset</th>\
             <th>records</th><th>size</th></tr></thead><tbody>{rows}</tbody></table>",
            topic.name
        )))
    }
}

fn partition_row(partition: &headwater::PartitionDescription, records: u64) -> String {
    let (start, end) = (
        partition.log_start_offset.get(),
        partition.high_watermark.get(),
    );
    let size = partition.size_bytes.map_or_else(|| "–".to_owned(), size);
    format!(
        "<tr><td>{}</td><td>{start}</td><td>{end}</td><td>{records}</td><td>{size}</td></tr>",
        partition.partition.get()
    )
}

fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let power = (bytes.max(1).ilog2() / 10).min(4);
    if power == 0 {
        return format!("{bytes} B");
    }
    format!(
        "{:.1} {}",
        bytes as f64 / f64::from(1_u32 << 10).powi(power as i32),
        UNITS[power as usize]
    )
}
