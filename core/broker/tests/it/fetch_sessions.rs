//! Fetch sessions: a client that sends and receives only changes misses nothing.

use std::collections::BTreeMap;

use crate::support::*;
use headwater_broker::{Broker, RequestContext};
use headwater_env::MemoryEnv;
use headwater_protocol::fetch_request::{FetchPartition, FetchTopic, ForgottenTopic};
use headwater_protocol::{ErrorCode, FetchRequest, FetchResponse, Response};
use rstest::rstest;
use uuid::Uuid;

const NAMES: i16 = 12;
const IDS: i16 = 13;

/// A fetch of `topic` in a session; without partitions it requests those of the session.
fn in_session(
    (session_id, session_epoch): (i32, i32),
    topic: &str,
    partitions: &[(i32, i64)],
) -> FetchRequest {
    let mut request = FetchRequest {
        session_id,
        session_epoch,
        min_bytes: 0,
        ..fetch_request(topic, partitions)
    };
    if partitions.is_empty() {
        request.topics.clear();
    }
    request
}

fn forget(topic: &str, partition: i32) -> Vec<ForgottenTopic> {
    vec![ForgottenTopic {
        topic: topic.into(),
        partitions: vec![partition],
        ..Default::default()
    }]
}

/// The partitions of a response, each with its number of records.
fn record_counts(response: &FetchResponse) -> Vec<(i32, usize)> {
    assert_eq!(code(response.error_code), ErrorCode::None);
    let partitions = response
        .responses
        .iter()
        .flat_map(|topic| &topic.partitions);
    partitions
        .map(|data| (data.partition_index, records(data).len()))
        .collect()
}

/// A broker with the topic "t" of three partitions, and the id of a session with all of them.
fn with_session(config: &[(&str, &str)]) -> (Broker<MemoryEnv>, i32) {
    let broker = open(&MemoryEnv::new(), config);
    create(&broker, "t", 3, &[]);
    let full = in_session((0, 0), "t", &[(0, 0), (1, 0), (2, 0)]);
    let response = ask_at(&broker, NAMES, full);
    assert_eq!(record_counts(&response), [(0, 0), (1, 0), (2, 0)]);
    (broker, response.session_id)
}

#[test]
fn a_session_receives_only_changes() {
    let (broker, id) = with_session(&[]);
    assert!(id > 0);
    assert_eq!(
        record_counts(&ask_at(&broker, NAMES, in_session((id, 1), "t", &[]))),
        []
    );
    append(&broker, "t", 1, batch(&["a", "b"]));
    let response = ask_at(&broker, NAMES, in_session((id, 2), "t", &[]));
    assert_eq!(
        (record_counts(&response), response.session_id),
        (vec![(1, 2)], id)
    );
    let moved = in_session((id, 3), "t", &[(1, 2)]);
    assert_eq!(record_counts(&ask_at(&broker, NAMES, moved)), []);
    append(&broker, "t", 1, batch(&["c"]));
    append(&broker, "t", 2, batch(&["d"]));
    let mut both = record_counts(&ask_at(&broker, NAMES, in_session((id, 4), "t", &[])));
    both.sort_unstable();
    assert_eq!(both, [(1, 1), (2, 1)]);
}

#[test]
fn partitions_are_added_and_forgotten() {
    let (broker, id) = with_session(&[]);
    create(&broker, "u", 1, &[]);
    let changed = FetchRequest {
        forgotten_topics_data: forget("t", 1),
        ..in_session((id, 1), "u", &[(0, 0)])
    };
    let response = ask_at(&broker, NAMES, changed);
    assert_eq!(
        (record_counts(&response), &*response.responses[0].topic),
        (vec![(0, 0)], "u")
    );
    append(&broker, "t", 1, batch(&["an unrequested record"]));
    assert_eq!(
        record_counts(&ask_at(&broker, NAMES, in_session((id, 2), "t", &[]))),
        []
    );
}

#[test]
fn an_empty_session_ends() {
    let (broker, id) = with_session(&[]);
    let mut forgotten = forget("t", 0);
    forgotten[0].partitions = vec![0, 1, 2];
    let last = FetchRequest {
        forgotten_topics_data: forgotten,
        ..in_session((id, 1), "t", &[])
    };
    let response = ask_at(&broker, NAMES, last);
    assert_eq!((record_counts(&response), response.session_id), (vec![], 0));
    let after = ask_at(&broker, NAMES, in_session((id, 2), "t", &[]));
    assert_eq!(code(after.error_code), ErrorCode::FetchSessionIdNotFound);
}

