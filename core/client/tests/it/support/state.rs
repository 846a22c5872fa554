//! What the cluster holds, what a test tells it to do, and what it has seen.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::thread::ThreadId;
use std::time::Duration;

use bytes::Bytes;
use headwater_client::BrokerAddress;
use headwater_protocol::ErrorCode;
use headwater_record::{BatchHeader, ProducerId};
use tokio::sync::Barrier;

/// What happens to the next produce.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// It is refused with this code.
    Code(ErrorCode),
    /// It is refused, and these records of it are named.
    Records(Vec<i32>),
    /// It is written, and the answer is lost.
    AnswerLost,
    /// It is lost on the way.
    RequestLost,
    /// Its answer never comes.
    Hangs,
}

/// A produce that was answered with success or lost after it was written.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
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
}

/// Who leads a partition, and since which epoch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Leadership {
    pub(crate) node: i32,
    pub(crate) epoch: i32,
}

/// A partition by topic and number.
pub(crate) type Partition = (String, i32);
/// Topic, partition, producer id and epoch.
pub(super) type Writer = (String, i32, ProducerId, i16);
/// First and last sequence of a writer's last batch, and its offset.
pub(super) type Last = (i32, i32, i64);

#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) nodes: Vec<i32>,
    pub(crate) controller: i32,
    /// The node that coordinates every group.
    pub(crate) coordinator: i32,
    /// How many partitions each topic has.
    pub(crate) partitions: BTreeMap<String, i32>,
    pub(super) leaders: BTreeMap<Partition, Leadership>,
    /// What Metadata responses say while it is set: a broker that lags behind.
    pub(super) lagging: Option<BTreeMap<Partition, Leadership>>,
    /// The committed offsets, with the leader epochs of the records before them.
    pub(crate) committed: BTreeMap<Partition, (i64, i32)>,
    /// The groups that each node lists.
    pub(crate) groups: BTreeMap<i32, Vec<String>>,
    /// The batches as they are in the log.
    pub(crate) logs: BTreeMap<Partition, Vec<Bytes>>,
    pub(crate) produce_faults: VecDeque<Fault>,
    pub(crate) fetch_faults: VecDeque<ErrorCode>,
    /// Every request that arrived.
    pub(crate) calls: Vec<Call>,
    /// Every batch that arrived, refused or not.
    pub(crate) seen: Vec<Seen>,
    pub(crate) metadata_requests: usize,
    /// How long a Metadata request takes.
    pub(crate) metadata_takes: Duration,
    /// `ListOffsets` requests are answered when so many have arrived.
    pub(crate) list_offsets_barrier: Option<Arc<Barrier>>,
    /// The names under which clients opened lanes.
    pub(crate) client_ids: Vec<String>,
    /// The addresses that the client has told its transport.
    pub(crate) learned: Vec<BrokerAddress>,
    /// Produces that have come and are not answered, now and at most.
    pub(super) in_flight: usize,
    pub(crate) in_flight_max: usize,
    /// How long a produce takes.
    pub(crate) produce_takes: Duration,
    /// So many requests of any kind find nobody.
    pub(crate) away: usize,
    pub(crate) max_batch_bytes: usize,
    /// How many producer ids were given out.
    pub(super) producers: i64,
    /// The last sequence of each producer in each partition, and the offset of the batch.
    pub(super) sequences: HashMap<Writer, Last>,
    /// The aborted transactions of every partition: producer id and first offset.
    pub(crate) aborted: Vec<(i64, i64)>,
    /// The first offset that is still there.
    pub(crate) log_start: i64,
    /// Offsets that each log counts after its last batch, as after a compaction that removed its last records.
    pub(crate) removed_at_end: i64,
    /// So many fetches return no records, whatever there is.
    pub(crate) empty_fetches: usize,
    /// How many records were returned to fetches.
    pub(crate) fetched_records: usize,
    /// How long a fetch takes before it reads.
    pub(crate) fetch_takes: Duration,
    /// Nodes that cannot be reached.
    pub(crate) dead_nodes: Vec<i32>,
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
        for partition in 0..partitions {
            let node = self.nodes[partition as usize % self.nodes.len()];
            let leadership = Leadership { node, epoch: 0 };
            self.leaders
                .insert((name.to_owned(), partition), leadership);
        }
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

    /// Who leads what at this moment.
    pub(crate) fn leaders(&self) -> BTreeMap<Partition, Leadership> {
        self.leaders.clone()
    }

    /// From now on Metadata responses name these leaders.
    pub(crate) fn metadata_lags_behind(&mut self, leaders: BTreeMap<Partition, Leadership>) {
        self.lagging = Some(leaders);
    }

    /// Metadata responses name the present leaders again.
    pub(crate) fn metadata_catches_up(&mut self) {
        self.lagging = None;
    }

    /// What `node` answers to a request about a partition whose leader the client believes to be of `epoch` (-1: it does not say).
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
