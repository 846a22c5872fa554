//! Fetch sessions (KIP-227): after a full fetch, a broker stores the partitions, and later fetches contain only
//! changes. No I/O.

use std::collections::{BTreeMap, BTreeSet};

use headwater_protocol::fetch_request::{FetchPartition, FetchTopic, ForgottenTopic};
use headwater_protocol::fetch_response::{FetchableTopicResponse, PartitionData};
use headwater_protocol::{ErrorCode, FetchRequest, FetchResponse, Str};
use uuid::Uuid;

use crate::mutants::{self, Mutant};

/// The id of a fetch without a session, and of a response that created none.
const NO_SESSION: i32 = 0;
/// The session epoch of a full fetch, which creates a session.
const INITIAL_EPOCH: i32 = 0;
/// The session epoch of a fetch without a session. With the id of a session, the fetch closes it.
const FINAL_EPOCH: i32 = -1;

/// The fetch session of a consumer with one broker.
///
/// [`FetchSession::request`] reduces a fetch of all requested partitions to an equivalent one in the session, and
/// [`FetchSession::answered`] processes the response. After a fetch without a response the state of the broker is
/// unknown, so the next fetch is full.
#[derive(Debug, Default)]
pub(crate) struct FetchSession {
    id: i32,
    /// The epoch of the next fetch.
    epoch: i32,
    /// The partitions that the broker stores, by topic id and number.
    partitions: BTreeMap<(Uuid, i32), SessionPartition>,
    /// The id of each topic, for responses that have names only.
    topic_ids: BTreeMap<Str, Uuid>,
    /// Whether the last fetch has no response.
    is_unanswered: bool,
}

/// A partition that the broker stores, and the offsets of its last response without an error.
#[derive(Debug)]
struct SessionPartition {
    topic: Str,
    fetch: FetchPartition,
    offsets: Option<KnownOffsets>,
}

#[derive(Debug, Clone, Copy)]
struct KnownOffsets {
    high_watermark: i64,
    last_stable_offset: i64,
}

impl FetchSession {
    /// Reduces a fetch of all requested partitions to a fetch in this session.
    pub(crate) fn request(&mut self, request: &mut FetchRequest) {
        request.session_id = self.id;
        if request.topics.iter().any(|topic| topic.topic_id.is_nil()) {
            // A session uses either names or ids, and other topics may have ids.
            request.session_epoch = FINAL_EPOCH;
            *self = Self::default();
            return;
        }
        let is_lost = self.is_unanswered && !mutants::is_active(Mutant::KeepLostSession);
        self.is_unanswered = true;
        if is_lost || self.epoch == INITIAL_EPOCH {
            self.epoch = INITIAL_EPOCH;
            self.partitions.clear();
            self.topic_ids.clear();
        }
        request.session_epoch = self.epoch;
        request.forgotten_topics_data = self.forget_all_but(&request.topics);
        let wanted = std::mem::take(&mut request.topics);
        request.topics = wanted
            .into_iter()
            .filter_map(|topic| self.update(topic))
            .collect();
    }

    /// Removes the partitions that are not requested.
    fn forget_all_but(&mut self, wanted: &[FetchTopic]) -> Vec<ForgottenTopic> {
        let wanted: BTreeSet<(Uuid, i32)> = wanted
            .iter()
            .flat_map(|topic| {
                let partitions = topic.partitions.iter();
                partitions.map(|fetch| (topic.topic_id, fetch.partition))
            })
            .collect();
        let mut forgotten: Vec<ForgottenTopic> = Vec::new();
        self.partitions.retain(|key, known| {
            if wanted.contains(key) || mutants::is_active(Mutant::KeepForgotten) {
                return true;
            }
            let (topic_id, number) = *key;
            match forgotten.last_mut() {
                Some(last) if last.topic_id == topic_id => last.partitions.push(number),
                _ => forgotten.push(ForgottenTopic {
                    topic: known.topic.clone(),
                    topic_id,
                    partitions: vec![number],
                    ..ForgottenTopic::default()
                }),
            }
            false
        });
        for topic in &forgotten {
            let of_topic = (topic.topic_id, i32::MIN)..=(topic.topic_id, i32::MAX);
            if self.partitions.range(of_topic).next().is_none() {
                self.topic_ids.retain(|_, id| *id != topic.topic_id);
            }
        }
        forgotten
    }

