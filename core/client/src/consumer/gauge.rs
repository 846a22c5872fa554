//! The state of consumers that other threads may read while the consumers are in use.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};

use headwater_record::Offset;
use parking_lot::Mutex;

use super::group::Committer;
use super::group_metadata::GroupMetadata;
use crate::batch::TopicPartition;
use crate::metrics::ConsumerMetrics;
use crate::skipped::SkippedRecords;

/// The assignment, the progress and the membership of one consumer. The consumer writes them, and any thread may read
/// them.
#[derive(Debug)]
pub struct ConsumerGauge {
    client_id: String,
    group_id: Option<String>,
    partitions: Mutex<BTreeMap<TopicPartition, Progress>>,
    member: Mutex<Committer>,
    pub(crate) skipped: SkippedRecords,
}

#[derive(Debug, Clone, Copy, Default)]
struct Progress {
    position: Option<Offset>,
    /// The end in the last response.
    end: Option<Offset>,
}

impl ConsumerGauge {
    pub(crate) fn new(client_id: &str, group_id: Option<&str>) -> Arc<Self> {
        Arc::new(Self {
            client_id: client_id.to_owned(),
            group_id: group_id.map(str::to_owned),
            partitions: Mutex::default(),
            member: Mutex::new(Committer::without_membership()),
            skipped: SkippedRecords::default(),
        })
    }

    /// The assigned partitions whose positions are known, sorted.
    pub fn assignment(&self) -> Vec<TopicPartition> {
        self.partitions.lock().keys().cloned().collect()
    }

    /// The membership of the consumer. `None` for a consumer without a group.
    pub fn group_metadata(&self) -> Option<GroupMetadata> {
        let group_id = self.group_id.clone()?;
        let member = self.member.lock().clone();
        Some(member.metadata(group_id))
    }

    /// Sets the member, after the consumer has subscribed or left.
    pub(crate) fn set_member(&self, member: Committer) {
        *self.member.lock() = member;
    }

    /// Sets the assigned partitions and their positions.
    pub(crate) fn set_positions(&self, positions: &BTreeMap<TopicPartition, Offset>) {
        let mut partitions = self.partitions.lock();
        partitions.retain(|partition, _| positions.contains_key(partition));
        for (partition, position) in positions {
            partitions.entry(partition.clone()).or_default().position = Some(*position);
        }
    }

    /// Moves the positions of these partitions.
    pub(crate) fn move_to(&self, positions: &BTreeMap<TopicPartition, Offset>) {
        let mut partitions = self.partitions.lock();
        for (partition, position) in positions {
            if let Some(progress) = partitions.get_mut(partition) {
                progress.position = Some(*position);
            }
        }
    }

    /// Sets the end of a partition.
    pub(crate) fn set_end(&self, partition: &TopicPartition, end: Offset) {
        if let Some(progress) = self.partitions.lock().get_mut(partition) {
            progress.end = Some(end);
        }
    }

    fn snapshot(&self) -> ConsumerMetrics {
        let partitions = self.partitions.lock();
        let lag = partitions.iter().filter_map(|(partition, progress)| {
            let lag = progress.end? - progress.position?;
            Some((partition.clone(), u64::try_from(lag).unwrap_or(0)))
        });
        ConsumerMetrics {
            client_id: self.client_id.clone(),
            group_id: self.group_id.clone(),
            lag: lag.collect(),
            skipped_records: self.skipped.get(),
        }
    }
}

/// The consumers in use of a client. Does not keep them alive. May be used concurrently.
#[derive(Debug, Default)]
pub(crate) struct ConsumerRegistry(Mutex<Vec<Weak<ConsumerGauge>>>);

impl ConsumerRegistry {
    pub(crate) fn add(&self, gauge: &Arc<ConsumerGauge>) {
        let mut gauges = self.0.lock();
        gauges.retain(|other| other.strong_count() > 0);
        gauges.push(Arc::downgrade(gauge));
    }

    pub(crate) fn snapshot(&self) -> Vec<ConsumerMetrics> {
        let gauges = self.0.lock();
        let in_use = gauges.iter().filter_map(Weak::upgrade);
        in_use.map(|gauge| gauge.snapshot()).collect()
    }
}
