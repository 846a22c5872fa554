//! Offsets by timestamp, and rates.

use arrow_array::cast::AsArray as _;
use arrow_array::types::{Int64Type, TimestampMillisecondType};
use headwater::{ErrorKind, Offset, PartitionId, Position, Record};
use headwater_behaviour_macro::behaviour;

use crate::target::Target;

#[behaviour]
fn offsets_by_time_are_those_of_a_linear_scan(target: Target) {
    let broker = target.start();
    let t = broker.name("t");
    broker.make(t, 1);
    let producer = broker.producer_with(&[("batch.size", "300")]);
    // Out of order on purpose.
    let times: Vec<i64> = (0..300).map(|index| (index * 7_919) % 1_000).collect();
    for time in &times {
        drop(
            producer
                .send_blocking(&Record::new(t, b"some value").timestamp_ms(*time))
                .unwrap(),
        );
    }
    broker.wait(producer.flush()).unwrap();
    for asked in (0..=1_000).step_by(37) {
        let found = broker
            .wait(broker.topic(t).offsets(&Position::TimestampMs(asked)))
            .unwrap()[&PartitionId::new(0)];
        let expected = times
            .iter()
            .position(|time| *time >= asked)
            .unwrap_or(times.len());
        assert_eq!(found, Offset::new(expected as i64), "at {asked}");
    }
}

#[behaviour]
fn a_rate_counts_every_record_once(target: Target) {
    let broker = target.start();
    let t = broker.name("t");
    broker.make(t, 2);
    let producer = broker.producer_with(&[("batch.size", "0")]);
    // Ten a second for five seconds, nothing for five, then one.
    for index in 0..50_i64 {
        let record = Record::new(t, b"v")
            .partition((index % 2) as i32)
            .timestamp_ms(index * 100);
        drop(producer.send_blocking(&record).unwrap());
    }
    drop(
        producer
            .send_blocking(&Record::new(t, b"v").timestamp_ms(10_500))
            .unwrap(),
    );
    broker.wait(producer.flush()).unwrap();
    let rate = broker
        .wait(
            broker
                .topic(t)
                .rate(1_000, Position::Earliest, Position::Latest),
        )
        .unwrap();
    let time = rate
        .records
        .column_by_name("time")
        .unwrap()
        .as_primitive::<TimestampMillisecondType>()
        .values()
        .to_vec();
    let records = rate
        .records
        .column_by_name("records")
        .unwrap()
        .as_primitive::<Int64Type>()
        .values()
        .to_vec();
    let bytes = rate
        .records
        .column_by_name("bytes")
        .unwrap()
        .as_primitive::<Int64Type>()
        .values()
        .to_vec();
    assert_eq!(time, [0, 1_000, 2_000, 3_000, 4_000, 10_000]);
    assert_eq!(records, [10, 10, 10, 10, 10, 1]);
    assert!(bytes.iter().all(|bytes| *bytes > 0));
    let error = broker
        .wait(
            broker
                .topic(t)
                .rate(0, Position::Earliest, Position::Latest),
        )
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
}
