//! Produce requests that arrive together are handled together, with the results of single requests.

use super::*;

fn produce(acks: i16) -> ProduceRequest {
    ProduceRequest {
        acks,
        ..Default::default()
    }
}

impl Client {
    /// Sends requests so that they arrive together.
    async fn send_together(&mut self, requests: &[(Request, i16)]) {
        let frames: Vec<_> = requests
            .iter()
            .map(|(request, version)| self.encode(request.clone(), *version))
            .collect();
        self.stream.write_all(&frames.concat()).await.unwrap();
        settle().await;
    }

    fn runs(&self) -> Vec<usize> {
        self.handler.0.lock().produced.clone()
    }
}

#[tokio::test(start_paused = true)]
async fn requests_that_arrive_together_are_one_run_with_separate_responses() {
    let mut client = connect(Limits::default());
    client.send_together(&vec![(produce(1).into(), 9); 5]).await;
    for expected in 0..5 {
        assert_eq!(client.receive(ApiKey::Produce, 9).await.0, expected);
    }
    assert_eq!(client.runs(), [5]);
}

#[tokio::test(start_paused = true)]
async fn other_requests_and_versions_end_a_run_and_keep_the_order() {
    let mut client = connect(Limits::default());
    let mut requests = vec![(produce(1).into(), 9); 2];
    requests.push((heartbeat("between").into(), 4));
    requests.push((produce(1).into(), 9));
    requests.push((produce(1).into(), 8));
    client.send_together(&requests).await;
    for (expected, (request, version)) in requests.iter().enumerate() {
        let (id, _) = client.receive(request.api_key(), *version).await;
        assert_eq!(id, expected as i32);
    }
    assert_eq!(client.runs(), [2, 1, 1]);
    let started = client.handler.0.lock().started.clone();
    assert_eq!(
        started,
        ["Produce", "Produce", "between", "Produce", "Produce"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_run_is_limited_by_the_requests_in_flight_and_continued_without_responses() {
    let limits = Limits {
        requests_in_flight_max: 3,
        ..Limits::default()
    };
    let mut client = connect(limits);
    client
        .send_together(&vec![(produce(0).into(), 9); 10])
        .await;
    assert_eq!(client.runs(), [3, 3, 3, 1]);
    client.heartbeat("after").await;
    assert_eq!(client.receive_heartbeat().await, 10);
}

#[tokio::test(start_paused = true)]
async fn a_run_before_an_unsupported_request_is_answered() {
    let mut client = connect(Limits::default());
    let mut bytes = [client.encode(produce(1), 9), client.encode(produce(1), 9)].concat();
    // An unknown API.
    bytes.extend([0, 0, 0, 12, 3, 231, 0, 0, 0, 0, 0, 1, 0xFF, 0xFF, 0, 0]);
    client.stream.write_all(&bytes).await.unwrap();
    for expected in 0..2 {
        assert_eq!(client.receive(ApiKey::Produce, 9).await.0, expected);
    }
    assert_eq!(client.runs(), [2]);
    assert!(matches!(client.end().await, End::Refused));
}

#[tokio::test(start_paused = true)]
async fn a_run_before_an_invalid_length_is_answered() {
    let mut client = connect(Limits::default());
    let mut bytes = [client.encode(produce(0), 9), client.encode(produce(0), 9)].concat();
    bytes.extend((-1_i32).to_be_bytes());
    client.stream.write_all(&bytes).await.unwrap();
    settle().await;
    assert_eq!(client.runs(), [2]);
    assert!(matches!(client.end().await, End::Frame(_)));
}
