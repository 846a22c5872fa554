//! Versions and kinds of requests.

use super::*;

#[tokio::test(start_paused = true)]
async fn an_unknown_version_of_api_versions_is_answered_in_layout_0() {
    let mut client = connect(Limits::default());
    let future = [0, 0, 0, 12, 0, 18, 0, 99, 0, 0, 0, 77, 0xFF, 0xFF, 1, 2];
    client.stream.write_all(&future).await.unwrap();
    let (id, response) = client.receive(ApiKey::ApiVersions, 0).await;
    let response = <ApiVersionsRequest as ApiRequest>::Response::try_from(response).unwrap();
    assert_eq!(id, 77);
    assert_eq!(
        ErrorCode::from_code(response.error_code),
        ErrorCode::UnsupportedVersion
    );
    let keys: Vec<_> = response.api_keys.iter().map(|api| api.api_key).collect();
    assert_eq!(keys, [0, 1, 12, 17, 18, 36]);
    client.next = 0;
    client.heartbeat("a").await;
    assert_eq!(client.receive_heartbeat().await, 0);
}

#[tokio::test(start_paused = true)]
async fn unknown_and_unsupported_apis_end_the_connection() {
    // 4 is LeaderAndIsr, 24 AddPartitionsToTxn, and Heartbeat has no version 9.
    for (api, version) in [(4_i16, 0_i16), (999, 0), (24, 0), (12, 9)] {
        let mut client = connect(Limits::default());
        let frame = [
            &[0, 0, 0, 12][..],
            &api.to_be_bytes(),
            &version.to_be_bytes(),
            &[0, 0, 0, 1, 0xFF, 0xFF, 0, 0],
        ]
        .concat();
        client.stream.write_all(&frame).await.unwrap();
        assert!(matches!(client.end().await, End::Refused), "{api}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_produce_without_acknowledgement_gets_no_response() {
    let mut client = connect(Limits::default());
    let silent = ProduceRequest {
        acks: 0,
        ..Default::default()
    };
    client.send(silent, 9).await;
    client.heartbeat("after").await;
    assert_eq!(client.receive_heartbeat().await, 1);
    assert_eq!(client.handler.0.lock().started, ["Produce", "after"]);
}
