//! Consumer groups (KIP-848): assignments and errors.

use crate::support::consumers::*;
use crate::support::groups::*;
use crate::support::*;
use headwater_broker::RequestContext;
use headwater_protocol::create_partitions_request::CreatePartitionsTopic;
use headwater_protocol::{
    ConsumerGroupHeartbeatRequest, CreatePartitionsRequest, ErrorCode, Response, Str,
};

#[test]
fn a_partition_is_assigned_only_after_its_previous_owner_has_revoked_it() {
    let (_, broker) = world();
    let mut first = Client::new("a");
    assert_eq!(first.beat(&broker), ErrorCode::None);
    assert_eq!((first.epoch, first.partitions()), (1, vec![0, 1, 2, 3]));
    assert_eq!(describe(&broker).group_state, "Stable");
    let mut second = Client::new("b");
    assert_eq!(second.beat(&broker), ErrorCode::None);
    assert_eq!(
        (second.epoch, second.partitions()),
        (2, vec![]),
        "the first member still owns everything"
    );
    let still_holding = first.request();
    let response = ask(&broker, still_holding.clone());
    assert_eq!(response.member_epoch, 1, "it has to revoke first");
    assert_eq!(ask(&broker, still_holding).member_epoch, 1);
    assert_eq!(second.beat(&broker), ErrorCode::None);
    assert_eq!(second.partitions(), []);
    assert_eq!(describe(&broker).group_state, "Reconciling");
    first.receive(&response);
    assert_eq!(first.partitions().len(), 2);
    assert_eq!(first.beat(&broker), ErrorCode::None);
    assert_eq!(first.epoch, 2);
    assert_eq!(second.beat(&broker), ErrorCode::None);
    assert_eq!(second.partitions().len(), 2);
    let group = describe(&broker);
    assert_eq!(
        (
            &*group.group_state,
            group.group_epoch,
            group.assignment_epoch
        ),
        ("Stable", 2, 2)
    );
    assert_eq!((&*group.assignor_name, group.members.len()), ("uniform", 2));
    assert_eq!(
        group.members[0].assignment.topic_partitions[0].topic_name,
        "t"
    );
}

#[test]
fn an_unchanged_heartbeat_is_answered_without_an_assignment() {
    let (_, broker) = world();
    let clients = two_members(&broker);
    let end = offset(&broker, "__consumer_offsets", 3, LATEST);
    let response = ask(&broker, clients[0].bare());
    assert_eq!((response.error_code, response.member_epoch), (0, 2));
    assert!(response.assignment.is_none() && response.heartbeat_interval_ms == 5000);
    assert!(
        end > 0 && offset(&broker, "__consumer_offsets", 3, LATEST) == end,
        "a record was written"
    );
}

#[test]
fn a_topic_that_grows_is_assigned_anew() {
    let (_, broker) = world();
    let mut clients = two_members(&broker);
    let grow = CreatePartitionsTopic {
        name: "t".into(),
        count: 6,
        assignments: None,
        ..Default::default()
    };
    let request = CreatePartitionsRequest {
        topics: vec![grow],
        ..Default::default()
    };
    assert_eq!(ask(&broker, request).results[0].error_code, 0);
    for client in &mut clients {
        let response = ask(&broker, client.bare());
        client.receive(&response);
        assert_eq!((client.epoch, client.partitions().len()), (3, 3));
    }
}

#[test]
fn patterns_match_existing_and_new_topics() {
    let (_, broker) = world();
    create(&broker, "orders.eu", 1, &[]);
    let mut client = Client::new("a");
    let by_pattern = |client: &Client| ConsumerGroupHeartbeatRequest {
        subscribed_topic_names: None,
        subscribed_topic_regex: Some("orders\\..*".into()),
        ..client.request()
    };
    let response = ask(&broker, by_pattern(&client));
    client.receive(&response);
    assert_eq!(client.partitions(), [0]);
    create(&broker, "orders.us", 2, &[]);
    create(&broker, "my.orders.x", 2, &[]);
    let response = ask(&broker, client.bare());
    client.receive(&response);
    assert_eq!(
        client.partitions(),
        [0, 0, 1],
        "only whole names and user topics match"
    );
    let bad = ConsumerGroupHeartbeatRequest {
        subscribed_topic_regex: Some("(".into()),
        ..by_pattern(&Client::new("b"))
    };
    assert_eq!(
        code(ask(&broker, bad).error_code),
        ErrorCode::InvalidRegularExpression
    );
}

#[test]
fn members_in_another_epoch_are_fenced_unless_the_answer_was_lost() {
    let (_, broker) = world();
    let mut client = Client::new("a");
    let joining = client.request();
    client.beat(&broker);
    assert_eq!(
        ask(&broker, joining).member_epoch,
        1,
        "the previous response was lost"
    );
    for epoch in [2, 7] {
        let request = ConsumerGroupHeartbeatRequest {
            member_epoch: epoch,
            ..client.bare()
        };
        assert_eq!(
            code(ask(&broker, request).error_code),
            ErrorCode::FencedMemberEpoch
        );
    }
    let stranger = ConsumerGroupHeartbeatRequest {
        member_id: "x".into(),
        ..client.bare()
    };
    assert_eq!(
        code(ask(&broker, stranger).error_code),
        ErrorCode::UnknownMemberId
    );
}

#[test]
fn invalid_requests_get_kafkas_codes() {
    let (_, broker) = world();
    let refused = |change: fn(&mut ConsumerGroupHeartbeatRequest)| {
        let mut request = Client::new("a").request();
        change(&mut request);
        code(ask(&broker, request).error_code)
    };
    assert_eq!(
        refused(|request| request.group_id = Str::new()),
        ErrorCode::InvalidRequest
    );
    assert_eq!(
        refused(|request| request.member_id = Str::new()),
        ErrorCode::InvalidRequest
    );
    assert_eq!(
        refused(|request| request.instance_id = Some(Str::new())),
        ErrorCode::InvalidRequest
    );
    assert_eq!(
        refused(|request| request.rebalance_timeout_ms = -1),
        ErrorCode::InvalidRequest
    );
    assert_eq!(
        refused(|request| request.topic_partitions = None),
        ErrorCode::InvalidRequest
    );
    assert_eq!(
        refused(|request| request.subscribed_topic_names = None),
        ErrorCode::InvalidRequest
    );
    assert_eq!(
        refused(|request| request.member_epoch = -3),
        ErrorCode::InvalidRequest
    );
    assert_eq!(
        refused(|request| request.server_assignor = Some("best".into())),
        ErrorCode::UnsupportedAssignor
    );
    assert_eq!(
        refused(|request| request.member_epoch = 1),
        ErrorCode::GroupIdNotFound
    );
    assert_eq!(
        refused(|request| request.member_epoch = -1),
        ErrorCode::GroupIdNotFound
    );
    let old = RequestContext {
        api_version: Some(0),
        ..RequestContext::default()
    };
    let request = ConsumerGroupHeartbeatRequest {
        member_id: Str::new(),
        ..Client::new("a").request()
    };
    let Response::ConsumerGroupHeartbeat(response) = now(broker.handle(&old, request.into()))
    else {
        panic!()
    };
    assert_eq!(
        response.member_id.unwrap().len(),
        36,
        "the broker creates the id in version 0"
    );
}
