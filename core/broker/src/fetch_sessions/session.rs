//! One session: what its client wants, and what it was told last.

use std::collections::{BTreeMap, HashMap};

use headwater_protocol::fetch_request::{FetchPartition, FetchTopic, ForgottenTopic};
use headwater_protocol::fetch_response::{FetchableTopicResponse, PartitionData};
use headwater_protocol::{ErrorCode, Str};
use uuid::Uuid;

use super::session_id::SessionEpoch;

/// How the fetches of a session name topics. It never changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Naming {
    /// Up to version 12.
    Names,
    /// From version 13 on.
    Ids,
}

/// One partition; one of the two names of its topic is empty.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    topic: Str,
    topic_id: Uuid,
    partition: i32,
}

/// What a client was told of a partition that has no error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct LastTold {
    high_watermark: i64,
    log_start_offset: i64,
}

#[derive(Debug)]
struct Held {
    key: Key,
    wanted: FetchPartition,
    told: Option<LastTold>,
}

/// A session. Its partitions have an order; those that gave records go to its end, so that a client that takes little at a time gets
/// something of each.
#[derive(Debug)]
pub(crate) struct Session {
    naming: Naming,
    epoch: SessionEpoch,
    /// The partitions by their turns.
    held: BTreeMap<u64, Held>,
    turns: HashMap<Key, u64>,
    next_turn: u64,
}

impl Session {
    /// A session of nothing.
    pub(crate) fn new(naming: Naming) -> Self {
        Self {
            naming,
            epoch: SessionEpoch::FIRST,
            held: BTreeMap::new(),
            turns: HashMap::new(),
            next_turn: 0,
        }
    }

    /// How many partitions it has.
    pub(crate) fn len(&self) -> usize {
        self.held.len()
    }

    /// Whether it has none, and so no reason to be.
    pub(crate) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// The epoch of the fetch that it expects.
    pub(crate) const fn epoch(&self) -> SessionEpoch {
        self.epoch
    }

    /// Whether a fetch of that epoch, which names topics so, is the one that it expects.
    pub(crate) fn check(&self, epoch: SessionEpoch, naming: Naming) -> Result<(), ErrorCode> {
        if self.epoch != epoch {
            Err(ErrorCode::InvalidFetchSessionEpoch)
        } else if self.naming != naming {
            Err(ErrorCode::FetchSessionTopicIdError)
        } else {
            Ok(())
        }
    }

    /// The fetch that it expected has come; returns the epoch of the one after it.
    pub(crate) fn begin_next(&mut self) -> SessionEpoch {
        self.epoch = self.epoch.next();
        self.epoch
    }

    /// Partitions that are new or wanted otherwise from now on, then those that are not wanted any more.
    pub(crate) fn update(&mut self, wanted: &[FetchTopic], forgotten: &[ForgottenTopic]) {
        for topic in wanted {
            // Copied: a slice would keep the whole request in memory for as long as the session lives.
            let name = Str::from(topic.topic.to_string());
            for partition in &topic.partitions {
                let key = key(&name, topic.topic_id, partition.partition);
                self.want(key, without_unknown_fields(partition));
            }
        }
        for topic in forgotten {
            for partition in &topic.partitions {
                let key = key(&topic.topic, topic.topic_id, *partition);
                if let Some(turn) = self.turns.remove(&key) {
                    self.held.remove(&turn);
                }
            }
        }
    }

    fn want(&mut self, key: Key, wanted: FetchPartition) {
        let known = self.turns.get(&key);
        if let Some(held) = known.and_then(|turn| self.held.get_mut(turn)) {
            held.wanted = wanted;
            return;
        }
        self.put_last(Held {
            key,
            wanted,
            told: None,
        });
    }

    fn put_last(&mut self, held: Held) {
        self.turns.insert(held.key.clone(), self.next_turn);
        self.held.insert(self.next_turn, held);
        self.next_turn += 1;
    }

    /// The full fetch that the next fetch of this session stands for.
    pub(crate) fn topics(&self) -> Vec<FetchTopic> {
        let mut topics: Vec<FetchTopic> = Vec::new();
        for Held { key, wanted, .. } in self.held.values() {
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

    /// Of the answer to that full fetch what the client does not know yet: records, errors, and offsets that have moved. It counts as told.
    pub(crate) fn news(
        &mut self,
        mut answer: Vec<FetchableTopicResponse>,
    ) -> Vec<FetchableTopicResponse> {
        for topic in &mut answer {
            let (name, id) = (topic.topic.clone(), topic.topic_id);
            topic
                .partitions
                .retain(|data| self.tell(&key(&name, id, data.partition_index), data));
        }
        answer.retain(|topic| !topic.partitions.is_empty());
        answer
    }

    /// Whether `data` is news; from now on the client knows it.
    fn tell(&mut self, key: &Key, data: &PartitionData) -> bool {
        let Some(turn) = self.turns.get(key).copied() else {
            return true;
        };
        let Some(held) = self.held.get_mut(&turn) else {
            return true;
        };
        let has_records = data
            .records
            .as_ref()
            .is_some_and(|records| !records.is_empty());
        let is_ok = ErrorCode::from_code(data.error_code).is_ok();
        // After an error the partition is told again, whatever its offsets are.
        let now = is_ok.then_some(LastTold {
            high_watermark: data.high_watermark,
            log_start_offset: data.log_start_offset,
        });
        let is_news = has_records || !is_ok || held.told != now;
        held.told = now;
        if has_records && let Some(held) = self.held.remove(&turn) {
            self.put_last(held);
        }
        is_news
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
#[path = "session_tests.rs"]
mod tests;
