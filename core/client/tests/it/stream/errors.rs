//! Errors of fetches behind records that were already fetched.

use std::sync::Arc;
use std::time::Duration;

use headwater_client::{BatchOptions, BatchStream, ErrorKind};
use headwater_protocol::ErrorCode;

use crate::support::FakeCluster;
use crate::support::reading::Reading;

use super::{consumer, places, run};

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
