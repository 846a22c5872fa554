//! Members that read large tables and messages, and the handling of records that were read ahead.

use std::collections::BTreeMap;
use std::time::Instant;

use headwater::{BatchOptions, BatchStream, Consumer, Event, Operation, Rebalance};
use headwater_behaviour_macro::behaviour;

use super::{MOMENT, PATIENCE, member, numbers, poll_until_shared, start};
use crate::consume::until_end;
use crate::table::{offsets, partitions};
use crate::target::{RunningBroker, Target};

const RECORDS: usize = 30_000;

/// The records that both members have read, by partition, in reading order.
type ReadRecords = BTreeMap<i32, Vec<i64>>;

fn next_batch(
    broker: &RunningBroker,
    consumer: &mut Consumer,
    stream: &BatchStream,
    read: &mut ReadRecords,
) {
    let next = Operation::NextBatch(stream.clone());
    let waited = async { tokio::time::timeout(MOMENT, consumer.next_event(&next)).await };
    // A cancelled call has handed out nothing.
    let Ok(event) = broker.wait(waited) else {
        return;
    };
    match event.unwrap() {
        Event::Batch(batch) => {
            for (partition, offset) in partitions(&batch).into_iter().zip(offsets(&batch)) {
                read.entry(partition).or_default().push(offset);
            }
        }
        Event::Rebalance(_) => {}
        event => panic!("{event:?}"),
    }
}

#[behaviour]
fn records_read_ahead_of_partitions_that_go_are_read_by_their_new_owner(
    target: Target,
    #[values("range", "cooperative-sticky")] strategy: &str,
) {
    let broker = start(target);
    let t = broker.name("t");
    broker.make(t, 2);
    broker.fill(t, 0, numbers(RECORDS));
    broker.fill(t, 1, numbers(RECORDS));
    let pairs = [("partition.assignment.strategy", strategy)];
    let stream = BatchStream::new(BatchOptions {
        max_records: 5_000,
        ..BatchOptions::default()
    })
    .unwrap();
    let mut one = member(&broker, &[t], &pairs);
    let mut read = ReadRecords::new();
    let deadline = Instant::now() + PATIENCE;
    while read.is_empty() {
        next_batch(&broker, &mut one, &stream, &mut read);
        assert!(Instant::now() < deadline);
    }
    // It has read one table, and the next one is decoded while the other member joins.
    let mut two = member(&broker, &[t], &pairs);
    while read.values().map(Vec::len).sum::<usize>() < 2 * RECORDS
        || (one.assignment().len(), two.assignment().len()) != (1, 1)
    {
        next_batch(&broker, &mut two, &stream, &mut read);
        next_batch(&broker, &mut one, &stream, &mut read);
        assert!(Instant::now() < deadline, "{:?}", read.keys());
    }
    let all: Vec<_> = (0..RECORDS as i64).collect();
    let exact = read.values().all(|offsets| *offsets == all);
    assert!(exact, "each record once, in order");
}

#[behaviour]
fn a_member_that_leaves_reports_its_partitions_once_and_may_commit(
    target: Target,
    #[values(Operation::Close, Operation::Unsubscribe)] leave: Operation,
) {
    let broker = start(target);
    let t = broker.name("t");
    broker.make(t, 1);
    broker.fill(t, 0, numbers(10));
    let mut one = member(&broker, &[t], &[]);
    for _ in 0..4 {
        broker
            .wait(async { one.next_message().await.map(drop) })
            .unwrap();
    }
    let mut reported = Vec::new();
    while let Event::Rebalance(rebalance) = broker.wait(one.next_event(&leave)).unwrap() {
        reported.push(rebalance);
        let committed = broker.wait(one.committed(&[broker.partition(0)])).unwrap();
        // The messages before the last one are finished.
        assert_eq!(committed[&broker.partition(0)].get(), 3);
        broker.wait(one.commit(None)).unwrap();
    }
    assert_eq!(reported, [Rebalance::Revoked(vec![broker.partition(0)])]);
    let other = broker.consumer(super::config(&broker, &[]));
    let committed = broker
        .wait(other.committed(&[broker.partition(0)]))
        .unwrap();
    assert_eq!(committed[&broker.partition(0)].get(), 4);
}

#[behaviour]
fn a_member_gives_partitions_up_in_the_middle_of_the_messages_of_a_table(target: Target) {
    let broker = start(target);
    let t = broker.name("t");
    broker.make(t, 2);
    broker.fill(t, 0, numbers(RECORDS));
    broker.fill(t, 1, numbers(RECORDS));
    let mut one = member(&broker, &[t], &[]);
    let mut two = member(&broker, &[t], &[]);
    broker
        .wait(async { one.next_message().await.map(drop) })
        .unwrap();
    let mut read = 1;
    let deadline = Instant::now() + PATIENCE;
    while two.assignment().is_empty() {
        for _ in 0..300 {
            let next = async {
                tokio::time::timeout(MOMENT, one.next_message())
                    .await
                    .is_ok()
            };
            read += usize::from(broker.wait(next));
        }
        broker.wait(two.poll(5 * MOMENT, Some(1))).unwrap();
        assert!(Instant::now() < deadline);
    }
    assert!(read < RECORDS, "{read} messages before the rebalance");
}

/// Another member has all partitions when it joins, and releases them one rebalance before it gets them.
#[behaviour]
fn a_stream_to_the_end_of_a_new_member_reads_the_partitions_that_move_to_it(
    target: Target,
    #[values("range", "cooperative-sticky")] strategy: &str,
) {
    let broker = start(target);
    let t = broker.name("t");
    broker.make(t, 2);
    let pairs = [("partition.assignment.strategy", strategy)];
    let mut one = member(&broker, &[t], &pairs);
    poll_until_shared(&broker, &mut [&mut one], &[2]);
    let mut two = member(&broker, &[t], &pairs);
    for partition in 0..2 {
        one.pause(&[broker.partition(partition)]).unwrap();
        broker.fill(t, partition, numbers(10));
    }
    let stream = until_end(100);
    let to_the_end = async {
        let mut read = 0;
        while let Some(batch) = two.next_batch(&stream).await.unwrap() {
            read += batch.len();
        }
        read
    };
    let polling = async {
        loop {
            one.poll(MOMENT, None).await.unwrap();
        }
    };
    let read = broker.wait(async {
        tokio::select! {
            read = tokio::time::timeout(PATIENCE, to_the_end) => read.unwrap(),
            () = polling => unreachable!("it polls for ever"),
        }
    });
    assert_eq!((read, two.assignment().len()), (10, 1));
}
