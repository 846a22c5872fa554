//! Tables in memory: narrowed scans, and keys and values that are decoded later.

use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use headwater::{
    Bounds, Column, DecodeOptions, ErrorKind, Format, Offset, OnError, PartitionId, Projection,
    ScanOptions,
};
use headwater_behaviour_macro::behaviour;

use crate::table::{offsets, partitions, values};
use crate::target::Target;

#[behaviour]
fn a_narrowed_scan_reads_what_a_query_needs(target: Target) {
    let broker = target.start();
    let t = broker.name("t");
    broker.make(t, 2);
    for partition in 0..2 {
        broker.fill(t, partition, (0..10).map(|index| index.to_string()));
    }
    let read = |bounds: Bounds| {
        let scan = broker.topic(t).scan(ScanOptions::default());
        broker.wait(scan.narrow(bounds).collect()).unwrap()
    };
    let batch = read(Bounds {
        columns: Some(vec!["offset".into()]),
        partitions: Some(vec![PartitionId::new(1), PartitionId::new(7)]),
        offset_from: Some(Offset::new(4)),
        offset_until: Some(Offset::new(9)),
        limit: Some(3),
        ..Bounds::default()
    });
    assert_eq!(batch.schema().fields().len(), 1);
    assert_eq!(offsets(&batch), [4, 5, 6]);
    let batch = read(Bounds {
        partitions: Some(vec![PartitionId::new(1)]),
        ..Bounds::default()
    });
    assert_eq!(partitions(&batch), [1; 10]);
    // The scan has no column of offsets, so the bound applies to a field of that name.
    let values_only = ScanOptions {
        decode: DecodeOptions {
            columns: Projection::of(&[Column::Value]),
            ..DecodeOptions::default()
        },
        ..ScanOptions::default()
    };
    let scan = broker.topic(t).scan(values_only).narrow(Bounds {
        offset_from: Some(Offset::new(4)),
        ..Bounds::default()
    });
    assert_eq!(broker.wait(scan.collect()).unwrap().len(), 20);
}

#[behaviour]
fn a_limit_counts_records_before_a_query_narrows_the_scan(target: Target) {
    let broker = target.start();
    let t = broker.name("t");
    broker.make(t, 2);
    for partition in 0..2 {
        broker.fill(t, partition, (0..10).map(|index| index.to_string()));
    }
    let limited = broker.topic(t).scan(ScanOptions {
        limit: Some(12),
        ..ScanOptions::default()
    });
    let read = |bounds: Bounds| {
        let batch = broker.wait(limited.narrow(bounds).collect()).unwrap();
        (partitions(&batch), offsets(&batch))
    };
    let in_order = |records: usize| {
        let all = (0..2).flat_map(|partition| (0..10).map(move |offset| (partition, offset)));
        all.take(records).unzip::<i32, i64, Vec<_>, Vec<_>>()
    };
    assert_eq!(read(Bounds::default()), in_order(12));
    assert_eq!(broker.wait(limited.count()).unwrap(), 12);
    // A reader of the query filters these records itself.
    let filter = Bounds {
        partitions: Some(vec![PartitionId::new(1)]),
        offset_from: Some(Offset::new(1)),
        ..Bounds::default()
    };
    assert_eq!(read(filter), in_order(12));
    for (limit, records) in [(3, 3), (100, 12), (0, 0)] {
        let bounds = Bounds {
            limit: Some(limit),
            ..Bounds::default()
        };
        assert_eq!(read(bounds), in_order(records));
    }
}

#[behaviour]
fn values_are_decoded_in_memory_as_in_a_scan(target: Target) {
    let broker = target.start();
    let t = broker.name("t");
    broker.make(t, 1);
    broker.fill(t, 0, [r#"{"delay": 1}"#, "broken", r#"{"delay": 3}"#]);
    let scan = broker.topic(t).scan(ScanOptions::default());
    let batch = broker.wait(scan.collect()).unwrap();
    let topic: Arc<str> = t.into();
    let text = DecodeOptions {
        value: Format::String,
        ..DecodeOptions::default()
    };
    let decoded = batch.decode(&topic, text.clone()).unwrap();
    assert_eq!(values(&decoded)[1], "broken");
    assert_eq!(offsets(&decoded), [0, 1, 2]);
    assert_eq!(decoded.next_offsets, batch.next_offsets);
    let error = decoded.decode(&topic, text).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");

    let json = DecodeOptions {
        value: Format::Json(None),
        ..DecodeOptions::default()
    };
    let error = batch.decode(&topic, json.clone()).unwrap_err();
    let place = (error.kind(), error.topic(), error.offset());
    assert_eq!(place, (ErrorKind::Decode, Some(t), Some(Offset::new(1))));
    let skipping = DecodeOptions {
        on_error: OnError::Skip,
        ..json
    };
    let decoded = batch.decode(&topic, skipping).unwrap();
    assert_eq!((offsets(&decoded), decoded.skipped), (vec![0, 2], 1));
    let value = decoded.records.column_by_name("value").unwrap();
    assert_eq!(value.as_struct().num_columns(), 1);
}
