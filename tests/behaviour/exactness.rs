//! The effect of ranges and formats on scans: exact counts, skipped records, inferred types.

use std::collections::BTreeMap;

use arrow_array::cast::AsArray as _;
use headwater::{
    Column, DecodeOptions, Format, Offset, OnError, PartitionId, Position, Projection, ScanOptions,
};
use headwater_behaviour_macro::behaviour;

use crate::table::{offsets, text};
use crate::target::Target;

fn scan() -> ScanOptions {
    ScanOptions {
        decode: text(),
        ..ScanOptions::default()
    }
}

#[behaviour]
fn counts_and_rates_are_exact_where_a_range_cuts_a_batch(target: Target) {
    let broker = target.start();
    let t = broker.name("t");
    broker.make(t, 1);
    broker.fill(t, 0, ["x"; 100]);
    let thirty = BTreeMap::from([(PartitionId::new(0), Offset::new(30))]);
    broker
        .wait(
            broker
                .admin()
                .delete_records(t, &Position::PerPartition(thirty)),
        )
        .unwrap();
    let topic = broker.topic(t);
    assert_eq!(broker.wait(topic.count()).unwrap(), 70);
    assert_eq!(
        broker.wait(topic.counts()).unwrap(),
        BTreeMap::from([(PartitionId::new(0), 70)])
    );
    let at = |offset| Position::Offset(Offset::new(offset));
    for (start, end, expected) in [(30, 100, 70), (40, 100, 60), (30, 31, 1), (50, 60, 10)] {
        let cut = ScanOptions {
            start: at(start),
            end: at(end),
            ..scan()
        };
        assert_eq!(
            broker.wait(topic.scan(cut).count()).unwrap(),
            expected as u64
        );
        let rate = broker
            .wait(topic.rate(1_000_000, at(start), at(end)))
            .unwrap();
        let records = rate.records.column_by_name("records").unwrap();
        let records = records.as_primitive::<arrow_array::types::Int64Type>();
        assert_eq!(
            records.values().iter().sum::<i64>(),
            expected,
            "{start}..{end}"
        );
    }
}

#[behaviour]
fn skipped_records_count_nowhere(target: Target) {
    let broker = target.start();
    let t = broker.name("t");
    broker.make(t, 1);
    broker.fill(
        t,
        0,
        [r#"{"a":0}"#, "no", r#"{"a":2}"#, "no", r#"{"a":"x"}"#],
    );
    let schema = headwater::columnar::parse_schema(r#"{"a": "int64"}"#).unwrap();
    for (value, expected) in [
        (Format::Json(Some(schema)), &[0, 2][..]),
        (Format::Json(None), &[0, 2, 4]),
    ] {
        let decode = DecodeOptions {
            value,
            on_error: OnError::Skip,
            ..DecodeOptions::default()
        };
        let topic = broker.topic(t);
        let columns = Projection::of(&[Column::Offset]);
        let narrow = DecodeOptions {
            columns,
            ..decode.clone()
        };
        for decode in [decode.clone(), narrow] {
            let scan = topic.scan(ScanOptions { decode, ..scan() });
            assert_eq!(offsets(&broker.wait(scan.collect()).unwrap()), expected);
            assert_eq!(broker.wait(scan.count()).unwrap(), expected.len() as u64);
        }
        let tail = broker.wait(topic.tail(2, decode)).unwrap();
        assert_eq!(offsets(&tail), expected[expected.len() - 2..]);
    }
}

#[behaviour]
fn a_fixed_schema_stays_whatever_is_read_or_written(target: Target) {
    let broker = target.start();
    let t = broker.name("t");
    broker.make(t, 2);
    broker.fill(t, 0, [r#"{"a":1}"#, r#"{"a":2}"#]);
    broker.fill(t, 1, [r#"{"a":"x","b":1}"#]);
    let decode = DecodeOptions {
        value: Format::Json(None),
        unnest: true,
        ..DecodeOptions::default()
    };
    let scan = broker.topic(t).scan(ScanOptions { decode, ..scan() });
    let fixed = broker.wait(scan.with_fixed_schema()).unwrap();
    let schema = broker.wait(scan.collect()).unwrap().schema();
    broker.fill(t, 0, [r#"{"c":1}"#]);
    for options in [
        fixed.options().clone(),
        ScanOptions {
            limit: Some(1),
            ..fixed.options().clone()
        },
        ScanOptions {
            partitions_within: Some(vec![PartitionId::new(0), PartitionId::new(7)]),
            ..fixed.options().clone()
        },
    ] {
        let part = broker
            .wait(broker.topic(t).scan(options).collect())
            .unwrap();
        assert_eq!(part.schema(), schema);
        assert!(!part.is_empty());
    }
}
