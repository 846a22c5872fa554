//! Sessions compared with a model of the broker's side, with random steps.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::*;

/// The partitions of a fetch.
type Wanted = BTreeMap<(Uuid, i32), FetchPartition>;

/// The broker's side of sessions, according to KIP-227.
#[derive(Debug, Default)]
struct Broker {
    sessions: BTreeMap<i32, (i32, Wanted)>,
    sessions_made: i32,
    /// Whether a full fetch gets no session.
    is_full: bool,
}

impl Broker {
    /// The partitions that a request fetches, or the code that refuses it; and the session id of the response.
    fn take(&mut self, request: &FetchRequest) -> Result<(Wanted, i32), ErrorCode> {
        if request.session_epoch <= INITIAL_EPOCH {
            self.sessions.remove(&request.session_id);
            let wanted = wanted(&request.topics);
            if request.session_epoch == FINAL_EPOCH || self.is_full {
                return Ok((wanted, NO_SESSION));
            }
            self.sessions_made += 1;
            self.sessions
                .insert(self.sessions_made, (1, wanted.clone()));
            return Ok((wanted, self.sessions_made));
        }
        let session = self.sessions.get_mut(&request.session_id);
        let (epoch, partitions) = session.ok_or(ErrorCode::FetchSessionIdNotFound)?;
        if *epoch != request.session_epoch {
            return Err(ErrorCode::InvalidFetchSessionEpoch);
        }
        *epoch += 1;
        partitions.extend(wanted(&request.topics));
        for topic in &request.forgotten_topics_data {
            for number in &topic.partitions {
                partitions.remove(&(topic.topic_id, *number));
            }
        }
        Ok((partitions.clone(), request.session_id))
    }
}

fn wanted(topics: &[FetchTopic]) -> Wanted {
    let topics = topics.iter();
    topics
        .flat_map(|topic| {
            let partitions = topic.partitions.iter();
            partitions.map(|fetch| ((topic.topic_id, fetch.partition), fetch.clone()))
        })
        .collect()
}

/// A full fetch of these partitions: topic, number and offset. Topic 0 has no id.
fn fetch(partitions: &[(u128, i32, i64)]) -> FetchRequest {
    let topics = partitions
        .iter()
        .map(|(topic, partition, offset)| FetchTopic {
            topic: format!("t{topic}").into(),
            topic_id: Uuid::from_u128(*topic),
            partitions: vec![FetchPartition {
                partition: *partition,
                fetch_offset: *offset,
                ..Default::default()
            }],
            ..Default::default()
        });
    FetchRequest {
        topics: topics.collect(),
        ..Default::default()
    }
}

/// The outcome of one fetch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Answered,
    RequestLost,
    ResponseLost,
    /// The broker has lost its sessions.
    Restarted,
    /// The broker has another epoch.
    OtherEpoch,
    /// The broker gets out of space for sessions, or has space again.
    RoomChanges,
    /// The response has an error that does not concern sessions.
    Failed,
}

type Step = (BTreeMap<(u128, i32), i64>, Fate);

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let with_ids = prop::collection::btree_map((1..4_u128, 0..3), 0..3_i64, 0..6);
    let without_id = prop::collection::btree_map((0..3_u128, 0..3), 0..3_i64, 0..4);
    let partitions = prop_oneof![9 => with_ids, 1 => without_id];
    let fate = prop_oneof![
        10 => Just(Fate::Answered),
        1 => Just(Fate::RequestLost),
        1 => Just(Fate::ResponseLost),
        1 => Just(Fate::Restarted),
        1 => Just(Fate::OtherEpoch),
        1 => Just(Fate::RoomChanges),
        1 => Just(Fate::Failed),
    ];
    prop::collection::vec((partitions, fate), 1..60)
}

fn check(steps: Vec<Step>) -> Result<(), TestCaseError> {
    let (mut broker, mut session) = (Broker::default(), FetchSession::default());
    for (partitions, fate) in steps {
        let partitions: Vec<_> = partitions
            .into_iter()
            .map(|((topic, number), offset)| (topic, number, offset))
            .collect();
        let full = fetch(&partitions);
        let mut request = full.clone();
        session.request(&mut request);
        match fate {
            Fate::RequestLost => continue,
            Fate::Restarted => broker.sessions.clear(),
            Fate::OtherEpoch => broker
                .sessions
                .values_mut()
                .for_each(|(epoch, _)| *epoch += 7),
            Fate::RoomChanges => broker.is_full = !broker.is_full,
            Fate::Answered | Fate::ResponseLost | Fate::Failed => {}
        }
        let mut response = FetchResponse::default();
        match broker.take(&request) {
            Ok((asked, id)) => {
                prop_assert_eq!(asked, wanted(&full.topics));
                response.session_id = id;
            }
            Err(code) => response.error_code = code.code(),
        }
        if fate == Fate::Failed {
            response.error_code = ErrorCode::UnknownServerError.code();
        }
        if fate != Fate::ResponseLost {
            session.answered(&mut response);
        }
    }
    Ok(())
}

#[test]
fn a_session_fetches_the_same_partitions_as_a_full_fetch() {
    let config = Config {
        cases: 2_000,
        failure_persistence: None,
        ..Config::default()
    };
    TestRunner::new(config).run(&steps(), check).unwrap();
}

fn answer(session_id: i32, high_watermarks: &[(u128, i32, i64)]) -> FetchResponse {
    let responses = high_watermarks
        .iter()
        .map(|(topic, partition_index, offset)| {
            let data = PartitionData {
                partition_index: *partition_index,
                high_watermark: *offset,
                ..Default::default()
            };
            FetchableTopicResponse {
                topic_id: Uuid::from_u128(*topic),
                partitions: vec![data],
                ..Default::default()
            }
        });
    FetchResponse {
        session_id,
        responses: responses.collect(),
        ..Default::default()
    }
}

#[test]
fn partitions_that_an_incremental_response_leaves_out_are_unchanged() {
    let mut session = FetchSession::default();
    session.request(&mut fetch(&[(1, 0, 5), (1, 1, 5)]));
    session.answered(&mut answer(7, &[(1, 0, 10), (1, 1, 20)]));
    session.request(&mut fetch(&[(1, 0, 5), (1, 1, 5)]));
    let mut response = answer(7, &[(1, 1, 21)]);
    session.answered(&mut response);
    let offsets: Vec<_> = response
        .responses
        .iter()
        .map(|topic| &topic.partitions[0])
        .map(|data| (data.partition_index, data.high_watermark))
        .collect();
    assert_eq!(offsets, [(1, 21), (0, 10)]);
}

#[test]
fn the_epoch_after_the_highest_is_one() {
    let mut session = FetchSession {
        id: 7,
        epoch: i32::MAX,
        ..FetchSession::default()
    };
    session.answered(&mut answer(7, &[]));
    assert_eq!(session.epoch, 1);
}

#[test]
fn a_session_is_closed_by_its_id_and_the_final_epoch() {
    let mut session = FetchSession::default();
    assert!(session.close().is_none());
    session.request(&mut fetch(&[(1, 0, 0)]));
    session.answered(&mut answer(7, &[]));
    let request = session.close().unwrap();
    assert_eq!((request.session_id, request.session_epoch), (7, -1));
    assert!(session.close().is_none());
}
