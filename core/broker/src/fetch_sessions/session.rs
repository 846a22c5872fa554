//! A fetch session: the client's partitions and the last response for each of them.

use std::collections::{BTreeMap, HashMap};

use headwater_protocol::fetch_request::{FetchPartition, FetchTopic, ForgottenTopic};
use headwater_protocol::fetch_response::{FetchableTopicResponse, PartitionData};
use headwater_protocol::{ErrorCode, Str};
use uuid::Uuid;

use super::session_id::SessionEpoch;

/// How the fetches of a session identify topics. It never changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TopicReference {
    /// Up to version 12.
    Names,
    /// From version 13 on.
    Ids,
}

/// A partition. Either the name or the id of its topic is empty.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    topic: Str,
    topic_id: Uuid,
    partition: i32,
}

/// The last response for a partition without an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct LastResponse {
    high_watermark: i64,
    log_start_offset: i64,
}

/// A partition of a session.
#[derive(Debug)]
struct SessionPartition {
    key: Key,
    wanted: FetchPartition,
    last_response: Option<LastResponse>,
}

/// A session. Its partitions are ordered; partitions that returned records move to the end, so that small fetches reach
/// all of them.
#[derive(Debug)]
pub(crate) struct Session {
    topic_reference: TopicReference,
    epoch: SessionEpoch,
    /// The partitions in their order.
    partitions: BTreeMap<u64, SessionPartition>,
    turns: HashMap<Key, u64>,
    next_turn: u64,
}

impl Session {
    /// A session without partitions.
    pub(crate) fn new(topic_reference: TopicReference) -> Self {
        Self {
            topic_reference,
            epoch: SessionEpoch::FIRST,
            partitions: BTreeMap::new(),
            turns: HashMap::new(),
            next_turn: 0,
        }
    }

    /// The number of partitions.
    pub(crate) fn len(&self) -> usize {
        self.partitions.len()
    }

    /// Whether the session has no partitions, so that it can be dropped.
    pub(crate) fn is_empty(&self) -> bool {
        self.partitions.is_empty()
    }

    /// The epoch of the expected fetch.
    pub(crate) const fn epoch(&self) -> SessionEpoch {
        self.epoch
    }

    /// Checks that a fetch has the expected epoch and identifies topics in the same way.
    pub(crate) fn check(
        &self,
        epoch: SessionEpoch,
        topic_reference: TopicReference,
    ) -> Result<(), ErrorCode> {
        if self.epoch != epoch {
            Err(ErrorCode::InvalidFetchSessionEpoch)
        } else if self.topic_reference != topic_reference {
            Err(ErrorCode::FetchSessionTopicIdError)
        } else {
            Ok(())
        }
    }

    /// Starts the expected fetch. Returns the epoch of the next one.
    pub(crate) fn begin_next(&mut self) -> SessionEpoch {
        self.epoch = self.epoch.next();
        self.epoch
    }

    /// Adds or updates partitions, then removes the forgotten ones.
    pub(crate) fn update(&mut self, wanted: &[FetchTopic], forgotten: &[ForgottenTopic]) {
        for topic in wanted {
            // A copy, because a slice would keep the whole request in memory as long as the session exists.
            let name = Str::from(topic.topic.to_string());
            for partition in &topic.partitions {
                let key = key(&name, topic.topic_id, partition.partition);
                self.set_partition(key, without_unknown_fields(partition));
            }
        }
        for topic in forgotten {
            for partition in &topic.partitions {
                let key = key(&topic.topic, topic.topic_id, *partition);
                if let Some(turn) = self.turns.remove(&key) {
                    self.partitions.remove(&turn);
                }
            }
        }
    }

    fn set_partition(&mut self, key: Key, wanted: FetchPartition) {
        let known = self.turns.get(&key);
        if let Some(partition) = known.and_then(|turn| self.partitions.get_mut(turn)) {
            partition.wanted = wanted;
            return;
        }
        self.put_last(SessionPartition {
            key,
            wanted,
            last_response: None,
        });
    }

    fn put_last(&mut self, partition: SessionPartition) {
        self.turns.insert(partition.key.clone(), self.next_turn);
        self.partitions.insert(self.next_turn, partition);
        self.next_turn += 1;
    }

    /// The full fetch that the next fetch of this session stands for.
    pub(crate) fn topics(&self) -> Vec<FetchTopic> {
        let mut topics: Vec<FetchTopic> = Vec::new();
        for SessionPartition { key, wanted, .. } in self.partitions.values() {
            match topics.last_mut() {
                Some(last) if last.topic == key.topic && last.topic_id == key.topic_id => {
                    last.partitions.push(wanted.clone());
                }
                _ => topics.push(FetchTopic {
                    topic: key.topic.clone(),
                    topic_id: key.topic_id,
                    partitions: vec![wanted.clone()],
                    ..FetchTopic::default()
                }),
            }
        }
        topics
    }

    /// Reduces the full response to the changes: records, errors, and offsets that moved. They count as sent.
    pub(crate) fn changes(
        &mut self,
        mut answer: Vec<FetchableTopicResponse>,
    ) -> Vec<FetchableTopicResponse> {
        for topic in &mut answer {
            let (name, id) = (topic.topic.clone(), topic.topic_id);
            topic
                .partitions
                .retain(|data| self.take_change(&key(&name, id, data.partition_index), data));
        }
        answer.retain(|topic| !topic.partitions.is_empty());
        answer
    }

    /// Whether `data` has changes; they count as sent.
    fn take_change(&mut self, key: &Key, data: &PartitionData) -> bool {
        let Some(turn) = self.turns.get(key).copied() else {
            return true;
        };
        let Some(partition) = self.partitions.get_mut(&turn) else {
            return true;
        };
        let has_records = data
            .records
            .as_ref()
            .is_some_and(|records| !records.is_empty());
        let is_ok = ErrorCode::from_code(data.error_code).is_ok();
        // After an error the partition is sent again, even if its offsets are the same.
        let now = is_ok.then_some(LastResponse {
            high_watermark: data.high_watermark,
            log_start_offset: data.log_start_offset,
        });
        let is_changed = has_records || !is_ok || partition.last_response != now;
        partition.last_response = now;
        if has_records && let Some(partition) = self.partitions.remove(&turn) {
            self.put_last(partition);
        }
        is_changed
    }
}

fn key(topic: &Str, topic_id: Uuid, partition: i32) -> Key {
    Key {
        topic: topic.clone(),
        topic_id,
        partition,
    }
}

fn without_unknown_fields(wanted: &FetchPartition) -> FetchPartition {
    FetchPartition {
        partition: wanted.partition,
        current_leader_epoch: wanted.current_leader_epoch,
        fetch_offset: wanted.fetch_offset,
        last_fetched_epoch: wanted.last_fetched_epoch,
        log_start_offset: wanted.log_start_offset,
        partition_max_bytes: wanted.partition_max_bytes,
        ..FetchPartition::default()
    }
}

#[cfg(test)]
mod tests;
