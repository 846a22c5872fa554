//! Positions, lag and commits count the records that were handed out, also within a table.

use std::collections::BTreeMap;

use headwater_client::{DecodeOptions, ErrorKind, Position};
use headwater_columnar::{Column, Projection};
use headwater_record::Offset;

use super::{
    LONG, TOPIC, at, consumer, idle, next_batch, next_message, partition, places, run, stream,
};
use crate::support::FakeCluster;

#[test]
fn positions_and_lag_count_the_messages_that_were_handed_out() {
    let cluster = FakeCluster::with_topic(TOPIC, 2);
    cluster.state().append(TOPIC, 0, &[10]);
    cluster.state().append(TOPIC, 1, &[10]);
    run(&cluster, async |client| {
        let mut consumer = consumer(&client, &[]).await;
        for read in 0..=20 {
            let (first, second) = (read.min(10), (read - 10).max(0));
            assert_eq!(consumer.position().await.unwrap(), at(&[first, second]));
            assert_eq!(consumer.consumed(), at(&[first, second]));
            let lag = BTreeMap::from([
                (partition(0), 10 - first as u64),
                (partition(1), 10 - second as u64),
            ]);
            assert_eq!(consumer.lag().await.unwrap(), lag);
            if read < 20 {
                let expected = if read < 10 { (0, first) } else { (1, second) };
                assert_eq!(next_message(&mut consumer).await, expected);
            }
        }
    });
}

#[test]
fn a_poll_after_messages_continues_after_the_last_of_them() {
    let cluster = FakeCluster::with_topic(TOPIC, 1);
    cluster.state().append(TOPIC, 0, &[10]);
    run(&cluster, async |client| {
        let mut consumer = consumer(&client, &[]).await;
        for offset in 0..3 {
            assert_eq!(next_message(&mut consumer).await, (0, offset));
        }
        let batch = consumer.poll(LONG, Some(2)).await.unwrap();
        assert_eq!(
            (places(&batch), &batch.next_offsets),
            (vec![(0, 3), (0, 4)], &at(&[5]))
        );
        assert_eq!(next_message(&mut consumer).await, (0, 5));
        let rest = next_batch(&mut consumer, &stream(100)).await;
        assert_eq!((rest.len(), rest.next_offsets), (4, at(&[10])));
    });
}

#[test]
fn a_pause_within_a_table_leaves_the_rest_for_later() {
    let cluster = FakeCluster::with_topic(TOPIC, 2);
    cluster.state().append(TOPIC, 0, &[10]);
    cluster.state().append(TOPIC, 1, &[10]);
    run(&cluster, async |client| {
        let mut consumer = consumer(&client, &[]).await;
        for offset in 0..3 {
            assert_eq!(next_message(&mut consumer).await, (0, offset));
        }
        consumer.pause(&[partition(0)]).unwrap();
        assert_eq!(next_message(&mut consumer).await, (1, 0));
        consumer.pause(&[partition(1)]).unwrap();
        consumer.resume(&[partition(0)]).unwrap();
        assert_eq!(next_message(&mut consumer).await, (0, 3));
        assert_eq!(consumer.consumed(), at(&[4, 1]));
    });
}

#[test]
fn a_seek_within_a_table_moves_only_one_partition() {
    let cluster = FakeCluster::with_topic(TOPIC, 2);
    cluster.state().append(TOPIC, 0, &[10]);
    cluster.state().append(TOPIC, 1, &[10]);
    run(&cluster, async |client| {
        let mut consumer = consumer(&client, &[]).await;
        for _ in 0..12 {
            next_message(&mut consumer).await;
        }
        let to = Position::Offset(Offset::new(7));
        consumer.seek(&to, &[partition(0)]).await.unwrap();
        assert_eq!(consumer.consumed(), at(&[7, 2]));
        let mut rest = Vec::new();
        for _ in 0..11 {
            rest.push(next_message(&mut consumer).await);
        }
        rest.sort_unstable();
        let expected: Vec<_> = (7..10)
            .map(|at| (0, at))
            .chain((2..10).map(|at| (1, at)))
            .collect();
        assert_eq!(rest, expected);
    });
}

#[test]
fn topics_are_assigned_at_the_first_use() {
    let cluster = FakeCluster::with_topic(TOPIC, 1);
    cluster.state().append(TOPIC, 0, &[10]);
    run(&cluster, async |client| {
        let mut consumer = idle(&client, &[]);
        consumer.assign_topics_at_first_use(vec![TOPIC.to_owned()]);
        assert!(consumer.assignment().is_empty() && cluster.asked("Metadata").is_empty());
        assert_eq!(next_message(&mut consumer).await, (0, 0));
        assert_eq!(consumer.assignment(), [partition(0)]);

        let mut positions = idle(&client, &[]);
        positions.assign_topics_at_first_use(vec![TOPIC.to_owned()]);
        assert_eq!(positions.position().await.unwrap(), at(&[0]));

        let mut unsubscribed = idle(&client, &[]);
        unsubscribed.assign_topics_at_first_use(vec![TOPIC.to_owned()]);
        unsubscribed.unsubscribe().await.unwrap();
        let error = unsubscribed.poll(LONG, None).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
    });
}

#[test]
fn without_position_columns_tables_are_exact_and_messages_are_refused() {
    let cluster = FakeCluster::with_topic(TOPIC, 1);
    cluster.state().append(TOPIC, 0, &[10_000]);
    run(&cluster, async |client| {
        let mut consumer = consumer(&client, &[]).await;
        let values = DecodeOptions {
            columns: Projection::of(&[Column::Value]),
            ..DecodeOptions::default()
        };
        consumer.decode_as(values).unwrap();
        // Two tables, the second of which is decoded ahead.
        assert_eq!(next_batch(&mut consumer, &stream(5_000)).await.len(), 5_000);
        let batch = consumer.poll(LONG, Some(7)).await.unwrap();
        assert_eq!((batch.len(), batch.next_offsets), (7, at(&[5_007])));
        let error = consumer.next_message().await.map(drop).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
        assert_eq!(consumer.consumed(), at(&[5_007]));
    });
}
