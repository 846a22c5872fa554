//! Connections: pipelining, loss, reconnection, idleness, closing.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use headwater_client::{Node, Purpose, Transport as _, TransportErrorKind};
use headwater_protocol::{ProduceRequest, Request};
use rstest::rstest;

use crate::passwords::PLAIN;
use crate::support::{Peer, ask, ask_node, lane, lane_of, response_bytes, transport};

#[tokio::test]
async fn requests_are_pipelined_on_one_connection() {
    let in_flight = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&in_flight);
    let peer = Peer::start(move |mut broker, _| {
        let seen = Arc::clone(&seen);
        async move {
            broker.greet().await;
            let mut requests = Vec::new();
            for _ in 0..10 {
                requests.push(broker.next().await.unwrap());
            }
            seen.store(requests.len(), Ordering::SeqCst);
            for request in &requests {
                broker.answer(request).await;
            }
            std::future::pending::<()>().await;
        }
    })
    .await;
    let lane = lane(&[&peer.address], &[]);
    let calls = (0..10).map(|_| ask(&*lane));
    for answer in futures_util::future::join_all(calls).await {
        answer.unwrap();
    }
    assert_eq!(in_flight.load(Ordering::SeqCst), 10);
    assert_eq!(peer.accepted(), 1);
}

#[tokio::test]
async fn each_lane_has_connections_of_its_own() {
    let peer = Peer::obliging().await;
    let transport = transport(&[&peer.address], &[]);
    for purpose in [Purpose::Admin, Purpose::Produce, Purpose::Fetch] {
        let lane = lane_of(&transport, purpose);
        ask(&*lane).await.unwrap();
        ask(&*lane).await.unwrap();
    }
    assert_eq!(peer.accepted(), 3);
}

