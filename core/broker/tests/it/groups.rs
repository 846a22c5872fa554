//! Members of classic groups. The clock advances only when a test advances it.

use std::time::Duration;

use crate::support::groups::*;
use crate::support::*;
use headwater_broker::RequestContext;
use headwater_env::SimEnv;
use headwater_protocol::leave_group_request::MemberIdentity;
use headwater_protocol::{
    ErrorCode, FindCoordinatorRequest, HeartbeatRequest, JoinGroupRequest, JoinGroupResponse,
    LeaveGroupRequest, Message, Str, SyncGroupRequest,
};

#[test]
fn this_broker_coordinates_every_group_and_the_lookup_creates_the_topic() {
    let (_, broker) = world();
    let request = FindCoordinatorRequest {
        coordinator_keys: vec!["a".into(), "b".into()],
        ..Default::default()
    };
    let response = ask(&broker, request);
    let keys: Vec<_> = response
        .coordinators
        .iter()
        .map(|found| &*found.key)
        .collect();
    assert_eq!(keys, ["a", "b"]);
    assert!(
        response
            .coordinators
            .iter()
            .all(|found| found.node_id == 1 && found.error_code == 0)
    );
    let old = RequestContext {
        api_version: Some(3),
        ..RequestContext::default()
    };
    let request = FindCoordinatorRequest {
        key: "a".into(),
        ..Default::default()
    };
    let response = now(broker.handle(&old, request.into()));
    let headwater_protocol::Response::FindCoordinator(response) = response else {
        panic!("{response:?}")
    };
    assert!(response.to_bytes(3).is_ok() && response.node_id == 1);
    let refused = produce(&broker, "__consumer_offsets", 49, batch(&["x"]));
    assert_eq!(code(refused.error_code), ErrorCode::InvalidTopicException);
    let made = fetch(&broker, "__consumer_offsets", 49, 0);
    assert_eq!(code(made.error_code), ErrorCode::None);
}

#[tokio::test]
async fn two_members_form_a_generation_and_each_gets_its_own_assignment() {
    let (env, broker) = world();
    let ids = [new_id(&broker), new_id(&broker)];
    let joining = ids
        .clone()
        .map(|id| begin(&broker, join_request(&id, None)));
    pass(&env, &broker, Duration::from_secs(3)).await;
    // The second member arrived during the delay, so the group waits once more.
    pass(&env, &broker, Duration::from_secs(3)).await;
    let [first, second] = joining;
    let joined = [first.await.unwrap(), second.await.unwrap()];
    assert!(
        joined
            .iter()
            .all(|joined| joined.error_code == 0 && joined.generation_id == 1)
    );
    assert_eq!(joined[0].leader, joined[1].leader);
    let leads = |joined: &JoinGroupResponse| joined.leader == joined.member_id;
    let (leader, follower) = if leads(&joined[0]) {
        (&joined[0], &joined[1])
    } else {
        (&joined[1], &joined[0])
    };
    assert!(leader.members.len() == 2 && follower.members.is_empty());
    assert_eq!(described(&broker).group_state, "CompletingRebalance");
    let waiting = begin(&broker, sync_request(follower));
    settle().await;
    assert!(!waiting.is_finished(), "the follower waits for the leader");
    synced(&begin(&broker, sync_request(leader)).await.unwrap(), leader);
    synced(&waiting.await.unwrap(), follower);
    assert_eq!(heartbeat(&broker, follower), ErrorCode::None);
    let group = described(&broker);
    assert_eq!(
        (
            &*group.group_state,
            &*group.protocol_data,
            group.members.len()
        ),
        ("Stable", "range", 2)
    );
}

#[tokio::test]
async fn a_member_that_joins_makes_the_others_join_again() {
    let (env, broker) = world();
    let first = alone(&env, &broker, None).await;
    let second = begin(&broker, join_request(&new_id(&broker), None));
    settle().await;
    assert_eq!(heartbeat(&broker, &first), ErrorCode::RebalanceInProgress);
    let again = begin(&broker, join_request(&first.member_id, None))
        .await
        .unwrap();
    let second = second.await.unwrap();
    assert_eq!((again.generation_id, second.generation_id), (2, 2));
    assert_eq!(heartbeat(&broker, &first), ErrorCode::IllegalGeneration);
}

