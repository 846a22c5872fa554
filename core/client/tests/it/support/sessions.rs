//! Fetch sessions of a node (KIP-227), as strict as Kafka's.

use std::collections::BTreeMap;

use headwater_protocol::fetch_request::{FetchPartition, FetchTopic};
use headwater_protocol::fetch_response::FetchableTopicResponse;
use headwater_protocol::{ErrorCode, FetchRequest};
use uuid::Uuid;

use super::state::{Partition, State};

/// A session: its partitions, and the high watermarks of its last responses.
#[derive(Debug, Default)]
pub(crate) struct Session {
    pub(crate) epoch: i32,
    pub(crate) partitions: BTreeMap<Partition, SessionPartition>,
    high_watermarks: BTreeMap<Partition, i64>,
}

/// A fetch that arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SeenFetch {
    pub(crate) session_epoch: i32,
    /// The numbers of the partitions in it.
    pub(crate) named: Vec<i32>,
    pub(crate) forgotten: Vec<i32>,
}

/// The equivalent full fetch, with the id of its session (0: none).
pub(super) struct FullFetch {
    pub(super) session_id: i32,
    pub(super) partitions: Vec<SessionPartition>,
}

/// A partition of a fetch. The topic has a name, an id, or both.
#[derive(Debug, Clone)]
pub(crate) struct SessionPartition {
    pub(super) topic: String,
    pub(super) topic_id: Uuid,
    pub(super) fetch: FetchPartition,
}

impl SessionPartition {
    fn key(&self) -> Partition {
        (self.topic.clone(), self.fetch.partition)
    }
}

impl State {
    /// Starts a fetch: creates, continues or closes a session.
    pub(super) fn begin_fetch(
        &mut self,
        node: i32,
        request: &FetchRequest,
    ) -> Result<FullFetch, ErrorCode> {
        let asked = partitions(&request.topics);
        let forgotten = request.forgotten_topics_data.iter();
        self.fetches.push(SeenFetch {
            session_epoch: request.session_epoch,
            named: asked.iter().map(|asked| asked.fetch.partition).collect(),
            forgotten: forgotten
                .flat_map(|topic| topic.partitions.iter().copied())
                .collect(),
        });
        if request.session_epoch <= 0 {
            self.sessions.remove(&(node, request.session_id));
            let makes_session = request.session_epoch == 0 && !self.without_sessions;
            if makes_session {
                self.sessions_made += 1;
                let session = Session {
                    epoch: 1,
                    partitions: by_key(asked.clone()).collect(),
                    high_watermarks: BTreeMap::new(),
                };
                self.sessions.insert((node, self.sessions_made), session);
            }
            return Ok(FullFetch {
                session_id: if makes_session { self.sessions_made } else { 0 },
                partitions: asked,
            });
        }
        let session = self.sessions.get_mut(&(node, request.session_id));
        let session = session.ok_or(ErrorCode::FetchSessionIdNotFound)?;
        if session.epoch != request.session_epoch {
            return Err(ErrorCode::InvalidFetchSessionEpoch);
        }
        session.epoch += 1;
        session.partitions.extend(by_key(asked));
        for topic in &request.forgotten_topics_data {
            for number in &topic.partitions {
                let key = (topic.topic.to_string(), *number);
                session.partitions.remove(&key);
                session.high_watermarks.remove(&key);
            }
        }
        Ok(FullFetch {
            session_id: request.session_id,
            partitions: session.partitions.values().cloned().collect(),
        })
    }

    /// The answers of a session without those that have not changed.
    pub(super) fn news(
        &mut self,
        node: i32,
        session_id: i32,
        mut responses: Vec<FetchableTopicResponse>,
    ) -> Vec<FetchableTopicResponse> {
        let Some(session) = self.sessions.get_mut(&(node, session_id)) else {
            return responses;
        };
        responses.retain(|topic| {
            let data = &topic.partitions[0];
            let key = (topic.topic.to_string(), data.partition_index);
            let before = session.high_watermarks.insert(key, data.high_watermark);
            let records = data.records.as_ref();
            before != Some(data.high_watermark)
                || data.error_code != 0
                || data.preferred_read_replica >= 0
                || records.is_some_and(|records| !records.is_empty())
        });
        responses
    }
}

fn partitions(topics: &[FetchTopic]) -> Vec<SessionPartition> {
    let topics = topics.iter();
    topics
        .flat_map(|topic| {
            let partitions = topic.partitions.iter();
            partitions.map(|fetch| SessionPartition {
                topic: topic.topic.to_string(),
                topic_id: topic.topic_id,
                fetch: fetch.clone(),
            })
        })
        .collect()
}

fn by_key(asked: Vec<SessionPartition>) -> impl Iterator<Item = (Partition, SessionPartition)> {
    asked.into_iter().map(|asked| (asked.key(), asked))
}
