use std::collections::BTreeMap;

use bytes::Bytes;
use proptest::prelude::*;

use super::*;

fn wanted(topic: &str, partitions: &[(i32, i64)]) -> FetchTopic {
    let partition = |(partition, fetch_offset): &(i32, i64)| FetchPartition {
        partition: *partition,
        fetch_offset: *fetch_offset,
        ..FetchPartition::default()
    };
    FetchTopic {
        topic: topic.into(),
        partitions: partitions.iter().map(partition).collect(),
        ..FetchTopic::default()
    }
}

fn forgotten(topic: &str, partition: i32) -> ForgottenTopic {
    ForgottenTopic {
        topic: topic.into(),
        partitions: vec![partition],
        ..ForgottenTopic::default()
    }
}

/// The state of a partition.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct PartitionState {
    high_watermark: i64,
    log_start_offset: i64,
    fails: bool,
}

/// The full response to `topics`.
fn answer(
    topics: &[FetchTopic],
    facts: impl Fn(&str, i32) -> PartitionState,
) -> Vec<FetchableTopicResponse> {
    let data = |topic: &str, wanted: &FetchPartition| {
        let facts = facts(topic, wanted.partition);
        let has_records = !facts.fails && wanted.fetch_offset < facts.high_watermark;
        PartitionData {
            partition_index: wanted.partition,
            error_code: if facts.fails {
                ErrorCode::KafkaStorageError.code()
            } else {
                0
            },
            high_watermark: if facts.fails {
                -1
            } else {
                facts.high_watermark
            },
            log_start_offset: facts.log_start_offset,
            records: Some(Bytes::from_static(if has_records { b"batch" } else { b"" })),
            ..PartitionData::default()
        }
    };
    let topic = |topic: &FetchTopic| FetchableTopicResponse {
        topic: topic.topic.clone(),
        partitions: topic
            .partitions
            .iter()
            .map(|wanted| data(&topic.topic, wanted))
            .collect(),
        ..FetchableTopicResponse::default()
    };
    topics.iter().map(topic).collect()
}

fn flat(answer: &[FetchableTopicResponse]) -> Vec<(String, i32)> {
    let partitions = |topic: &FetchableTopicResponse| {
        let name = topic.topic.to_string();
        let named = topic.partitions.iter();
        named
            .map(|data| (name.clone(), data.partition_index))
            .collect::<Vec<_>>()
    };
    answer.iter().flat_map(partitions).collect()
}

#[test]
fn partitions_that_gave_records_go_to_the_end_of_the_queue() {
    let mut session = Session::new(TopicReference::Names);
    session.update(
        &[wanted("a", &[(0, 0), (1, 0)]), wanted("b", &[(0, 0)])],
        &[],
    );
    let full = answer(&session.topics(), |topic, partition| PartitionState {
        high_watermark: i64::from(topic == "a" && partition == 0),
        ..PartitionState::default()
    });
    assert_eq!(
        flat(&session.changes(full)).len(),
        3,
        "all are new at first"
    );
    let order: Vec<_> = session
        .topics()
        .iter()
        .map(|topic| (topic.topic.to_string(), topic.partitions[0].partition))
        .collect();
    assert_eq!(order, [("a".into(), 1), ("b".into(), 0), ("a".into(), 0)]);
}

#[test]
fn a_partition_is_sent_again_after_its_error_has_ended() {
    let mut session = Session::new(TopicReference::Names);
    session.update(&[wanted("t", &[(0, 9)])], &[]);
    let mut changes = |fails| {
        let facts = PartitionState {
            high_watermark: 9,
            log_start_offset: 0,
            fails,
        };
        let full = answer(&session.topics(), |_, _| facts);
        flat(&session.changes(full)).len()
    };
    assert_eq!(
        [
            changes(false),
            changes(false),
            changes(true),
            changes(true),
            changes(false),
            changes(false)
        ],
        [1, 0, 1, 1, 1, 0]
    );
}

#[test]
fn a_session_keeps_no_request_in_memory() {
    let request = Bytes::from("topic and much else".repeat(1000));
    let slice = Str::try_from(request.slice(0..5)).unwrap();
    let mut topic = wanted("", &[(0, 0)]);
    topic.topic = slice.clone();
    let mut session = Session::new(TopicReference::Names);
    session.update(&[topic], &[]);
    assert_eq!(session.topics()[0].topic, slice);
    assert_ne!(session.topics()[0].topic.as_ptr(), slice.as_ptr());
}

