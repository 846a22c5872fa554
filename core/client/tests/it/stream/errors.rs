//! Errors of fetches behind records that were already fetched.

use std::sync::Arc;
use std::time::Duration;

use headwater_client::{BatchOptions, BatchStream, Consumer, ErrorKind, Position};
use headwater_protocol::ErrorCode;
use headwater_record::Offset;
use rstest::rstest;

use crate::support::FakeCluster;
use crate::support::reading::{Reading, TOPIC};

use super::{LONG, consumer, places, run, stream};

/// Five records in batches of one, of which each fetch returns one.
fn five_records() -> Arc<FakeCluster> {
    let reading = Reading::new(1, 1);
    for _ in 0..5 {
        reading.send(0);
    }
    Arc::clone(&reading.cluster)
}

const ONE_BATCH: (&str, &str) = ("max.partition.fetch.bytes", "1");

/// Refuses the fetches after the first.
async fn refuse_later_fetches(cluster: Arc<FakeCluster>, code: ErrorCode) {
    while cluster.state().fetched_records == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    cluster.state().fetch_faults.extend([code; 1_000]);
}

fn patient() -> BatchStream {
    BatchStream::new(BatchOptions {
        max_wait: Duration::from_millis(200),
        ..BatchOptions::default()
    })
    .unwrap()
}

#[test]
fn records_before_an_error_are_returned_first() {
    let cluster = five_records();
    cluster.state().fetch_takes = Duration::from_millis(20);
    run(&cluster, async |client| {
        let mut consumer = consumer(&client, &[ONE_BATCH]).await;
        tokio::spawn(refuse_later_fetches(
            Arc::clone(&cluster),
            ErrorCode::KafkaStorageError,
        ));
        let stream = patient();
        let batch = consumer.next_batch(&stream).await.unwrap().unwrap();
        assert_eq!(places(&batch), [(0, 0)]);
        let error = consumer.next_batch(&stream).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Storage);
        cluster.state().fetch_faults.clear();
        let batch = consumer.next_batch(&stream).await.unwrap().unwrap();
        assert_eq!(places(&batch)[0], (0, 1));
    });
}

/// Deletes records 0 to 3 when the first of them was fetched.
async fn delete_while_fetching(cluster: Arc<FakeCluster>) {
    while cluster.state().fetched_records == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    cluster.state().log_start = 4;
}

/// Appends a record when the offset of a fetch was out of range.
async fn append_later(cluster: Arc<FakeCluster>) {
    tokio::time::sleep(Duration::from_millis(100)).await;
    cluster.state().append(TOPIC, 0, &[1]);
}

/// The places of the records of the next table of a stream.
async fn read_next(consumer: &mut Consumer, stream: &BatchStream) -> Vec<(i32, i64)> {
    let next = consumer.next_batch(stream);
    let next = tokio::time::timeout(LONG, next).await;
    let batch = next.expect("there are records");
    places(&batch.unwrap().unwrap())
}

/// The offset of the second fetch is out of range, and the record of the first one is not handed out yet.
#[rstest]
#[case::earliest("earliest", 4)]
#[case::latest("latest", 5)]
fn records_before_an_offset_out_of_range_are_returned_first(
    #[case] reset: &str,
    #[case] next: i64,
) {
    let cluster = five_records();
    cluster.state().fetch_takes = Duration::from_millis(20);
    run(&cluster, async |client| {
        let reset = ("auto.offset.reset", reset);
        let mut consumer = consumer(&client, &[ONE_BATCH, reset]).await;
        consumer.seek(&Position::Earliest, &[]).await.unwrap();
        tokio::spawn(delete_while_fetching(Arc::clone(&cluster)));
        assert_eq!(read_next(&mut consumer, &patient()).await, [(0, 0)]);
        tokio::spawn(append_later(Arc::clone(&cluster)));
        // Does not wait for a fuller table: that time is not the paused clock's.
        assert_eq!(read_next(&mut consumer, &stream(100)).await, [(0, next)]);
    });
}

#[test]
fn an_offset_out_of_range_is_an_error_after_the_records_before_it() {
    let cluster = five_records();
    cluster.state().fetch_takes = Duration::from_millis(20);
    run(&cluster, async |client| {
        let none = ("auto.offset.reset", "none");
        let mut consumer = consumer(&client, &[ONE_BATCH, none]).await;
        consumer.seek(&Position::Earliest, &[]).await.unwrap();
        tokio::spawn(delete_while_fetching(Arc::clone(&cluster)));
        let stream = patient();
        assert_eq!(read_next(&mut consumer, &stream).await, [(0, 0)]);
        let error = consumer.next_batch(&stream).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::OffsetOutOfRange);
        assert_eq!(error.offset(), Some(Offset::new(1)));
    });
}