#[tokio::test]
async fn a_silent_member_is_removed_after_its_session_time_out() {
    let (env, broker) = world();
    let joined = alone(&env, &broker, None).await;
    pass(&env, &broker, Duration::from_secs(9)).await;
    assert_eq!(heartbeat(&broker, &joined), ErrorCode::None);
    pass(&env, &broker, Duration::from_secs(9)).await;
    assert_eq!(described(&broker).group_state, "Stable");
    env.advance(Duration::from_secs(2));
    assert_eq!(
        heartbeat(&broker, &joined),
        ErrorCode::UnknownMemberId,
        "without any timer"
    );
    assert_eq!(described(&broker).group_state, "Empty");
}

#[tokio::test]
async fn leaving_ends_the_membership_at_once() {
    let (env, broker) = world();
    let joined = alone(&env, &broker, None).await;
    let request = LeaveGroupRequest {
        group_id: "g".into(),
        members: ["nobody", &joined.member_id]
            .map(|id| MemberIdentity {
                member_id: id.into(),
                ..Default::default()
            })
            .into(),
        ..Default::default()
    };
    let response = ask(&broker, request.clone());
    let codes: Vec<_> = response
        .members
        .iter()
        .map(|member| code(member.error_code))
        .collect();
    assert_eq!(codes, [ErrorCode::UnknownMemberId, ErrorCode::None]);
    assert_eq!(described(&broker).group_state, "Empty");
    let nowhere = LeaveGroupRequest {
        group_id: "other".into(),
        ..request
    };
    let response = ask(&broker, nowhere);
    assert!(
        response.error_code == 0
            && response
                .members
                .iter()
                .all(|member| code(member.error_code) == ErrorCode::UnknownMemberId)
    );
}

#[tokio::test]
async fn a_restarted_static_member_keeps_its_assignment_and_fences_its_predecessor() {
    let (env, broker) = world();
    let before = alone(&env, &broker, Some("i")).await;
    let after = begin(&broker, join_request("", Some("i"))).await.unwrap();
    assert_eq!(
        (after.error_code, after.generation_id),
        (0, before.generation_id)
    );
    assert!(
        after.skip_assignment
            && after.leader == after.member_id
            && after.member_id != before.member_id
    );
    let old_id = before.member_id;
    let request = HeartbeatRequest {
        group_id: "g".into(),
        generation_id: 1,
        member_id: old_id.clone(),
        group_instance_id: Some("i".into()),
        ..Default::default()
    };
    assert_eq!(
        code(ask(&broker, request).error_code),
        ErrorCode::FencedInstanceId
    );
    let response = begin(&broker, sync_request(&after)).await.unwrap();
    assert_eq!(
        response.assignment,
        format!("for {old_id}"),
        "the assignment of the predecessor"
    );
}

#[tokio::test]
async fn invalid_requests_get_kafkas_codes() {
    let (env, broker) = world();
    let joined = alone(&env, &broker, None).await;
    let join = |change: fn(&mut JoinGroupRequest)| {
        let mut request = join_request("", None);
        change(&mut request);
        code(ask(&broker, request).error_code)
    };
    assert_eq!(
        join(|request| request.group_id = Str::new()),
        ErrorCode::InvalidGroupId
    );
    assert_eq!(
        join(|request| request.session_timeout_ms = 5999),
        ErrorCode::InvalidSessionTimeout
    );
    assert_eq!(
        join(|request| request.session_timeout_ms = 1_800_001),
        ErrorCode::InvalidSessionTimeout
    );
    assert_eq!(
        join(|request| request.protocol_type = "connect".into()),
        ErrorCode::InconsistentGroupProtocol
    );
    assert_eq!(
        join(|request| request.protocols.clear()),
        ErrorCode::InconsistentGroupProtocol
    );
    assert_eq!(
        join(|request| request.member_id = "ghost".into()),
        ErrorCode::UnknownMemberId
    );
    assert_eq!(
        join(|request| {
            request.group_id = "none".into();
            request.member_id = "ghost".into();
        }),
        ErrorCode::UnknownMemberId
    );
    let sync = |change: fn(&mut SyncGroupRequest)| {
        let mut request = sync_request(&joined);
        change(&mut request);
        code(ask(&broker, request).error_code)
    };
    assert_eq!(
        sync(|request| request.generation_id = 7),
        ErrorCode::IllegalGeneration
    );
    assert_eq!(
        sync(|request| request.member_id = "ghost".into()),
        ErrorCode::UnknownMemberId
    );
    assert_eq!(
        sync(|request| request.protocol_name = Some("sticky".into())),
        ErrorCode::InconsistentGroupProtocol
    );
    assert_eq!(
        sync(|request| request.protocol_name = None),
        ErrorCode::InconsistentGroupProtocol
    );
    assert_eq!(
        sync(|request| request.group_id = "none".into()),
        ErrorCode::UnknownMemberId
    );
}

