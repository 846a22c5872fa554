//! Reads the log at the end: with our own scan, and with kcat.

use std::process::Command;

use arrow_array::cast::AsArray as _;
use arrow_array::types::{Int32Type, Int64Type};
use headwater::{Batch, Client, DecodeOptions, Format, Result, ScanOptions};
use headwater_fault_tests::history::{Log, RecordId};

/// Partition, offset and value of each record of a table.
pub(crate) fn rows(batch: &Batch) -> Vec<(i32, i64, RecordId)> {
    let column = |name| batch.records.column_by_name(name).unwrap();
    let partitions = column("partition").as_primitive::<Int32Type>().values();
    let offsets = column("offset").as_primitive::<Int64Type>().values();
    let values = column("value").as_string_view().iter();
    let places = partitions.iter().zip(offsets);
    let rows = places
        .zip(values)
        .map(|((partition, offset), value)| (*partition, *offset, value.unwrap().parse().unwrap()));
    rows.collect()
}

/// Values as text.
pub(crate) fn text() -> DecodeOptions {
    DecodeOptions {
        value: Format::String,
        ..DecodeOptions::default()
    }
}

/// The log read by our client.
pub(crate) async fn scan(client: &Client, topic: &str) -> Result<Log> {
    let options = ScanOptions {
        decode: text(),
        ..ScanOptions::default()
    };
    let table = client.topic(topic).scan(options).collect().await?;
    Ok(log(rows(&table)))
}

/// The log read by kcat.
pub(crate) fn kcat(bootstrap: &str, topic: &str) -> Log {
    let output = Command::new("kcat")
        .args([
            "-b",
            bootstrap,
            "-C",
            "-t",
            topic,
            "-o",
            "beginning",
            "-e",
            "-q",
        ])
        .args(["-f", "%p %o %s\\n"])
        .output()
        .expect("kcat is installed: see tests/foreign/install.sh");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "kcat failed: {errors}");
    let text = String::from_utf8(output.stdout).unwrap();
    let rows = text.lines().map(|line| {
        let mut parts = line.split(' ');
        let mut part = || parts.next().unwrap();
        (
            part().parse().unwrap(),
            part().parse().unwrap(),
            part().parse().unwrap(),
        )
    });
    log(rows.collect())
}

fn log(rows: Vec<(i32, i64, RecordId)>) -> Log {
    let mut log = Log::new();
    for (partition, offset, record) in rows {
        log.entry(partition).or_default().insert(offset, record);
    }
    log
}
