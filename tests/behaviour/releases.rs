//! A client with brokers of several releases of Kafka: every request and response is encoded in the newest version that
//! the release supports, and the broker behaves according to that version.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use headwater_broker::{Broker, RequestContext};
use headwater_client::{
    BrokerAddress, CallFuture, Client, ClientConfig, Consumer, ConsumerConfig, ErrorKind, IfExists,
    Lane, NewTopic, Node, NodeVersions, Position, ProducerConfig, Purpose, Record, ScanOptions,
    ScramMechanism, ShapedRequest, Subscription, TopicChanges, TopicPartition, Transport,
    TransportError,
};
use headwater_env::MemoryEnv;
use headwater_metadata::BrokerConfig;
use headwater_protocol::{Decoder, ErrorCode, Request, Response};
use headwater_record::{Offset, PartitionId};
use rstest::rstest;
use tokio::runtime::Runtime;

#[path = "../../core/client/tests/it/support/releases.rs"]
mod kafka;

use kafka::Release;

/// Longer than any test takes.
const LONG: Duration = Duration::from_mins(1);
const MOMENT: Duration = Duration::from_millis(100);

/// A broker that supports the versions of a release.
#[derive(Debug)]
struct OldBroker {
    broker: Broker<MemoryEnv>,
    versions: NodeVersions,
}

impl OldBroker {
    async fn call_as_bytes(&self, request: Request) -> Result<Response, TransportError> {
        let shaped = ShapedRequest::new(request, &self.versions)?;
        let (api, version) = (shaped.request.api_key(), shaped.version);
        let mut bytes = BytesMut::new();
        shaped.request.encode(&mut bytes, version).unwrap();
        let mut decoder = Decoder::new(bytes.freeze());
        let arrived = Request::decode(api, &mut decoder, version).unwrap();
        decoder.finish().unwrap();
        let context = RequestContext {
            api_version: Some(version),
            ..RequestContext::default()
        };
        let response = self.broker.handle(&context, arrived).await;
        let mut bytes = BytesMut::new();
        response.encode(&mut bytes, version).unwrap();
        let mut decoder = Decoder::new(bytes.freeze());
        let response = Response::decode(api, &mut decoder, version).unwrap();
        decoder.finish().unwrap();
        Ok(shaped.restore(response))
    }
}

impl Transport for OldBroker {
    fn lane(self: Arc<Self>, _: Purpose, _: &ClientConfig) -> Arc<dyn Lane> {
        self
    }

    fn learn(&self, _: &[BrokerAddress]) {}
}

impl Lane for OldBroker {
    fn call(&self, _: Node, request: Request) -> CallFuture<'_> {
        Box::pin(self.call_as_bytes(request))
    }
}

/// A runtime, and a client on a broker of the release in it.
fn start(release: Release) -> (Runtime, Client) {
    let config = [
        ("group.initial.rebalance.delay.ms", "0"),
        ("group.min.session.timeout.ms", "100"),
    ];
    let config = BrokerConfig::parse(config).unwrap();
    let (broker, _) = Broker::open(MemoryEnv::new(), Path::new("/data"), config).unwrap();
    let runtime = Runtime::new().unwrap();
    broker.spawn_housekeeping(runtime.handle());
    let transport = OldBroker {
        broker,
        versions: release.versions(),
    };
    let client = Client::new(
        Arc::new(transport),
        runtime.handle().clone(),
        ClientConfig::default(),
    );
    (runtime, client)
}

fn create(runtime: &Runtime, client: &Client, partitions: i32) {
    let topic = NewTopic::new("t").partitions(partitions);
    runtime
        .block_on(client.admin().create_topic(topic))
        .unwrap();
}

fn send(client: &Client, partition: i32, count: usize) {
    let producer = client.producer(ProducerConfig::default());
    for _ in 0..count {
        let record = Record::new("t", b"value").partition(partition);
        producer.send_blocking(&record).unwrap().wait().unwrap();
    }
}

fn consumer(client: &Client, pairs: &[(&str, &str)]) -> Consumer {
    let fixed = [
        ("auto.offset.reset", "earliest"),
        ("heartbeat.interval.ms", "20"),
        ("fetch.max.wait.ms", "20"),
    ];
    client.consumer(ConsumerConfig::parse(fixed.iter().chain(pairs).copied()).unwrap())
}

/// Polls until `count` records have arrived.
fn read(runtime: &Runtime, consumer: &mut Consumer, count: usize) {
    let (mut read, start) = (0, Instant::now());
    while read < count {
        assert!(start.elapsed() < LONG, "{read} of {count} records");
        read += runtime.block_on(consumer.poll(MOMENT, None)).unwrap().len();
    }
    assert_eq!(read, count);
}

fn at(offset: i64) -> BTreeMap<TopicPartition, Offset> {
    BTreeMap::from([(TopicPartition::new("t", 0), Offset::new(offset))])
}