#[tokio::test]
async fn a_full_group_refuses_members() {
    let env = SimEnv::new(1);
    let broker = open(&env, &[("group.max.size", "1")]);
    let joined = alone(&env, &broker, None).await;
    let refused = ask(&broker, join_request("", None));
    assert_eq!(code(refused.error_code), ErrorCode::GroupMaxSizeReached);
    assert_eq!(heartbeat(&broker, &joined), ErrorCode::None);
}

#[tokio::test]
async fn pending_requests_fail_when_the_broker_closes() {
    let (_, broker) = world();
    let joining = begin(&broker, join_request(&new_id(&broker), None));
    settle().await;
    broker.close().unwrap();
    assert_eq!(
        code(joining.await.unwrap().error_code),
        ErrorCode::CoordinatorNotAvailable
    );
    assert_eq!(
        code(ask(&broker, join_request("", None)).error_code),
        ErrorCode::CoordinatorNotAvailable
    );
}

#[tokio::test]
async fn the_timer_task_completes_joins_without_another_request() {
    let env = SimEnv::new(1);
    let broker = open(&env, &[("group.initial.rebalance.delay.ms", "50")]);
    broker.spawn_housekeeping(&tokio::runtime::Handle::current());
    let joining = begin(&broker, join_request(&new_id(&broker), None));
    for _ in 0..2000 {
        tokio::time::sleep(Duration::from_millis(1)).await;
        env.advance(Duration::from_millis(5));
        if joining.is_finished() {
            break;
        }
    }
    assert_eq!(joining.await.unwrap().generation_id, 1);
}

/// Joins a group as the first member. Returns whether the join waits for the initial rebalance delay.
async fn first_join(env: &SimEnv, broker: &Sim, context: RequestContext) -> bool {
    let member_id = ask_from(broker, &context, join_request("", None)).member_id;
    let joining = begin_from(broker, context.clone(), join_request(&member_id, None));
    pass(env, broker, Duration::ZERO).await;
    let waits = !joining.is_finished();
    pass(env, broker, Duration::from_secs(3)).await;
    let joined = joining.await.unwrap();
    assert_eq!(code(joined.error_code), ErrorCode::None);
    let sync = begin_from(broker, context, sync_request(&joined));
    synced(&sync.await.unwrap(), &joined);
    waits
}

#[tokio::test]
async fn only_a_first_member_in_process_skips_the_initial_delay() {
    let in_process = RequestContext::default;
    let (env, broker) = world();
    assert!(!first_join(&env, &broker, in_process()).await);
    let (env, broker) = world();
    assert!(first_join(&env, &broker, on_the_network()).await);
    let env = SimEnv::new(1);
    let broker = open(&env, &[("group.initial.rebalance.delay.ms", "3000")]);
    assert!(first_join(&env, &broker, in_process()).await);
}

#[tokio::test]
async fn in_process_members_end_with_the_process() {
    for (context, state) in [
        (RequestContext::default(), "Empty"),
        (on_the_network(), "Stable"),
    ] {
        let (env, broker) = world();
        first_join(&env, &broker, context.clone()).await;
        assert_eq!(described(&broker).group_state, "Stable");
        let env = env.after_kill(1);
        let restarted = open(&env, &[]);
        assert_eq!(described(&restarted).group_state, state);
        restarted.close().unwrap();
        let again = open(&env, &[]);
        assert_eq!(described(&again).group_state, state);
        if state == "Empty" {
            assert!(!first_join(&env, &again, context).await);
        }
    }
}