    /// Adds or changes the partitions of a topic. Returns the topic with those that differ from the broker's.
    fn update(&mut self, mut wanted: FetchTopic) -> Option<FetchTopic> {
        let (topic, topic_id) = (wanted.topic.clone(), wanted.topic_id);
        if self.topic_ids.get(&topic) != Some(&topic_id) {
            self.topic_ids.insert(topic.clone(), topic_id);
        }
        wanted.partitions.retain(|fetch| {
            let known = self.partitions.get_mut(&(topic_id, fetch.partition));
            if let Some(known) = known {
                let is_changed = known.fetch != *fetch;
                known.fetch.clone_from(fetch);
                return is_changed;
            }
            let added = SessionPartition {
                topic: topic.clone(),
                fetch: fetch.clone(),
                offsets: None,
            };
            self.partitions.insert((topic_id, fetch.partition), added);
            true
        });
        (!wanted.partitions.is_empty()).then_some(wanted)
    }

    /// Processes the response to the last request. Adds the partitions that an incremental response leaves out because
    /// they have not changed. Returns whether the broker has refused the session: then the next request, which is full,
    /// can be sent at once.
    pub(crate) fn answered(&mut self, response: &mut FetchResponse) -> bool {
        self.is_unanswered = false;
        match ErrorCode::from_code(response.error_code) {
            ErrorCode::None => {}
            ErrorCode::FetchSessionIdNotFound => {
                *self = Self::default();
                return true;
            }
            ErrorCode::InvalidFetchSessionEpoch | ErrorCode::FetchSessionTopicIdError => {
                self.epoch = INITIAL_EPOCH;
                return true;
            }
            // The next fetch is full, and closes the session.
            _ => {
                self.epoch = INITIAL_EPOCH;
                return false;
            }
        }
        let answered = self.note_offsets(&response.responses);
        if self.epoch != INITIAL_EPOCH {
            response.responses.extend(self.unchanged(&answered));
        }
        if response.session_id == NO_SESSION {
            *self = Self::default();
        } else {
            self.id = response.session_id;
            // The highest epoch is followed by 1.
            self.epoch = self.epoch.checked_add(1).unwrap_or(1);
        }
        false
    }

    /// Stores the offsets of the partitions in a response. Returns these partitions.
    fn note_offsets(&mut self, responses: &[FetchableTopicResponse]) -> BTreeSet<(Uuid, i32)> {
        let mut answered = BTreeSet::new();
        for topic in responses {
            let by_name = || self.topic_ids.get(&topic.topic).copied();
            let topic_id = Some(topic.topic_id).filter(|id| !id.is_nil());
            let Some(topic_id) = topic_id.or_else(by_name) else {
                continue;
            };
            for data in &topic.partitions {
                let key = (topic_id, data.partition_index);
                answered.insert(key);
                if let Some(known) = self.partitions.get_mut(&key) {
                    known.offsets = (data.error_code == 0).then_some(KnownOffsets {
                        high_watermark: data.high_watermark,
                        last_stable_offset: data.last_stable_offset,
                    });
                }
            }
        }
        answered
    }

    /// The partitions that are not in `answered`, with the offsets of their last response.
    fn unchanged(
        &self,
        answered: &BTreeSet<(Uuid, i32)>,
    ) -> impl Iterator<Item = FetchableTopicResponse> {
        self.partitions.iter().filter_map(|(key, known)| {
            let offsets = known.offsets.filter(|_| !answered.contains(key))?;
            let (topic_id, partition_index) = *key;
            let data = PartitionData {
                partition_index,
                high_watermark: offsets.high_watermark,
                last_stable_offset: offsets.last_stable_offset,
                ..PartitionData::default()
            };
            Some(FetchableTopicResponse {
                topic: known.topic.clone(),
                topic_id,
                partitions: vec![data],
                ..FetchableTopicResponse::default()
            })
        })
    }

    /// The request that closes the session; `None` if there is none.
    pub(crate) fn close(&mut self) -> Option<FetchRequest> {
        let id = std::mem::take(self).id;
        (id != NO_SESSION).then(|| FetchRequest {
            session_id: id,
            session_epoch: FINAL_EPOCH,
            ..FetchRequest::default()
        })
    }
}

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;
