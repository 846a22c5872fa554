//! After a throttled response, a broker gets no request for the throttle time (KIP-219).

use std::sync::Arc;
use std::time::Duration;

use headwater_client::{Client, ClientConfig, Transport};
use tokio::time::Instant;

use crate::support::FakeCluster;

const TOPIC: &str = "t";

#[test]
fn the_next_request_to_the_broker_waits() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    let cluster = FakeCluster::with_topic(TOPIC, 1);
    let transport = Arc::clone(&cluster) as Arc<dyn Transport>;
    let handle = runtime.handle().clone();
    let client = Client::new(transport, handle, ClientConfig::default());
    cluster.state().throttles_ms.extend([7_000, 0]);
    let waited = runtime.block_on(async {
        let mut waited = Vec::new();
        for _ in 0..3 {
            let start = Instant::now();
            client.admin().topics(false).await.unwrap();
            waited.push(start.elapsed());
        }
        waited
    });
    let expected = [0, 7, 0].map(Duration::from_secs);
    assert_eq!(waited, expected);
}
