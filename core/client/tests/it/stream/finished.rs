//! Auto-commit commits finished records: those that were handed out before the caller requested more.

use headwater_client::{Client, Consumer, Event, Operation};

use super::{LONG, TOPIC, at, idle, next_batch, next_message, partition, run, stream};
use crate::support::FakeCluster;

/// A consumer with a group and manually assigned partitions.
async fn consumer(client: &Client, interval: &str) -> Consumer {
    let pairs = [("group.id", "g"), ("auto.commit.interval.ms", interval)];
    let mut consumer = idle(client, &pairs);
    consumer.assign(vec![partition(0)]).await.unwrap();
    consumer
}

fn committed(cluster: &FakeCluster) -> Option<i64> {
    let state = cluster.state();
    let committed = state.committed.get(&(TOPIC.to_owned(), 0));
    committed.map(|(offset, _)| *offset)
}

#[test]
fn a_message_in_progress_is_not_committed() {
    let cluster = FakeCluster::with_topic(TOPIC, 1);
    cluster.state().append(TOPIC, 0, &[10]);
    run(&cluster, async |client| {
        let mut consumer = consumer(&client, "60000").await;
        for _ in 0..4 {
            next_message(&mut consumer).await;
        }
        consumer.close().await;
        assert_eq!(committed(&cluster), Some(3));
    });
}

#[test]
fn a_table_in_progress_is_not_committed() {
    let cluster = FakeCluster::with_topic(TOPIC, 1);
    cluster.state().append(TOPIC, 0, &[10]);
    run(&cluster, async |client| {
        let mut consumer = consumer(&client, "60000").await;
        consumer.poll(LONG, Some(4)).await.unwrap();
        consumer.poll(LONG, Some(3)).await.unwrap();
        consumer.close().await;
        assert_eq!(committed(&cluster), Some(4));
    });
}

#[test]
fn a_message_in_progress_is_committed_on_request() {
    let cluster = FakeCluster::with_topic(TOPIC, 1);
    cluster.state().append(TOPIC, 0, &[10]);
    run(&cluster, async |client| {
        let mut consumer = consumer(&client, "60000").await;
        for _ in 0..4 {
            next_message(&mut consumer).await;
        }
        consumer.commit(None).await.unwrap();
        assert_eq!(committed(&cluster), Some(4));
        consumer.close().await;
        assert_eq!(committed(&cluster), Some(4));
    });
}

#[test]
fn a_pause_or_a_new_assignment_does_not_finish_the_message_in_progress() {
    let cluster = FakeCluster::with_topic(TOPIC, 2);
    cluster.state().append(TOPIC, 0, &[10]);
    run(&cluster, async |client| {
        let mut consumer = consumer(&client, "60000").await;
        for _ in 0..4 {
            next_message(&mut consumer).await;
        }
        consumer.pause(&[]).unwrap();
        consumer.assign(vec![partition(1)]).await.unwrap();
        assert_eq!(committed(&cluster), Some(3));
    });
}

#[test]
fn messages_are_committed_at_the_interval_while_a_table_is_iterated() {
    let cluster = FakeCluster::with_topic(TOPIC, 1);
    cluster.state().append(TOPIC, 0, &[1_000]);
    run(&cluster, async |client| {
        let mut consumer = consumer(&client, "0").await;
        for _ in 0..900 {
            next_message(&mut consumer).await;
            tokio::task::yield_now().await;
        }
        // Every 256th message counts as a poll.
        assert!(
            committed(&cluster) >= Some(500),
            "{:?}",
            committed(&cluster)
        );
        assert!(committed(&cluster) < Some(900));
    });
}

#[test]
fn records_taken_back_are_not_committed() {
    let cluster = FakeCluster::with_topic(TOPIC, 1);
    cluster.state().append(TOPIC, 0, &[10]);
    run(&cluster, async |client| {
        let mut consumer = consumer(&client, "0").await;
        consumer.poll(LONG, Some(4)).await.unwrap();
        next_batch(&mut consumer, &stream(3)).await;
        consumer.take_back();
        assert_eq!(consumer.consumed(), at(&[4]));
        consumer.commit(None).await.unwrap();
        assert_eq!(committed(&cluster), Some(4));
        // They are handed out again.
        assert_eq!(next_message(&mut consumer).await, (0, 4));
        consumer.close().await;
        assert_eq!(committed(&cluster), Some(4));
    });
}

#[test]
fn leaving_twice_is_allowed() {
    let cluster = FakeCluster::with_topic(TOPIC, 1);
    cluster.state().append(TOPIC, 0, &[10]);
    run(&cluster, async |client| {
        let mut consumer = consumer(&client, "60000").await;
        next_message(&mut consumer).await;
        for _ in 0..2 {
            let left = consumer.next_event(&Operation::Close).await.unwrap();
            assert!(matches!(left, Event::Left));
        }
        assert!(consumer.next_event(&Operation::Unsubscribe).await.is_err());
        assert!(consumer.ready_message().is_err());
    });
}
