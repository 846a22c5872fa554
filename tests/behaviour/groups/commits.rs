//! Where a group continues: explicit commits and auto-commit.

use std::collections::BTreeMap;
use std::time::Instant;

use headwater::{BatchOptions, BatchStream, ErrorKind, Offset, Position, Until};
use headwater_behaviour_macro::behaviour;

use super::{
    MOMENT, PATIENCE, config, member, numbers, poll_until, poll_until_read, poll_until_shared,
    start,
};
use crate::table::{text, values};
use crate::target::Target;

#[behaviour]
fn commits_are_kept_and_started_from(target: Target) {
    let broker = start(target);
    let t = broker.name("t");
    broker.make(t, 2);
    broker.fill(t, 0, numbers(20));
    let mut one = member(&broker, &[t], &[("enable.auto.commit", "false")]);
    assert_eq!(poll_until_read(&broker, &mut one, 7).len(), 7);
    assert_eq!(
        broker.wait(one.committed(&[broker.partition(0)])).unwrap(),
        BTreeMap::new()
    );
    broker.wait(one.commit(None)).unwrap();
    let committed = broker.wait(one.committed(&[])).unwrap();
    assert_eq!(committed[&broker.partition(0)], Offset::new(7));
    broker.wait(one.commit_async(None)).unwrap();
    broker.wait(one.close());

    // A consumer with manually assigned partitions starts there too, and may commit while the group has no members.
    let mut other = broker.consumer(config(&broker, &[("enable.auto.commit", "false")]));
    other.decode_as(text()).unwrap();
    broker
        .wait(other.assign(vec![broker.partition(0)]))
        .unwrap();
    let batch = broker.wait(other.poll(PATIENCE, Some(1))).unwrap();
    assert_eq!(values(&batch), ["7"]);
    assert_eq!(broker.wait(other.lag()).unwrap()[&broker.partition(0)], 12);
    broker.wait(other.commit(None)).unwrap();
    let committed = broker.wait(other.committed(&[])).unwrap();
    assert_eq!(committed[&broker.partition(0)], Offset::new(8));
}

#[behaviour]
fn only_finished_batches_are_committed_by_themselves(
    target: Target,
    #[values("leaves", "dies")] how: &str,
) {
    let broker = start(target);
    let t = broker.name("t");
    broker.make(t, 1);
    broker.fill(t, 0, numbers(30));
    let short = [
        ("auto.commit.interval.ms", "0"),
        ("session.timeout.ms", "200"),
    ];
    let mut one = member(&broker, &[t], &short);
    let read = poll_until(&broker, &mut [&mut one], |_, read| read[0].len() >= 21);
    assert_eq!(read[0].len(), 21);
    // The third batch was handed out, and the fourth was not requested.
    if how == "leaves" {
        broker.wait(one.close());
    } else {
        drop(one);
    }
    let mut two = member(&broker, &[t], &short);
    let again = poll_until_read(&broker, &mut two, 1);
    let first: usize = again[0].parse().unwrap();
    // The last commit of a dying member may not have been sent.
    assert!(first == 14 || (how == "dies" && first < 14), "{first}");
}

#[behaviour]
fn a_stream_to_the_end_waits_for_its_partitions(target: Target) {
    let broker = start(target);
    let t = broker.name("t");
    broker.make(t, 3);
    for number in 0..3 {
        broker.fill(t, number, numbers(100));
    }
    let mut one = member(&broker, &[t], &[]);
    let stream = BatchStream::new(BatchOptions {
        max_records: 70,
        until: Until::End,
        ..BatchOptions::default()
    })
    .unwrap();
    let mut read = 0;
    while let Some(batch) = broker.wait(one.next_batch(&stream)).unwrap() {
        read += batch.len();
    }
    assert_eq!(read, 300);
    // The end was requested, so all records are finished.
    broker.wait(one.close());
    let mut two = member(&broker, &[t], &[]);
    poll_until_shared(&broker, &mut [&mut two], &[3]);
    assert!(
        broker
            .wait(two.lag())
            .unwrap()
            .values()
            .all(|lag| *lag == 0)
    );
}

#[behaviour]
fn seeking_goes_there_within_the_assignment(target: Target) {
    let broker = start(target);
    let t = broker.name("t");
    broker.make(t, 1);
    broker.fill(t, 0, numbers(10));
    let mut one = member(&broker, &[t], &[]);
    poll_until_read(&broker, &mut one, 10);
    broker
        .wait(one.seek(&Position::Offset(Offset::new(8)), &[]))
        .unwrap();
    assert_eq!(poll_until_read(&broker, &mut one, 2), ["8", "9"]);
}

#[behaviour]
fn without_a_committed_offset_and_without_a_rule_polling_fails(target: Target) {
    let broker = start(target);
    let t = broker.name("t");
    broker.make(t, 1);
    broker.fill(t, 0, numbers(5));
    let mut one = member(&broker, &[t], &[("auto.offset.reset", "none")]);
    let deadline = Instant::now() + PATIENCE;
    let error = loop {
        match broker.wait(one.poll(MOMENT, None)) {
            Ok(_) => assert!(Instant::now() < deadline),
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), ErrorKind::OffsetOutOfRange);
    let at = BTreeMap::from([(broker.partition(0), Offset::new(3))]);
    broker.wait(one.commit(Some(at))).unwrap();
    assert_eq!(poll_until_read(&broker, &mut one, 2), ["3", "4"]);
}