#[test]
fn only_the_expected_epoch_and_naming_are_accepted() {
    let mut session = Session::new(TopicReference::Ids);
    let first = session.epoch();
    assert_eq!(session.check(first, TopicReference::Ids), Ok(()));
    assert_eq!(
        session.check(first, TopicReference::Names),
        Err(ErrorCode::FetchSessionTopicIdError)
    );
    let second = session.begin_next();
    assert_eq!(
        session.check(first, TopicReference::Ids),
        Err(ErrorCode::InvalidFetchSessionEpoch)
    );
    assert_eq!(session.check(second, TopicReference::Ids), Ok(()));
}

#[derive(Debug, Clone)]
enum Step {
    Want(u8, i32, i64),
    Forget(u8, i32),
    Change(u8, i32, PartitionState),
    Fetch,
}

fn step() -> impl Strategy<Value = Step> {
    let place = || (0..3_u8, 0..3_i32);
    let facts = (0..4_i64, 0..3_i64, prop::bool::weighted(0.2)).prop_map(
        |(high_watermark, log_start_offset, fails)| PartitionState {
            high_watermark,
            log_start_offset,
            fails,
        },
    );
    prop_oneof![
        2 => (place(), 0..4_i64).prop_map(|((t, p), offset)| Step::Want(t, p, offset)),
        1 => place().prop_map(|(t, p)| Step::Forget(t, p)),
        2 => (place(), facts).prop_map(|((t, p), facts)| Step::Change(t, p, facts)),
        3 => Just(Step::Fetch),
    ]
}

fn name(topic: u8) -> String {
    format!("t{topic}")
}

proptest! {
    /// The responses of a session so far add up to a full response at every fetch.
    #[test]
    fn the_responses_of_a_session_add_up_to_a_full_response(
        steps in prop::collection::vec(step(), 1..120)
    ) {
        type PartitionKey = (String, i32);
        let mut session = Session::new(TopicReference::Names);
        let mut facts: BTreeMap<PartitionKey, PartitionState> = BTreeMap::new();
        let mut requested: BTreeMap<PartitionKey, i64> = BTreeMap::new();
        let mut received: BTreeMap<PartitionKey, PartitionData> = BTreeMap::new();
        for step in steps {
            match step {
                Step::Want(topic, partition, offset) => {
                    session.update(&[wanted(&name(topic), &[(partition, offset)])], &[]);
                    requested.insert((name(topic), partition), offset);
                }
                Step::Forget(topic, partition) => {
                    session.update(&[], &[forgotten(&name(topic), partition)]);
                    requested.remove(&(name(topic), partition));
                    received.remove(&(name(topic), partition));
                }
                Step::Change(topic, partition, new) => {
                    facts.insert((name(topic), partition), new);
                }
                Step::Fetch => {
                    let now = |topic: &str, partition: i32| {
                        facts.get(&(topic.to_owned(), partition)).copied().unwrap_or_default()
                    };
                    let topics = session.topics();
                    let mut fetched: Vec<_> = topics
                        .iter()
                        .flat_map(|topic| topic.partitions.iter().map(|partition| {
                            ((topic.topic.to_string(), partition.partition), partition.fetch_offset)
                        }))
                        .collect();
                    fetched.sort();
                    prop_assert_eq!(fetched, requested.clone().into_iter().collect::<Vec<_>>());
                    prop_assert_eq!(session.len(), requested.len());

                    let full = answer(&topics, now);
                    let changes = session.changes(full.clone());
                    prop_assert!(changes.iter().all(|topic| !topic.partitions.is_empty()));
                    for topic in changes {
                        for data in topic.partitions {
                            let place = (topic.topic.to_string(), data.partition_index);
                            let silent = data.records.as_ref().is_some_and(Bytes::is_empty)
                                && data.error_code == 0;
                            prop_assert!(!silent || received.get(&place) != Some(&data), "no news");
                            received.insert(place, data);
                        }
                    }
                    for topic in full {
                        for data in topic.partitions {
                            let place = (topic.topic.to_string(), data.partition_index);
                            // Records are sent once; the session does not store them.
                            let known = received.get_mut(&place).unwrap();
                            prop_assert_eq!(&*known, &data);
                            known.records = Some(Bytes::new());
                        }
                    }
                }
            }
        }
    }
}
