//! The state of the cluster, the faults that a test sets, and the requests that arrived.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::thread::ThreadId;
use std::time::Duration;

use bytes::Bytes;
use headwater_client::{BrokerAddress, NodeVersions};
use headwater_protocol::ErrorCode;
use headwater_record::BatchHeader;
use tokio::sync::Barrier;
use uuid::Uuid;

use super::groups::FakeGroup;
use super::releases::Release;
use super::sessions::{SeenFetch, Session};

use super::producer_states::ProducerStates;

/// The outcome of the next produce request.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// Its first batch is refused with this code.
    Code(ErrorCode),
    /// Its first batch is refused with these records as invalid.
    Records(Vec<i32>),
    /// It is written, and the answer is lost.
    AnswerLost,
    /// It is lost in transit.
    RequestLost,
    /// Its answer never comes.
    Hangs,
    /// It is executed after this time, and so are those after it on the same connection.
    Late(Duration),
    /// It is executed, and answered after this time.
    LateAnswer(Duration),
}

/// A batch that was sent to a node, whether it was executed or lost.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) node: i32,
    pub(crate) partition: i32,
    pub(crate) header: BatchHeader,
    pub(crate) thread: ThreadId,
}

/// A request that arrived.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) node: i32,
    /// Kafka's name of its API.
    pub(crate) api: &'static str,
    pub(crate) version: i16,
}

/// A produce request that was sent to a node, whether it was executed or lost.
#[derive(Debug, Clone)]
pub(crate) struct ProduceCall {
    pub(crate) node: i32,
    /// The topic and the partition of each batch.
    pub(crate) batches: Vec<Partition>,
    /// The bytes of all batches.
    pub(crate) bytes: usize,
}

/// The leader of a partition, and the start of its epoch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Leadership {
    pub(crate) node: i32,
    pub(crate) epoch: i32,
}

