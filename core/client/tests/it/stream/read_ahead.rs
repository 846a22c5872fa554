//! While the caller works on a large table, the next one is decoded; it is dropped if it becomes invalid meanwhile.

use headwater_client::Position;
use headwater_record::Offset;

use super::{TOPIC, at, consumer, next_batch, next_message, partition, places, run, stream};
use crate::support::FakeCluster;

/// Two tables of the stream.
const TABLE: usize = 5_000;

#[test]
fn the_tables_of_a_stream_are_read_ahead_and_in_order() {
    let cluster = FakeCluster::with_topic(TOPIC, 1);
    cluster.state().append(TOPIC, 0, &[TABLE; 6]);
    run(&cluster, async |client| {
        let mut consumer = consumer(&client, &[]).await;
        let stream = stream(TABLE);
        for table in 0..6 {
            let batch = next_batch(&mut consumer, &stream).await;
            let first = table * TABLE as i64;
            assert_eq!((batch.len(), places(&batch)[0]), (TABLE, (0, first)));
            // Reading ahead moves no position.
            assert_eq!(consumer.consumed(), at(&[first + TABLE as i64]));
            // The runtime decodes the table meanwhile.
            tokio::task::yield_now().await;
        }
    });
}

#[test]
fn a_seek_drops_records_read_ahead() {
    let cluster = FakeCluster::with_topic(TOPIC, 1);
    cluster.state().append(TOPIC, 0, &[TABLE; 3]);
    run(&cluster, async |client| {
        let mut consumer = consumer(&client, &[]).await;
        let stream = stream(TABLE);
        next_batch(&mut consumer, &stream).await;
        let to = Position::Offset(Offset::new(3));
        consumer.seek(&to, &[]).await.unwrap();
        let batch = next_batch(&mut consumer, &stream).await;
        assert_eq!(places(&batch)[0], (0, 3));
    });
}

#[test]
fn records_read_ahead_are_dropped_with_their_partitions() {
    let cluster = FakeCluster::with_nodes(2, TOPIC, 2);
    cluster.state().append(TOPIC, 0, &[TABLE; 2]);
    cluster.state().append(TOPIC, 1, &[TABLE; 2]);
    run(&cluster, async |client| {
        let mut consumer = consumer(&client, &[]).await;
        let stream = stream(TABLE);
        let batch = next_batch(&mut consumer, &stream).await;
        let gone = places(&batch)[0].0;
        let stays = 1 - gone;
        consumer.assign(vec![partition(stays)]).await.unwrap();
        let mut read = Vec::new();
        while read.len() < 2 * TABLE {
            read.extend(places(&next_batch(&mut consumer, &stream).await));
        }
        let expected: Vec<_> = (0..2 * TABLE as i64)
            .map(|offset| (stays, offset))
            .collect();
        assert!(read == expected, "{:?}", &read[..3]);
    });
}

#[test]
fn messages_after_tables_use_records_read_ahead() {
    let cluster = FakeCluster::with_topic(TOPIC, 1);
    cluster.state().append(TOPIC, 0, &[TABLE; 2]);
    run(&cluster, async |client| {
        let mut consumer = consumer(&client, &[]).await;
        next_batch(&mut consumer, &stream(TABLE)).await;
        for offset in 0..TABLE as i64 {
            assert_eq!(
                next_message(&mut consumer).await,
                (0, TABLE as i64 + offset)
            );
        }
    });
}

/// Records that were handed out count until the caller requests more.
#[test]
fn all_fetched_bytes_stay_within_one_budget() {
    let cluster = FakeCluster::with_nodes(3, TOPIC, 3);
    for number in 0..3 {
        cluster.state().append(TOPIC, number, &[500; 40]);
    }
    let batch_bytes = cluster.state().logs.values().next().unwrap()[0].len();
    let budget = batch_bytes * 20;
    run(&cluster, async |client| {
        let limit = budget.to_string();
        let mut consumer = consumer(&client, &[("fetch.max.bytes", limit.as_str())]).await;
        let options = headwater_client::BatchOptions {
            max_records: TABLE,
            max_bytes: budget,
            max_wait: std::time::Duration::ZERO,
            ..Default::default()
        };
        let stream = headwater_client::BatchStream::new(options).unwrap();
        let mut read = 0;
        while read < 60_000 {
            read += next_batch(&mut consumer, &stream).await.len();
            let fetched = cluster.state().fetched_records;
            // A fetch returns at least one whole batch.
            assert!(
                (fetched - read) <= 500 * (20 + 3),
                "{fetched} fetched, {read} read"
            );
        }
    });
}
