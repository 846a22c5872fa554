//! A cluster in memory for tests. Each node answers only for the partitions and groups that it leads or coordinates. A
//! test can make it refuse requests, lose requests and answers, delay them, or lag behind.

mod admin;
mod connection;
mod fetch;
mod groups;
mod logs;
mod metadata;
mod offsets;
mod produce;
mod producer_states;
pub(crate) mod reading;
mod releases;
mod sessions;
mod state;
mod throttle;
mod wire;

use std::sync::{Arc, Mutex, MutexGuard};

use headwater_client::{
    BrokerAddress, Client, ClientConfig, Lane, ProducerConfig, Purpose, Transport, TransportError,
    TransportErrorKind,
};
use headwater_protocol::{ErrorCode, InitProducerIdResponse, Request, Response};
use headwater_record::{DecompressLimit, RecordBatch};

use connection::{Connection, FakeLane};

pub(crate) use releases::Release;
pub(crate) use sessions::SeenFetch;
pub(crate) use state::{Call, Fault, State};

/// The node that answers requests for any node.
const FIRST: i32 = 1;

#[derive(Debug)]
pub(crate) struct FakeCluster {
    state: Mutex<State>,
}

impl FakeCluster {
    /// One broker with one topic.
    pub(crate) fn with_topic(name: &str, partitions: i32) -> Arc<Self> {
        Self::with_nodes(1, name, partitions)
    }

    /// Brokers 1 to `nodes` with one topic, whose partitions they lead in turns.
    pub(crate) fn with_nodes(nodes: i32, name: &str, partitions: i32) -> Arc<Self> {
        let mut state = State::new(nodes);
        state.add_topic(name, partitions);
        Arc::new(Self {
            state: Mutex::new(state),
        })
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(crate) fn fail_next(&self, faults: impl IntoIterator<Item = Fault>) {
        self.state().produce_faults.extend(faults);
    }

    /// The values in a partition, in order, with their offsets.
    pub(crate) fn values(&self, topic: &str, partition: i32) -> Vec<(i64, Vec<u8>)> {
        let state = self.state();
        let mut values = Vec::new();
        for batch in state
            .logs
            .get(&(topic.to_owned(), partition))
            .into_iter()
            .flatten()
        {
            let batch = RecordBatch::parse(batch.clone()).unwrap();
            batch.verify_crc().unwrap();
            for record in &batch.records(DecompressLimit::default()).unwrap() {
                let record = record.unwrap();
                values.push((
                    record.offset.get(),
                    record.value.unwrap_or_default().to_vec(),
                ));
            }
        }
        values
    }

    /// The nodes that got a request of this API, in order.
    pub(crate) fn asked(&self, api: &str) -> Vec<i32> {
        let state = self.state();
        let calls = state.calls.iter().filter(|call| call.api == api);
        calls.map(|call| call.node).collect()
    }

    /// Whether the client has passed the address of this node to its transport.
    fn has_address(&self, node: i32) -> bool {
        let state = self.state();
        state.learned.iter().any(|broker| broker.id == node)
    }

    fn is_away(&self) -> bool {
        let mut state = self.state();
        let away = state.away > 0;
        state.away = state.away.saturating_sub(1);
        away
    }

    async fn look_up(&self) {
        let takes = self.state().lookup_takes;
        tokio::time::sleep(takes).await;
    }

    fn init_producer_id(&self) -> InitProducerIdResponse {
        let mut state = self.state();
        state.producers += 1;
        InitProducerIdResponse {
            producer_id: 41 + state.producers,
            producer_epoch: 0,
            ..Default::default()
        }
    }

    async fn answer(
        &self,
        node: i32,
        request: Request,
        version: i16,
        connection: &Connection,
    ) -> Result<Response, TransportError> {
        let api = request.api_key().name();
        self.state().calls.push(Call { node, api, version });
        if self.state().is_silent {
            std::future::pending::<()>().await;
        }
        match request {
            Request::Metadata(request) => Ok(self.metadata(node, &request).await.into()),
            Request::InitProducerId(_) => Ok(self.init_producer_id().into()),
            Request::Produce(request) => self.produce_in_order(node, request, connection).await,
            Request::Fetch(request) => Ok(self.fetch(node, request).await.into()),
            Request::ListOffsets(request) => {
                self.look_up().await;
                Ok(self.list_offsets(node, &request).await.into())
            }
            Request::OffsetCommit(request) => {
                let takes = self.state().commit_takes;
                tokio::time::sleep(takes).await;
                Ok(self.commit_offsets(node, &request).into())
            }
            Request::OffsetFetch(request) => {
                self.look_up().await;
                Ok(self.committed_offsets(node, &request).into())
            }
            Request::OffsetForLeaderEpoch(request) => {
                Ok(self.offsets_for_leader_epochs(node, &request).into())
            }
            Request::ConsumerGroupHeartbeat(request) => Ok(self.heartbeat(&request).into()),
            Request::ConsumerGroupDescribe(_) => Ok(self.describe_group().into()),
            request => self.answer_admin(node, request),
        }
    }
}

impl Transport for FakeCluster {
    fn lane(self: Arc<Self>, _: Purpose, config: &ClientConfig) -> Arc<dyn Lane> {
        let mut state = self.state();
        state.client_ids.push(config.client_id.clone());
        state.request_timeouts.push(config.request_timeout);
        drop(state);
        Arc::new(FakeLane::new(self))
    }

    fn learn(&self, brokers: &[BrokerAddress]) {
        self.state().learned = brokers.to_vec();
    }
}

/// The code for a request that another node is responsible for.
fn not_here(is_here: bool, code: ErrorCode) -> i16 {
    if is_here { 0 } else { code.code() }
}

fn lost(sent: bool) -> TransportError {
    TransportError {
        reason: "The connection broke".to_owned(),
        sent,
        kind: TransportErrorKind::Unreachable,
    }
}

/// A client on `cluster`, and its runtime.
pub(crate) fn client(cluster: &Arc<FakeCluster>) -> (tokio::runtime::Runtime, Client) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_time()
        .build()
        .unwrap();
    let config =
        ClientConfig::parse([("retry.backoff.ms", "1"), ("retry.backoff.max.ms", "2")]).unwrap();
    let client = Client::new(
        Arc::clone(cluster) as Arc<dyn Transport>,
        runtime.handle().clone(),
        config,
    );
    (runtime, client)
}

/// The configuration of a producer that retries at once and lingers for ever, so that nothing happens by itself.
pub(crate) fn config(pairs: &[(&str, &str)]) -> ProducerConfig {
    let fixed = [
        ("retry.backoff.ms", "1"),
        ("retry.backoff.max.ms", "2"),
        ("linger.ms", "60000"),
    ];
    ProducerConfig::parse(fixed.iter().chain(pairs).copied()).unwrap()
}
