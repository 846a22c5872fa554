//! Records that wait for space in the buffer of a producer.

use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;

use headwater_client::Record;

use crate::support::{FakeCluster, client, config};

const TOPIC: &str = "t";
const LONG: Duration = Duration::from_secs(10);

/// The records that took the space linger for a minute.
#[test]
fn a_record_that_waits_for_space_sends_the_records_that_have_taken_it_meanwhile() {
    let cluster = FakeCluster::with_topic(TOPIC, 3);
    let (runtime, client) = client(&cluster);
    let producer = client.producer(config(&[("batch.size", "1000"), ("buffer.memory", "2000")]));
    let record = |partition: i32| Record::new(TOPIC, b"v").partition(partition);
    runtime.block_on(async {
        let taken = [0, 1].map(record);
        for record in &taken {
            producer.send(record).await.unwrap().send_now();
        }
        for record in &taken {
            drop(producer.send(record).await.unwrap());
        }
        let waiting = record(2);
        let mut waiting = pin!(producer.send(&waiting));
        let mut context = Context::from_waker(Waker::noop());
        cluster.state().produce_takes = Duration::from_millis(20);
        assert!(waiting.as_mut().poll(&mut context).is_pending());
        // Others are faster when the space is free again.
        for record in &taken {
            let handle = loop {
                match producer.try_send(record) {
                    Ok(handle) => break handle,
                    Err(_) => tokio::time::sleep(Duration::from_millis(1)).await,
                }
            };
            drop(handle);
        }
        let sent = tokio::time::timeout(LONG, waiting).await;
        drop(sent.expect("the others are sent").unwrap());
    });
}