#[rstest]
#[case::an_epoch_too_early((0, 0), ErrorCode::None)]
#[case::an_epoch_too_late((0, 5), ErrorCode::InvalidFetchSessionEpoch)]
#[case::a_negative_epoch((0, -2), ErrorCode::InvalidFetchSessionEpoch)]
#[case::another_id((1, 1), ErrorCode::FetchSessionIdNotFound)]
fn a_fetch_that_does_not_fit_its_session_is_refused(
    #[case] (more, epoch): (i32, i32),
    #[case] expected: ErrorCode,
) {
    let (broker, id) = with_session(&[]);
    let response = ask_at(&broker, NAMES, in_session((id ^ more, epoch), "t", &[]));
    assert_eq!(code(response.error_code), expected);
    assert_eq!(response.responses.len(), 0);
}

#[test]
fn no_session_has_the_id_for_no_session() {
    let response = ask_at(&in_memory(), NAMES, in_session((0, 1), "t", &[]));
    assert_eq!(code(response.error_code), ErrorCode::FetchSessionIdNotFound);
}

#[test]
fn a_fetch_is_answered_once() {
    let (broker, id) = with_session(&[]);
    let request = || in_session((id, 1), "t", &[]);
    assert_eq!(record_counts(&ask_at(&broker, NAMES, request())), []);
    let again = ask_at(&broker, NAMES, request());
    assert_eq!(code(again.error_code), ErrorCode::InvalidFetchSessionEpoch);
}

#[test]
fn a_session_keeps_its_way_to_identify_topics() {
    let (broker, id) = with_session(&[]);
    let response = ask_at(&broker, IDS, in_session((id, 1), "t", &[]));
    assert_eq!(
        code(response.error_code),
        ErrorCode::FetchSessionTopicIdError
    );
}

#[test]
fn a_full_and_a_final_fetch_close_their_session() {
    for epoch in [0, -1] {
        let (broker, id) = with_session(&[]);
        let response = ask_at(&broker, NAMES, in_session((id, epoch), "t", &[(0, 0)]));
        assert_eq!(record_counts(&response), [(0, 0)]);
        assert_eq!(response.session_id == 0, epoch == -1);
        assert_ne!(response.session_id, id);
        let after = ask_at(&broker, NAMES, in_session((id, 1), "t", &[]));
        assert_eq!(code(after.error_code), ErrorCode::FetchSessionIdNotFound);
    }
}

#[test]
fn without_a_free_slot_the_response_is_full_and_has_no_session() {
    let (broker, first) = with_session(&[("max.incremental.fetch.session.cache.slots", "1")]);
    let response = ask_at(&broker, NAMES, in_session((0, 0), "t", &[(0, 0)]));
    assert_eq!(
        (record_counts(&response), response.session_id),
        (vec![(0, 0)], 0)
    );
    let kept = ask_at(&broker, NAMES, in_session((first, 1), "t", &[]));
    assert_eq!(code(kept.error_code), ErrorCode::None);
}

#[test]
fn topics_are_identified_by_id_across_deletion_and_recreation() {
    let broker = in_memory();
    let id = try_create(&broker, creatable("t", 1, &[])).topic_id;
    let by_id = |topic_id| FetchTopic {
        topic_id,
        partitions: fetch_request("", &[(0, 0)]).topics.remove(0).partitions,
        ..Default::default()
    };
    let full = FetchRequest {
        topics: vec![by_id(id), by_id(Uuid::from_u128(5)), by_id(Uuid::nil())],
        ..in_session((0, 0), "", &[])
    };
    let codes = |response: &FetchResponse| {
        let partitions = response
            .responses
            .iter()
            .flat_map(|topic| &topic.partitions);
        partitions
            .map(|data| code(data.error_code))
            .collect::<Vec<_>>()
    };
    let response = ask_at(&broker, IDS, full);
    let unknown = ErrorCode::UnknownTopicId;
    assert_eq!(codes(&response), [ErrorCode::None, unknown, unknown]);
    let session = response.session_id;
    let response = ask_at(&broker, IDS, in_session((session, 1), "", &[]));
    assert_eq!(
        codes(&response),
        [unknown, unknown],
        "errors are always sent"
    );
    delete(&broker, "t");
    create(&broker, "t", 1, &[]);
    let response = ask_at(&broker, IDS, in_session((session, 2), "", &[]));
    assert_eq!(
        codes(&response),
        [unknown; 3],
        "a new topic of the same name is another topic"
    );
}