/// A partition by topic and number.
pub(crate) type Partition = (String, i32);
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fault of its own")]
pub(crate) struct State {
    pub(crate) nodes: Vec<i32>,
    pub(crate) controller: i32,
    /// The node that coordinates every group.
    pub(crate) coordinator: i32,
    /// The number of partitions of each topic.
    pub(crate) partitions: BTreeMap<String, i32>,
    /// The id of each topic; a recreated one gets another.
    pub(super) topic_ids: BTreeMap<String, Uuid>,
    topics_created: u128,
    /// The versions that nodes support; for other nodes, those of this library.
    pub(crate) versions: BTreeMap<i32, NodeVersions>,
    pub(super) leaders: BTreeMap<Partition, Leadership>,
    /// If set, the leaders in Metadata responses: those of a lagging broker.
    pub(super) lagging: Option<BTreeMap<Partition, Leadership>>,
    /// Whether nodes return the leader of a partition that they do not lead (KIP-951).
    pub(crate) names_leaders: bool,
    /// The groups that each node lists.
    pub(crate) groups: BTreeMap<i32, Vec<String>>,
    /// The batches as they are in the log.
    pub(crate) logs: BTreeMap<Partition, Vec<Bytes>>,
    pub(crate) produce_faults: VecDeque<Fault>,
    pub(crate) fetch_faults: VecDeque<ErrorCode>,
    /// Every request that arrived.
    pub(crate) calls: Vec<Call>,
    /// Every batch that was sent to a node.
    pub(crate) seen: Vec<Seen>,
    pub(crate) metadata_requests: usize,
    /// The number of the next Metadata requests after which the client must start from its bootstrap addresses.
    pub(crate) rebootstraps: usize,
    /// The duration of a Metadata request.
    pub(crate) metadata_takes: Duration,
    /// `ListOffsets` requests are answered when this many have arrived.
    pub(crate) list_offsets_barrier: Option<Arc<Barrier>>,
    /// The client names of the opened lanes.
    pub(crate) client_ids: Vec<String>,
    /// The `request.timeout.ms` of the lanes.
    pub(crate) request_timeouts: Vec<Duration>,
    /// The broker addresses that the client passed to its transport.
    pub(crate) learned: Vec<BrokerAddress>,
    /// Every produce request that was sent to a node.
    pub(crate) produce_calls: Vec<ProduceCall>,
    /// The number of unanswered produce requests.
    pub(crate) in_flight: usize,
    /// The maximum number of unanswered produce requests of one connection.
    pub(crate) in_flight_max: usize,
    /// The duration of a produce.
    pub(crate) produce_takes: Duration,
    /// The duration of a produce at these nodes.
    pub(crate) produce_takes_at: BTreeMap<i32, Duration>,
    /// Nodes whose produce requests are never answered.
    pub(crate) silent_producers: Vec<i32>,
    /// This many requests of any kind do not reach a node.
    pub(crate) away: usize,
    pub(crate) max_batch_bytes: usize,
    /// The number of assigned producer ids.
    pub(super) producers: i64,
    pub(super) producer_states: BTreeMap<Partition, ProducerStates>,
    /// The number of batches that were refused because of their sequence or epoch.
    pub(crate) sequence_refusals: usize,
    /// The aborted transactions of every partition: producer id and first offset.
    pub(crate) aborted: Vec<(i64, i64)>,
    /// The log start offset.
    pub(crate) log_start: i64,
    /// Whether `ListOffsets` finds no record by timestamp, like Kafka while a segment of deleted records exists.
    pub(crate) finds_no_time: bool,
    /// The number of offsets after the last batch of each log, as after a compaction that removed its last records.
    pub(crate) removed_at_end: i64,
    /// This many fetches return no records, even if there are some.
    pub(crate) empty_fetches: usize,
    /// The fetch sessions by node and id.
    pub(crate) sessions: BTreeMap<(i32, i32), Session>,
    pub(super) sessions_made: i32,
    /// Every fetch that arrived.
    pub(crate) fetches: Vec<SeenFetch>,
    /// Whether nodes create no sessions.
    pub(crate) without_sessions: bool,
    /// The replica that leaders return to consumers with a rack.
    pub(crate) preferred_replica: Option<i32>,
    /// The errors of the preferred replica for its next fetches.
    pub(crate) replica_faults: VecDeque<ErrorCode>,
    /// The nodes that are offline according to Metadata responses, for every partition.
    pub(crate) offline_replicas: Vec<i32>,
    /// This many Metadata responses have no topics.
    pub(crate) metadata_forgets: usize,
    /// This many Metadata responses have no leaders yet, as for a topic that is being created.
    pub(crate) metadata_without_leaders: usize,
    /// A node whose Metadata responses have no topics.
    pub(crate) forgetful_node: Option<i32>,
    /// Whether commits of a transaction are pending.
    pub(crate) has_pending_commits: bool,
    /// The throttle times of the next responses of any kind.
    pub(crate) throttles_ms: VecDeque<i32>,
    /// Committed offsets and their leader epochs.
    pub(crate) committed: BTreeMap<Partition, (i64, i32)>,
    /// The duration of a commit.
    pub(crate) commit_takes: Duration,
    /// Whether commits are refused, because the coordinator still reads its log.
    pub(crate) refuses_commits: bool,
    /// The duration of an `OffsetFetch` or `ListOffsets` request.
    pub(crate) lookup_takes: Duration,
    /// The number of records returned to fetches.
    pub(crate) fetched_records: usize,
    /// The time before a fetch reads.
    pub(crate) fetch_takes: Duration,
    /// Nodes that cannot be reached.
    pub(crate) dead_nodes: Vec<i32>,
    /// Whether no node answers any request.
    pub(crate) is_silent: bool,
    /// The group of the consumer protocol.
    pub(crate) group: FakeGroup,
    /// Nodes whose fetches are never answered.
    pub(crate) silent_nodes: Vec<i32>,
}

impl State {
    pub(super) fn new(nodes: i32) -> Self {
        Self {
            nodes: (1..=nodes).collect(),
            controller: 1,
            coordinator: 1,
            max_batch_bytes: 1 << 20,
            ..Self::default()
        }
    }

