//! What requests hold beyond their frames is counted, and bounded by `queued.max.request.bytes`.

use crate::support::groups::*;
use crate::support::*;
use bytes::Bytes;
use headwater_env::SimEnv;
use headwater_protocol::join_group_request::JoinGroupRequestProtocol;
use headwater_protocol::leave_group_request::MemberIdentity;
use headwater_protocol::{ErrorCode, JoinGroupRequest, LeaveGroupRequest};
use headwater_record::Compression;
use rstest::rstest;

fn joining_with(group: &str, bytes: usize) -> JoinGroupRequest {
    JoinGroupRequest {
        group_id: group.into(),
        protocols: vec![JoinGroupRequestProtocol {
            name: "range".into(),
            metadata: Bytes::from(vec![0; bytes]),
            ..Default::default()
        }],
        ..join_request("", Some("i"))
    }
}

#[tokio::test]
async fn what_members_of_groups_say_takes_a_quarter_at_most_until_they_leave() {
    let env = SimEnv::new(1);
    let broker = open(&env, &[("queued.max.request.bytes", "400000")]);
    let joining = begin(&broker, joining_with("a", 60_000));
    settle().await;
    let held = 60_000 + "range".len();
    assert_eq!(broker.memory().used(), held);
    let refused = ask(&broker, joining_with("b", 60_000));
    assert_eq!(code(refused.error_code), ErrorCode::CoordinatorNotAvailable);
    assert_eq!(broker.memory().used(), held);
    let leave = LeaveGroupRequest {
        group_id: "a".into(),
        members: vec![MemberIdentity {
            group_instance_id: Some("i".into()),
            ..Default::default()
        }],
        ..Default::default()
    };
    assert_eq!(code(ask(&broker, leave).error_code), ErrorCode::None);
    joining.await.unwrap();
    assert_eq!(broker.memory().used(), 0);
    let _joining = begin(&broker, joining_with("b", 60_000));
    settle().await;
    assert_eq!(broker.memory().used(), held);
}

#[rstest]
#[case::little(1 << 20, ErrorCode::None)]
#[case::much(6 << 20, ErrorCode::None)]
#[case::more_than_there_is(12 << 20, ErrorCode::MessageTooLarge)]
fn a_batch_decompresses_within_the_memory_of_requests(
    #[case] bytes: usize,
    #[case] expected: ErrorCode,
    #[values(Compression::Gzip, Compression::Zstd, Compression::Lz4)] codec: Compression,
) {
    let env = SimEnv::new(1);
    let broker = open(&env, &[("queued.max.request.bytes", "8388608")]);
    create(&broker, "t", 1, &[]);
    let response = produce(&broker, "t", 0, compressed(codec, &[&"x".repeat(bytes)]));
    assert_eq!(code(response.error_code), expected);
    assert_eq!(broker.memory().used(), 0);
}