#[tokio::test(start_paused = true)]
async fn an_incremental_fetch_waits_for_partitions_of_its_session() {
    let (broker, id) = with_session(&[]);
    let waiting = {
        let broker = broker.clone();
        let request = FetchRequest {
            min_bytes: 1,
            max_wait_ms: 60_000,
            ..in_session((id, 1), "t", &[])
        };
        tokio::spawn(async move {
            let context = RequestContext {
                api_version: Some(NAMES),
                ..RequestContext::default()
            };
            match broker.handle(&context, request.into()).await {
                Response::Fetch(response) => response,
                other => panic!("{other:?}"),
            }
        })
    };
    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    assert!(!waiting.is_finished());
    append(&broker, "t", 2, batch(&["x"]));
    assert_eq!(record_counts(&waiting.await.unwrap()), [(2, 1)]);
}

#[test]
fn the_state_of_a_session_client_always_equals_a_full_fetch() {
    let (broker, id) = with_session(&[]);
    let mut positions = BTreeMap::from([(0, 0_i64), (1, 0), (2, 0)]);
    let mut received: BTreeMap<i32, Vec<String>> = BTreeMap::new();
    let mut high_watermarks = BTreeMap::new();
    let mut moved: Vec<(i32, i64)> = Vec::new();
    for step in 1..60 {
        let partition = step * 7 % 3;
        if step % 4 != 0 {
            append(&broker, "t", partition, batch(&[&format!("v{step}")]));
        }
        let response = ask_at(&broker, NAMES, in_session((id, step), "t", &moved));
        moved.clear();
        for data in response
            .responses
            .iter()
            .flat_map(|topic| &topic.partitions)
        {
            high_watermarks.insert(data.partition_index, data.high_watermark);
            let new = records(data);
            if let Some((last, _)) = new.last() {
                positions.insert(data.partition_index, last + 1);
                moved.push((data.partition_index, last + 1));
            }
            let values = new.into_iter().map(|(_, value)| value);
            received
                .entry(data.partition_index)
                .or_default()
                .extend(values);
        }
        for (partition, position) in &positions {
            let full = fetch(&broker, "t", *partition, *position);
            assert_eq!(records(&full).len(), 0, "step {step}");
            assert_eq!(
                high_watermarks.get(partition).copied().unwrap_or(0),
                full.high_watermark
            );
        }
    }
    for (partition, values_received) in received {
        assert_eq!(values_received, values(&broker, "t", partition));
    }
}

fn partition_error(broker: &Broker<MemoryEnv>, version: i16, wanted: FetchPartition) -> ErrorCode {
    let request = FetchRequest {
        topics: vec![FetchTopic {
            topic: "t".into(),
            partitions: vec![wanted],
            ..Default::default()
        }],
        ..fetch_request("t", &[])
    };
    let response = ask_at(broker, version, request);
    let mut bytes = bytes::BytesMut::new();
    Response::from(response.clone())
        .encode(&mut bytes, version)
        .expect("the version can carry the answer");
    code(first(response).error_code)
}

#[test]
fn clients_without_zstd_support_do_not_receive_it() {
    let broker = in_memory();
    create(&broker, "t", 1, &[("compression.type", "zstd")]);
    append(&broker, "t", 0, batch(&["x"]));
    let error = |version| partition_error(&broker, version, FetchPartition::default());
    assert_eq!(error(9), ErrorCode::UnsupportedCompressionType);
    assert_eq!(error(10), ErrorCode::None);
}

#[test]
fn leadership_errors_are_sent_in_every_version_with_epochs() {
    let broker = in_memory();
    create(&broker, "t", 1, &[]);
    for version in 9..=12 {
        let future = FetchPartition {
            current_leader_epoch: 7,
            ..Default::default()
        };
        assert_eq!(
            partition_error(&broker, version, future),
            ErrorCode::UnknownLeaderEpoch
        );
    }
}