    /// A topic whose partitions the nodes lead in turns.
    pub(crate) fn add_topic(&mut self, name: &str, partitions: i32) {
        self.partitions.insert(name.to_owned(), partitions);
        self.topics_created += 1;
        self.topic_ids
            .insert(name.to_owned(), Uuid::from_u128(self.topics_created));
        for partition in 0..partitions {
            let node = self.nodes[partition as usize % self.nodes.len()];
            let leadership = Leadership { node, epoch: 0 };
            self.leaders
                .insert((name.to_owned(), partition), leadership);
        }
    }

    /// Deletes a topic and its records, and creates it again.
    pub(crate) fn recreate_topic(&mut self, name: &str) {
        let partitions = self.partitions[name];
        self.logs.retain(|(topic, _), _| topic != name);
        self.producer_states.retain(|(topic, _), _| topic != name);
        self.add_topic(name, partitions);
    }

    /// The topic with this id.
    pub(super) fn name_of(&self, id: Uuid) -> Option<&str> {
        let mut topics = self.topic_ids.iter();
        let (name, _) = topics.find(|(_, known)| **known == id)?;
        Some(name)
    }

    /// The id of a topic; nil if it does not exist.
    pub(super) fn id_of(&self, name: &str) -> Uuid {
        self.topic_ids.get(name).copied().unwrap_or_default()
    }

    /// Gives all nodes the versions of this release.
    pub(crate) fn run_release(&mut self, release: Release) {
        let nodes = self.nodes.iter();
        self.versions = nodes.map(|node| (*node, release.versions())).collect();
    }

    /// Makes `node` the leader of a partition, in a new epoch.
    pub(crate) fn move_leader(&mut self, topic: &str, partition: i32, node: i32) {
        let leadership = self.leaders.get_mut(&(topic.to_owned(), partition));
        let leadership = leadership.unwrap();
        *leadership = Leadership {
            node,
            epoch: leadership.epoch + 1,
        };
    }

    /// Makes `node` the leader of a partition although its log ends at `end`, in a new epoch.
    pub(crate) fn elect_uncleanly(&mut self, topic: &str, partition: i32, node: i32, end: i64) {
        self.move_leader(topic, partition, node);
        let log = self.logs.get_mut(&(topic.to_owned(), partition));
        log.unwrap()
            .retain(|batch| BatchHeader::parse(batch).unwrap().base_offset.get() < end);
    }

    /// The current leaders.
    pub(crate) fn leaders(&self) -> BTreeMap<Partition, Leadership> {
        self.leaders.clone()
    }

    /// Makes later Metadata responses return these leaders.
    pub(crate) fn metadata_lags_behind(&mut self, leaders: BTreeMap<Partition, Leadership>) {
        self.lagging = Some(leaders);
    }

    /// Makes Metadata responses return the current leaders again.
    pub(crate) fn metadata_catches_up(&mut self) {
        self.lagging = None;
    }

    /// The leader that a node returns with this code.
    pub(super) fn named_leader(
        &self,
        topic: &str,
        partition: i32,
        code: ErrorCode,
    ) -> Option<Leadership> {
        let is_about_leader = matches!(
            code,
            ErrorCode::NotLeaderOrFollower | ErrorCode::FencedLeaderEpoch
        );
        let leader = self.leaders.get(&(topic.to_owned(), partition));
        leader
            .copied()
            .filter(|_| self.names_leaders && is_about_leader)
    }

    /// The answer of `node` to a request about a partition if the client's leader epoch is `epoch` (-1: none).
    pub(super) fn check_leader(
        &self,
        node: i32,
        topic: &str,
        partition: i32,
        epoch: i32,
    ) -> Option<ErrorCode> {
        let Some(leadership) = self.leaders.get(&(topic.to_owned(), partition)) else {
            return Some(ErrorCode::UnknownTopicOrPartition);
        };
        if leadership.node != node {
            Some(ErrorCode::NotLeaderOrFollower)
        } else if epoch >= 0 && epoch < leadership.epoch {
            Some(ErrorCode::FencedLeaderEpoch)
        } else if epoch > leadership.epoch {
            Some(ErrorCode::UnknownLeaderEpoch)
        } else {
            None
        }
    }
}

/// The end of a log.
pub(super) fn end_offset(log: &[Bytes]) -> i64 {
    let last = log.last().map(|last| BatchHeader::parse(last).unwrap());
    last.map_or(0, |last| last.next_offset().get())
}
