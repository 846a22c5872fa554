//! The content and the times of heartbeats.

use super::*;

#[test]
fn the_first_heartbeat_joins_with_all_fields_and_a_new_id() {
    let now = Instant::now();
    let more = [
        ("group.instance.id", "i"),
        ("client.rack", "r"),
        ("group.remote.assignor", "range"),
    ];
    let mut member = member(&more, now);
    let request = next_heartbeat(&mut member, now);
    assert!(!request.member_id.is_empty());
    assert_eq!(request.member_epoch, 0);
    assert_eq!(request.instance_id.as_deref(), Some("i"));
    assert_eq!(request.rack_id.as_deref(), Some("r"));
    assert_eq!(request.server_assignor.as_deref(), Some("range"));
    assert_eq!(request.rebalance_timeout_ms, 60_000);
    assert_eq!(request.subscribed_topic_names, Some(vec!["t".into()]));
    assert_eq!(request.subscribed_topic_regex, None);
    assert_eq!(reported(&request), Some(vec![]));
}

#[test]
fn later_heartbeats_have_only_changes_at_the_brokers_interval() {
    let (mut member, now) = stable(&[("client.rack", "r")]);
    let before = now + Duration::from_millis(4_999);
    assert!(matches!(member.next(before), Step::Wait(_)));
    let request = next_heartbeat(&mut member, now + HEARTBEAT_INTERVAL);
    assert_eq!(request.member_epoch, 3);
    assert_eq!(request.rack_id, None);
    assert_eq!(request.rebalance_timeout_ms, -1);
    assert_eq!(request.subscribed_topic_names, None);
    assert_eq!(reported(&request), None);
}

#[test]
fn a_heartbeat_after_an_error_reports_everything_again() {
    for code in [
        None,
        Some(ErrorCode::NotCoordinator),
        Some(ErrorCode::CoordinatorLoadInProgress),
    ] {
        let (mut member, now) = stable(&[]);
        let now = now + HEARTBEAT_INTERVAL;
        next_heartbeat(&mut member, now);
        member.heartbeat_answered(code.map(refused).ok_or_else(connection_lost), now);
        assert!(
            matches!(member.next(now), Step::Wait(Some(_))),
            "the member pauses"
        );
        let now = now + Duration::from_secs(1);
        if code != Some(ErrorCode::CoordinatorLoadInProgress) {
            assert!(matches!(member.next(now), Step::FindCoordinator));
            member.coordinator_found(Ok(()), now);
        }
        let request = next_heartbeat(&mut member, now);
        assert_eq!(request.member_epoch, 3, "it is still a member");
        assert_eq!(request.subscribed_topic_names, Some(vec!["t".into()]));
        assert_eq!(reported(&request), Some(vec![0, 1, 2]));
    }
}

#[test]
fn a_new_subscription_is_sent_at_once_and_an_empty_pattern_ends_a_pattern() {
    let (mut member, now) = stable(&[]);
    member.subscribe(Subscription::pattern("t.*").unwrap());
    let request = next_heartbeat(&mut member, now);
    assert_eq!(request.subscribed_topic_names, Some(vec![]));
    assert_eq!(request.subscribed_topic_regex.as_deref(), Some("t.*"));
    member.heartbeat_answered(Ok(accepted(4, None)), now);
    member.subscribe(Subscription::topics(["u"]));
    let request = next_heartbeat(&mut member, now);
    assert_eq!(request.subscribed_topic_names, Some(vec!["u".into()]));
    assert_eq!(request.subscribed_topic_regex.as_deref(), Some(""));
}

#[test]
fn a_topic_without_a_known_name_is_taken_later() {
    let now = Instant::now();
    let mut member = member(&[], now);
    next_heartbeat(&mut member, now);
    member.heartbeat_answered(Ok(accepted(1, Some(&[0]))), now);
    let Step::LookUpTopics(ids) = member.next(now) else {
        panic!("expected a lookup");
    };
    assert!(ids.contains(&TOPIC));
    assert!(matches!(member.todo(), Todo::Nothing));
    member.topics_found(Ok(BTreeMap::new()), now);
    // This is not an empty assignment: a reader up to the end would stop.
    assert!(matches!(member.todo(), Todo::Nothing));
    assert!(matches!(member.next(now), Step::Wait(Some(_))));
    let now = now + Duration::from_secs(1);
    look_up(&mut member, now);
    apply_todos(&mut member);
    assert_eq!(owned(&member), [0]);
    assert_eq!(reported(&next_heartbeat(&mut member, now)), Some(vec![0]));
}
