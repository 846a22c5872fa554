//! Streams of tables: each has its own end.

use std::time::Duration;

use headwater::{BatchOptions, BatchStream, ErrorKind, Offset, Position, Until};
use headwater_behaviour_macro::behaviour;

use crate::consume::{consumer, numbers, until_end};
use crate::table::offsets;
use crate::target::Target;

#[behaviour]
fn each_stream_has_its_own_end(target: Target) {
    let broker = target.start();
    let t = broker.name("t");
    broker.make(t, 1);
    broker.fill(t, 0, numbers(100));
    let mut consumer = consumer(&broker, &[t], &[]);
    let (early, late) = (until_end(30), until_end(30));
    let mut next = |stream: &BatchStream| {
        let batch = broker.wait(consumer.next_batch(stream)).unwrap();
        batch.map(|batch| offsets(&batch).last().copied().unwrap())
    };
    assert_eq!(next(&early), Some(29));
    // The stream was left early. Later records belong to the next stream.
    broker.fill(t, 0, numbers(50));
    assert_eq!(next(&late), Some(59));
    assert_eq!(next(&early), Some(89));
    assert_eq!(next(&early), Some(99));
    assert_eq!(next(&early), None);
    assert_eq!(next(&late), Some(129));
    assert_eq!(next(&late), Some(149));
    assert_eq!((next(&late), next(&early)), (None, None));
    broker.fill(t, 0, numbers(10));
    assert_eq!((next(&late), next(&early)), (None, None));
    assert_eq!(next(&until_end(30)), Some(159));
}

#[behaviour]
fn a_stream_after_a_seek_ends_at_the_current_end(target: Target) {
    let broker = target.start();
    let t = broker.name("t");
    broker.make(t, 1);
    broker.fill(t, 0, numbers(10));
    let mut consumer = consumer(&broker, &[t], &[]);
    broker.wait(consumer.next_batch(&until_end(3))).unwrap();
    broker.fill(t, 0, numbers(10));
    broker
        .wait(consumer.seek(&Position::Offset(Offset::new(5)), &[]))
        .unwrap();
    let stream = until_end(100);
    let batch = broker.wait(consumer.next_batch(&stream)).unwrap().unwrap();
    assert_eq!(offsets(&batch), (5..20).collect::<Vec<_>>());
}

#[behaviour]
fn limits_of_zero_are_refused(target: Target) {
    let broker = target.start();
    let t = broker.name("t");
    broker.make(t, 1);
    broker.fill(t, 0, numbers(10));
    for options in [
        BatchOptions {
            max_records: 0,
            ..BatchOptions::default()
        },
        BatchOptions {
            max_bytes: 0,
            ..BatchOptions::default()
        },
    ] {
        let refused = BatchStream::new(options).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::InvalidArgument);
    }
    let mut consumer = consumer(&broker, &[t], &[]);
    let refused = broker
        .wait(consumer.poll(Duration::ZERO, Some(0)))
        .unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidArgument);
    let one_byte = BatchStream::new(BatchOptions {
        max_bytes: 1,
        until: Until::End,
        ..BatchOptions::default()
    });
    let batch = broker
        .wait(consumer.next_batch(&one_byte.unwrap()))
        .unwrap();
    assert!(!batch.unwrap().is_empty(), "at least one record batch");
}