#[rstest]
#[case::closed(Loss::Close)]
#[case::cut_in_a_response(Loss::CutResponse)]
#[case::wrong_order(Loss::WrongCorrelationId)]
#[case::repeated(Loss::RepeatedResponse)]
#[tokio::test]
async fn a_lost_connection_fails_its_calls_and_is_opened_again(#[case] loss: Loss) {
    let peer = Peer::start(move |mut broker, number| async move {
        if number > 0 {
            while let Some(request) = broker.next().await {
                broker.answer(&request).await;
            }
            return;
        }
        broker.greet().await;
        let first = broker.next().await.unwrap();
        if loss == Loss::RepeatedResponse {
            broker.answer(&first).await;
            broker.answer(&first).await;
            std::future::pending::<()>().await;
        }
        let id = first.header.correlation_id;
        match loss {
            Loss::Close => {}
            Loss::CutResponse => {
                let bytes = response_bytes(&first, id);
                broker.write(&bytes[..bytes.len() - 1]).await;
            }
            _ => {
                let bytes = response_bytes(&first, id + 1);
                broker.write(&bytes).await;
                std::future::pending::<()>().await;
            }
        }
    })
    .await;
    let lane = lane(&[&peer.address], &[("reconnect.backoff.ms", "1")]);
    let first = ask(&*lane).await;
    if loss == Loss::RepeatedResponse {
        first.unwrap();
    } else {
        assert!(first.unwrap_err().sent, "the broker may have executed it");
    }
    // The second response of `RepeatedResponse` may not have arrived yet.
    while peer.accepted() < 2 {
        let _ = ask(&*lane).await;
    }
    ask(&*lane).await.unwrap();
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Loss {
    Close,
    CutResponse,
    WrongCorrelationId,
    RepeatedResponse,
}

/// The response to `ApiVersions` arrives again. It is never taken for the response to a later request, and another
/// attempt may help.
#[rstest]
#[case::together(Repeat::Together, &[])]
#[case::in_place_of_a_response(Repeat::InPlaceOfResponse, &[])]
#[case::in_place_of_a_response_during_authentication(Repeat::InPlaceOfResponse, &PLAIN)]
#[tokio::test]
async fn a_repeated_greeting_costs_only_its_connection(
    #[case] repeat: Repeat,
    #[case] keys: &[(&str, &str)],
) {
    let peer = Peer::start(move |mut broker, _| async move {
        let greeting = broker.next().await.unwrap();
        let bytes = response_bytes(&greeting, greeting.header.correlation_id);
        if repeat == Repeat::Together {
            broker.write(&[&bytes[..], &bytes[..]].concat()).await;
        } else {
            broker.write(&bytes).await;
            broker.next().await.unwrap();
            broker.write(&bytes).await;
        }
        std::future::pending::<()>().await;
    })
    .await;
    let error = ask(&*lane(&[&peer.address], keys)).await.unwrap_err();
    assert_eq!(error.kind, TransportErrorKind::Unreachable, "{error}");
    assert!(error.to_string().contains("not in order"), "{error}");
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Repeat {
    Together,
    InPlaceOfResponse,
}

#[tokio::test]
async fn a_caller_that_stops_waiting_does_not_disturb_the_others() {
    let peer = Peer::start(|mut broker, _| async move {
        broker.greet().await;
        let first = broker.next().await.unwrap();
        let second = broker.next().await.unwrap();
        broker.answer(&first).await;
        broker.answer(&second).await;
        while let Some(request) = broker.next().await {
            broker.answer(&request).await;
        }
    })
    .await;
    let lane = lane(&[&peer.address], &[]);
    let mut abandoned = Box::pin(ask(&*lane));
    let waited = tokio::time::timeout(Duration::from_millis(300), abandoned.as_mut()).await;
    assert!(waited.is_err());
    drop(abandoned);
    ask(&*lane).await.unwrap();
    ask(&*lane).await.unwrap();
    assert_eq!(peer.accepted(), 1);
}

#[tokio::test]
async fn a_broker_that_does_not_answer_within_the_request_timeout_loses_its_connection() {
    let peer = Peer::start(|mut broker, number| async move {
        broker.greet().await;
        while let Some(request) = broker.next().await {
            if number > 0 {
                broker.answer(&request).await;
            }
        }
    })
    .await;
    let keys = [("request.timeout.ms", "200"), ("reconnect.backoff.ms", "1")];
    let lane = lane(&[&peer.address], &keys);
    let waited = tokio::time::timeout(Duration::from_millis(200), ask(&*lane)).await;
    assert!(waited.is_err());
    ask(&*lane).await.unwrap();
    assert_eq!(peer.accepted(), 2);
}

#[tokio::test]
async fn an_idle_connection_is_closed_and_opened_again_without_an_error() {
    let peer = Peer::obliging().await;
    let lane = lane(&[&peer.address], &[("connections.max.idle.ms", "50")]);
    ask(&*lane).await.unwrap();
    tokio::time::sleep(Duration::from_millis(400)).await;
    ask(&*lane).await.unwrap();
    assert_eq!(peer.accepted(), 2);
}

#[tokio::test]
async fn a_long_poll_is_not_idle() {
    let peer = Peer::start(|mut broker, _| async move {
        broker.greet().await;
        while let Some(request) = broker.next().await {
            tokio::time::sleep(Duration::from_millis(400)).await;
            broker.answer(&request).await;
        }
    })
    .await;
    let lane = lane(&[&peer.address], &[("connections.max.idle.ms", "50")]);
    ask(&*lane).await.unwrap();
    assert_eq!(peer.accepted(), 1);
}

#[tokio::test]
async fn concurrent_first_calls_open_one_connection() {
    let peer = Peer::obliging().await;
    let transport = transport(&[&peer.address], &[]);
    transport.learn(&[peer.broker(1)]);
    let lane = lane_of(&transport, Purpose::Produce);
    let calls = (0..20).map(|_| ask_node(&*lane, Node::Id(1)));
    for answer in futures_util::future::join_all(calls).await {
        answer.unwrap();
    }
    assert_eq!(peer.accepted(), 1);
}

#[tokio::test]
async fn a_produce_without_acknowledgement_ends_when_it_is_written() {
    let peer = Peer::start(|mut broker, _| async move {
        broker.greet().await;
        let mut without_answer = 0;
        while let Some(request) = broker.next().await {
            if let Request::Produce(_) = request.request {
                without_answer += 1;
            } else {
                assert_eq!(without_answer, 3);
                broker.answer(&request).await;
            }
        }
    })
    .await;
    let lane = lane(&[&peer.address], &[]);
    for _ in 0..3 {
        let request = ProduceRequest {
            acks: 0,
            ..ProduceRequest::default()
        };
        lane.call(Node::Any, request.into()).await.unwrap();
    }
    ask(&*lane).await.unwrap();
}

#[tokio::test]
async fn closing_ends_calls_in_flight_and_refuses_later_ones() {
    let peer = Peer::start(|mut broker, _| async move {
        broker.greet().await;
        while broker.next().await.is_some() {}
    })
    .await;
    let transport = transport(&[&peer.address], &[]);
    let lane = lane_of(&transport, Purpose::Fetch);
    let waiting = tokio::spawn({
        let lane = Arc::clone(&lane);
        async move { ask(&*lane).await }
    });
    while peer.accepted() == 0 {
        tokio::task::yield_now().await;
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    let closed = Arc::clone(&transport);
    let watched = tokio::spawn(async move { closed.closed().await });
    tokio::task::yield_now().await;
    transport.close();
    transport.close();
    let error = waiting.await.unwrap().unwrap_err();
    assert_eq!(error.kind, TransportErrorKind::Closed);
    let later = ask(&*lane).await.unwrap_err();
    assert_eq!(
        (later.kind, later.sent),
        (TransportErrorKind::Closed, false)
    );
    watched.await.unwrap();
}

#[tokio::test]
async fn a_large_request_is_written_whole_while_the_broker_reads_slowly() {
    let peer = Peer::start(|mut broker, _| async move {
        broker.greet().await;
        tokio::time::sleep(Duration::from_millis(200)).await;
        while let Some(request) = broker.next().await {
            if let Request::Metadata(metadata) = &request.request {
                assert_eq!(metadata.topics.as_ref().unwrap().len(), 200_000);
            }
            broker.answer(&request).await;
        }
    })
    .await;
    let lane = lane(&[&peer.address], &[]);
    let topic = headwater_protocol::metadata_request::MetadataRequestTopic {
        name: Some("a-topic-with-a-name-of-some-length-so-that-the-request-is-large".into()),
        ..Default::default()
    };
    let request = headwater_protocol::MetadataRequest {
        topics: Some(vec![topic; 200_000]),
        ..Default::default()
    };
    lane.call(Node::Any, request.into()).await.unwrap();
}

#[tokio::test]
async fn a_stalled_connection_ends_even_if_its_callers_stop_waiting_early() {
    let peer = Peer::start(|mut broker, number| async move {
        broker.greet().await;
        while let Some(request) = broker.next().await {
            if number > 0 {
                broker.answer(&request).await;
            }
        }
    })
    .await;
    let keys = [("request.timeout.ms", "200"), ("reconnect.backoff.ms", "1")];
    let lane = lane(&[&peer.address], &keys);
    while peer.accepted() < 2 {
        let _ = tokio::time::timeout(Duration::from_millis(20), ask(&*lane)).await;
    }
    ask(&*lane).await.unwrap();
}

#[tokio::test]
async fn requests_without_acknowledgement_to_a_broker_that_does_not_read_fail() {
    let peer = Peer::start(|mut broker, _| async move {
        broker.greet().await;
        std::future::pending::<()>().await;
    })
    .await;
    let keys = [("request.timeout.ms", "200")];
    let lane = lane(&[&peer.address], &keys);
    let records = bytes::Bytes::from(vec![0; 32 << 20]);
    let partition = headwater_protocol::produce_request::PartitionProduceData {
        records: Some(records),
        ..Default::default()
    };
    let topic = headwater_protocol::produce_request::TopicProduceData {
        name: "t".into(),
        partition_data: vec![partition],
        ..Default::default()
    };
    let request = ProduceRequest {
        acks: 0,
        topic_data: vec![topic],
        ..ProduceRequest::default()
    };
    let error = lane.call(Node::Any, request.into()).await.unwrap_err();
    assert_eq!(
        (error.kind, error.sent),
        (TransportErrorKind::Unreachable, true)
    );
}

#[tokio::test]
async fn a_broker_that_refuses_connections_is_not_tried_without_a_pause() {
    let peer = Peer::start(|broker, _| async move { drop(broker) }).await;
    let keys = [
        ("reconnect.backoff.ms", "300"),
        ("reconnect.backoff.max.ms", "300"),
    ];
    let lane = lane(&[&peer.address], &keys);
    let until = std::time::Instant::now() + Duration::from_millis(700);
    while std::time::Instant::now() < until {
        let _ = ask(&*lane).await;
    }
    assert!(peer.accepted() <= 4, "{}", peer.accepted());
}

#[tokio::test]
async fn calls_survive_the_runtime_that_made_the_first_of_them() {
    let peer = Peer::obliging().await;
    let lane = lane(&[&peer.address], &[]);
    let address = Arc::clone(&lane);
    let other = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        runtime.block_on(ask(&*address)).unwrap();
    });
    tokio::task::spawn_blocking(move || other.join().unwrap())
        .await
        .unwrap();
    ask(&*lane).await.unwrap();
    assert_eq!(peer.accepted(), 1);
}