#[rstest]
fn topics_and_their_configuration_are_changed(
    #[values(Release::Kafka28, Release::Kafka33, Release::Kafka39, Release::Today)]
    release: Release,
) {
    let (runtime, client) = start(release);
    let admin = client.admin();
    create(&runtime, &client, 1);
    let again = NewTopic {
        if_exists: IfExists::Ignore,
        ..NewTopic::new("t")
    };
    runtime.block_on(admin.create_topic(again)).unwrap();
    let changes = TopicChanges {
        partitions: Some(3),
        config: BTreeMap::from([("retention.ms".to_owned(), Some("5000".to_owned()))]),
    };
    runtime.block_on(admin.alter_topic("t", changes)).unwrap();
    let topics = runtime.block_on(admin.topics(false)).unwrap();
    assert_eq!((topics.len(), topics[0].partitions), (1, 3));
    assert!(!topics[0].topic_id.is_nil());
    let config = runtime.block_on(admin.topic_config("t")).unwrap();
    let retention = config.iter().find(|entry| entry.name == "retention.ms");
    let retention = retention.unwrap();
    assert_eq!(retention.value.as_deref(), Some("5000"));
    assert_eq!(retention.source, "DYNAMIC_TOPIC_CONFIG");
    assert!(runtime.block_on(admin.delete_topic("t", false)).unwrap());
    assert!(!runtime.block_on(admin.delete_topic("t", true)).unwrap());
    let missing = runtime.block_on(admin.delete_topic("t", false));
    assert_eq!(
        missing.unwrap_err().kind(),
        ErrorKind::UnknownTopicOrPartition
    );
}

#[rstest]
fn records_are_produced_read_and_deleted(
    #[values(Release::Kafka28, Release::Kafka33, Release::Kafka39, Release::Today)]
    release: Release,
) {
    let (runtime, client) = start(release);
    create(&runtime, &client, 2);
    send(&client, 0, 3);
    send(&client, 1, 2);
    let topic = client.topic("t");
    let scan = topic.scan(ScanOptions::default());
    assert_eq!(runtime.block_on(scan.collect()).unwrap().len(), 5);
    let mut consumer = consumer(&client, &[]);
    runtime.block_on(consumer.assign_topics(&["t"])).unwrap();
    read(&runtime, &mut consumer, 5);
    let lag = runtime.block_on(consumer.lag()).unwrap();
    assert!(lag.values().all(|lag| *lag == 0));
    let described = runtime.block_on(topic.describe()).unwrap();
    assert_eq!(described.partitions.len(), 2);
    let before = Position::PerPartition(BTreeMap::from([(PartitionId::new(0), Offset::new(2))]));
    runtime
        .block_on(client.admin().delete_records("t", &before))
        .unwrap();
    assert_eq!(runtime.block_on(scan.count()).unwrap(), 3);
    let ends = runtime.block_on(topic.offsets(&Position::TimestampMs(0)));
    assert_eq!(ends.unwrap()[&PartitionId::new(0)], Offset::new(2));
}

#[rstest]
fn groups_share_partitions_and_commit(
    #[values(Release::Kafka28, Release::Kafka33, Release::Kafka39, Release::Today)]
    release: Release,
    #[values("", "i")] instance_id: &str,
) {
    let (runtime, client) = start(release);
    create(&runtime, &client, 1);
    send(&client, 0, 3);
    let pairs = [
        ("group.id", "g"),
        ("group.instance.id", instance_id),
        ("enable.auto.commit", "false"),
    ];
    let mut member = consumer(&client, &pairs);
    member.subscribe(Subscription::topics(["t"])).unwrap();
    read(&runtime, &mut member, 3);
    runtime.block_on(member.commit(Some(at(2)))).unwrap();
    assert_eq!(runtime.block_on(member.committed(&[])).unwrap(), at(2));
    let admin = client.admin();
    let groups = runtime.block_on(admin.list_groups()).unwrap();
    assert_eq!(
        (&*groups[0].group_id, &*groups[0].group_type),
        ("g", "classic")
    );
    let described = runtime.block_on(admin.describe_group("g")).unwrap();
    assert_eq!(described.members.len(), 1);
    assert_eq!(
        described.members[0].assignment,
        [TopicPartition::new("t", 0)]
    );
    let offsets = runtime.block_on(admin.group_offsets("g")).unwrap();
    assert_eq!(offsets[0].partition, TopicPartition::new("t", 0));
    assert_eq!(
        (offsets[0].committed, offsets[0].lag()),
        (Offset::new(2), Some(1))
    );
    runtime.block_on(member.close());
    if instance_id.is_empty() {
        let reset = admin.reset_group_offsets("g", "t", &Position::Earliest);
        runtime.block_on(reset).unwrap();
        let mut member = consumer(&client, &pairs);
        member.subscribe(Subscription::topics(["t"])).unwrap();
        read(&runtime, &mut member, 3);
        runtime.block_on(member.close());
        runtime.block_on(admin.delete_group("g")).unwrap();
    }
}

#[rstest]
fn an_unknown_group_is_an_error(
    #[values(Release::Kafka28, Release::Kafka33, Release::Kafka39, Release::Today)]
    release: Release,
) {
    let (runtime, client) = start(release);
    let described = runtime.block_on(client.admin().describe_group("none"));
    assert_eq!(described.unwrap_err().code(), ErrorCode::GroupIdNotFound);
}

#[rstest]
#[case::zookeeper(Release::Kafka28, true)]
#[case::kraft_without_scram(Release::Kafka33, false)]
#[case::kraft(Release::Kafka39, true)]
fn users_need_a_broker_that_has_them(#[case] release: Release, #[case] has_users: bool) {
    let (runtime, client) = start(release);
    let admin = client.admin();
    let set = admin.set_password("u", b"secret", &[ScramMechanism::Sha256]);
    let set = runtime.block_on(set);
    let users = runtime.block_on(admin.users());
    if has_users {
        set.unwrap();
        assert_eq!(users.unwrap()[0].name, "u");
        return;
    }
    for error in [set.unwrap_err(), users.unwrap_err()] {
        assert_eq!(error.code(), ErrorCode::UnsupportedVersion);
        assert!(
            error
                .message()
                .contains("Apache Kafka 2.7 with ZooKeeper, or 3.5 or newer")
        );
        assert!(!error.is_retriable());
    }
}
