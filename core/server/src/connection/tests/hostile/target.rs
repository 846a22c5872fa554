//! A broker behind connections over in-memory pipes.

use std::path::Path;

use headwater_broker::Broker;
use headwater_env::SimEnv;
use headwater_metadata::BrokerConfig;
use headwater_protocol::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use headwater_protocol::fetch_request::{FetchPartition, FetchTopic};
use headwater_protocol::{CreateTopicsRequest, CreateTopicsResponse};
use headwater_record::{DecompressLimit, batches};

use super::line::Line;
use super::*;
use crate::sasl::{Decoy, Mechanism};

/// The partitions of the requests' topics.
const PARTITIONS: [(&str, i32); 4] = [("t", 0), ("t", 1), ("t", 2), ("compacted", 0)];

/// A broker and the state that its connections share.
pub(super) struct Target<H = Broker<SimEnv>> {
    handler: H,
    env: SimEnv,
    memory: Arc<RequestMemory>,
    decoy: Arc<Decoy>,
    mechanisms: Option<Arc<[Mechanism]>>,
}

pub(super) fn broker(env: &SimEnv) -> Broker<SimEnv> {
    let keys = [("offsets.topic.num.partitions", "2")];
    let config = BrokerConfig::parse(keys).unwrap();
    Broker::open(env.clone(), Path::new("/data"), config)
        .unwrap()
        .0
}

impl Target {
    /// A broker without authentication.
    pub(super) fn new() -> Self {
        let env = SimEnv::new(1);
        Self::over(broker(&env), env, None)
    }

    /// Creates the topics of the requests. Returns the id of one of them.
    pub(super) async fn topic_id(&self) -> [u8; 16] {
        let compact = CreatableTopicConfig {
            name: "cleanup.policy".into(),
            value: Some("compact".into()),
            ..Default::default()
        };
        let topic = |name: &str, num_partitions, configs| CreatableTopic {
            name: name.into(),
            num_partitions,
            replication_factor: 1,
            configs,
            ..Default::default()
        };
        let request = CreateTopicsRequest {
            topics: vec![topic("t", 3, vec![]), topic("compacted", 1, vec![compact])],
            ..Default::default()
        };
        let context = RequestContext::default();
        let response = Broker::handle(&self.handler, &context, request.into()).await;
        let response = CreateTopicsResponse::try_from(response).unwrap();
        response.topics[0].topic_id.into_bytes()
    }

    /// Advances the broker's clock.
    pub(super) fn wait(&self, random: &mut Random) {
        let seconds = [1, 60, 3_600, 86_400 * 8][random.below(4)];
        self.env.advance(Duration::from_secs(seconds));
        self.handler.housekeeping();
    }

    /// Checks that a good client is served and the records are intact.
    pub(super) async fn is_unharmed(&self) {
        for (topic, partition) in PARTITIONS {
            self.is_sound(topic, partition).await;
        }
        self.serves_a_good_client().await;
    }

    async fn is_sound(&self, topic: &str, partition: i32) {
        let partition = FetchPartition {
            partition,
            current_leader_epoch: -1,
            partition_max_bytes: i32::MAX,
            ..Default::default()
        };
        let topic = FetchTopic {
            topic: topic.into(),
            partitions: vec![partition],
            ..Default::default()
        };
        let request = FetchRequest {
            max_bytes: i32::MAX,
            topics: vec![topic],
            ..Default::default()
        };
        let context = RequestContext::default();
        let response = Broker::handle(&self.handler, &context, request.into()).await;
        let response = FetchResponse::try_from(response).unwrap();
        let partition = &response.responses[0].partitions[0];
        for batch in batches(&partition.records.clone().unwrap_or_default()) {
            let batch = batch.unwrap();
            batch.verify_crc().unwrap();
            let records = batch.records(DecompressLimit::default()).unwrap();
            assert_eq!(
                records.iter().flatten().count(),
                records.count(),
                "{batch:?}"
            );
        }
    }
}

impl<H: Handler> Target<H> {
    pub(super) fn over(handler: H, env: SimEnv, mechanisms: Option<Arc<[Mechanism]>>) -> Self {
        Self {
            handler,
            env,
            memory: Arc::new(RequestMemory::new(1 << 30)),
            decoy: Arc::new(Decoy::new()),
            mechanisms,
        }
    }

    /// Opens a connection. A deaf client does not read it.
    pub(super) fn connect(&self, is_deaf: bool) -> Line {
        let decoy = Arc::clone(&self.decoy);
        let session = match &self.mechanisms {
            None => Session::not_required(decoy),
            Some(mechanisms) => Session::required(Arc::clone(mechanisms), decoy),
        };
        let dispatch = Dispatch::new(
            self.handler.clone(),
            Arc::clone(&self.memory),
            Listener::default(),
            Arc::from("test"),
            session,
        );
        let (client, theirs) = duplex(PIPE_BYTES);
        let connection = Connection::new(
            theirs,
            dispatch,
            Arc::new(bounds(Limits::default())),
            Arc::clone(&self.memory),
            Box::pin(std::future::pending()),
        );
        Line::new(client, is_deaf, tokio::spawn(connection.run()))
    }

    /// Sends, and waits until all tasks wait. Checks the peak memory: `taken` bytes for each byte sent, and a constant.
    pub(super) async fn send(&self, line: &mut Line, bytes: &[u8], taken: (usize, usize)) {
        let start = allocator::Start::now();
        line.send(bytes).await;
        let peak = start.peak();
        let allowed = taken.0 * bytes.len() + taken.1;
        assert!(peak <= allowed, "{peak} bytes of memory for {bytes:?}");
    }

    pub(super) async fn serves_a_good_client(&self) {
        assert_eq!(self.memory.used(), 0, "memory was not released");
        let mut client = self.connect(false);
        let mut bytes = BytesMut::new();
        encode_request(
            &mut bytes,
            &ApiVersionsRequest::default().into(),
            3,
            7,
            None,
        )
        .unwrap();
        client.send(&bytes).await;
        assert_eq!(client.leave().await, 1, "a good client gets no response");
    }
}
