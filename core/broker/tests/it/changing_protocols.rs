//! Groups that change their protocol while they have members (KIP-848, online upgrade and downgrade).

use std::time::Duration;

use crate::support::consumers::*;
use crate::support::groups::*;
use crate::support::*;
use headwater_env::SimEnv;
use headwater_protocol::consumer_protocol_assignment::TopicPartition as Assigned;
use headwater_protocol::consumer_protocol_subscription::TopicPartition as Owned;
use headwater_protocol::leave_group_request::MemberIdentity;
use headwater_protocol::{
    ConsumerGroupHeartbeatRequest, ConsumerProtocolAssignment, ConsumerProtocolSubscription,
    ErrorCode, JoinGroupRequest, LeaveGroupRequest, Message, Str, SyncGroupRequest,
};

/// A classic client with the embedded metadata of Kafka's consumers and a cooperative assignor.
#[derive(Debug, Clone, Default)]
struct Classic {
    id: Str,
    instance_id: Option<&'static str>,
    generation: i32,
    owned: Vec<i32>,
}

impl Classic {
    fn join_request(&self) -> JoinGroupRequest {
        let owned = Owned {
            topic: "t".into(),
            partitions: self.owned.clone(),
        };
        let subscription = ConsumerProtocolSubscription {
            topics: vec!["t".into()],
            owned_partitions: vec![owned],
            ..Default::default()
        };
        let mut request = join_request(&self.id, self.instance_id);
        request.protocols[0].metadata = subscription.to_versioned_bytes(3).unwrap();
        request
    }

    fn sync_request(&self, assignments: &[(&Str, &[i32])]) -> SyncGroupRequest {
        let assignments = assignments.iter().map(|(id, partitions)| {
            let assigned = Assigned {
                topic: "t".into(),
                partitions: partitions.to_vec(),
            };
            let assignment = ConsumerProtocolAssignment {
                assigned_partitions: vec![assigned],
                user_data: None,
            };
            headwater_protocol::sync_group_request::SyncGroupRequestAssignment {
                member_id: (*id).clone(),
                assignment: assignment.to_versioned_bytes(3).unwrap(),
                ..Default::default()
            }
        });
        SyncGroupRequest {
            group_id: "g".into(),
            generation_id: self.generation,
            member_id: self.id.clone(),
            group_instance_id: self.instance_id.map(Into::into),
            protocol_type: Some("consumer".into()),
            protocol_name: Some("range".into()),
            assignments: assignments.collect(),
            ..Default::default()
        }
    }

    /// The first member of a classic group; it assigns all four partitions to itself.
    async fn alone(env: &SimEnv, broker: &Sim) -> Self {
        let mut client = Self {
            id: new_id(broker),
            ..Self::default()
        };
        let joining = begin(broker, client.join_request());
        pass(env, broker, Duration::from_secs(3)).await;
        client.generation = joining.await.unwrap().generation_id;
        let request = client.sync_request(&[(&client.id, &[0, 1, 2, 3])]);
        client.receive_sync(begin(broker, request).await.unwrap().assignment);
        assert_eq!(client.owned, [0, 1, 2, 3]);
        client
    }

    fn receive_sync(&mut self, assignment: bytes::Bytes) {
        let (assignment, _) = ConsumerProtocolAssignment::from_versioned_bytes(assignment).unwrap();
        let topics = assignment.assigned_partitions.iter();
        self.owned = topics.flat_map(|topic| topic.partitions.clone()).collect();
    }

    fn beat(&self, broker: &Sim) -> ErrorCode {
        let request = headwater_protocol::HeartbeatRequest {
            group_id: "g".into(),
            generation_id: self.generation,
            member_id: self.id.clone(),
            group_instance_id: self.instance_id.map(Into::into),
            ..Default::default()
        };
        code(ask(broker, request).error_code)
    }

    /// Joins a consumer group, where responses are not deferred.
    fn rejoin(&mut self, broker: &Sim) {
        let joined = ask(broker, self.join_request());
        assert_eq!(code(joined.error_code), ErrorCode::None);
        assert_eq!(&*joined.leader, "", "a consumer group has no leader");
        self.id = joined.member_id;
        self.generation = joined.generation_id;
        let synced = ask(broker, self.sync_request(&[]));
        assert_eq!(code(synced.error_code), ErrorCode::None);
        self.receive_sync(synced.assignment);
    }

    /// Joins and syncs until the heartbeats require nothing more.
    fn follow(&mut self, broker: &Sim) {
        for _ in 0..5 {
            match self.beat(broker) {
                ErrorCode::RebalanceInProgress => self.rejoin(broker),
                code => return assert_eq!(code, ErrorCode::None),
            }
        }
        panic!("the member never stops rejoining");
    }
}

fn leave(broker: &Sim, client: &Client) {
    let request = ConsumerGroupHeartbeatRequest {
        member_epoch: -1,
        ..client.bare()
    };
    assert_eq!(ask(broker, request).error_code, 0);
}

/// A classic member that was there first, and a member of the consumer protocol; each owns half of the partitions.
async fn upgraded(env: &SimEnv, broker: &Sim) -> (Classic, Client) {
    let mut classic = Classic::alone(env, broker).await;
    let mut client = Client::new("n");
    assert_eq!(client.beat(broker), ErrorCode::None);
    assert_eq!(client.partitions(), []);
    classic.follow(broker);
    assert_eq!(client.beat(broker), ErrorCode::None);
    assert_eq!(client.partitions().len(), 2);
    assert_eq!(client.beat(broker), ErrorCode::None);
    (classic, client)
}

#[tokio::test]
async fn a_member_of_the_consumer_protocol_makes_a_classic_group_a_consumer_group() {
    let (env, broker) = world();
    let mut classic = Classic::alone(&env, &broker).await;
    let mut client = Client::new("n");
    assert_eq!(client.beat(&broker), ErrorCode::None);
    assert_eq!((client.epoch, client.partitions()), (2, vec![]));
    let group = describe(&broker);
    assert_eq!((group.group_epoch, group.members.len()), (2, 2));
    let mut types = group
        .members
        .iter()
        .map(|one| (&*one.member_id == "n", one.member_type));
    assert!(types.all(|(is_new, kind)| kind == i8::from(is_new)));
    // The classic member keeps its generation until it has to rejoin. It releases two partitions first.
    assert_eq!(classic.beat(&broker), ErrorCode::RebalanceInProgress);
    classic.rejoin(&broker);
    assert_eq!((classic.generation, classic.owned.len()), (1, 2));
    assert_eq!(client.beat(&broker), ErrorCode::None);
    assert_eq!(
        client.partitions(),
        [],
        "the partitions are not released yet"
    );
    assert_eq!(classic.beat(&broker), ErrorCode::RebalanceInProgress);
    classic.rejoin(&broker);
    assert_eq!((classic.generation, classic.owned.len()), (2, 2));
    assert_eq!(classic.beat(&broker), ErrorCode::None);
    assert_eq!(client.beat(&broker), ErrorCode::None);
    let mut all = [client.partitions(), classic.owned.clone()].concat();
    all.sort_unstable();
    assert_eq!(all, [0, 1, 2, 3]);
    assert_eq!(describe(&broker).group_state, "Stable");
}

#[tokio::test]
async fn a_member_that_waits_in_a_rebalance_has_to_join_the_consumer_group() {
    let (env, broker) = world();
    let mut classic = Classic::alone(&env, &broker).await;
    let mut second = Classic {
        id: new_id(&broker),
        ..Classic::default()
    };
    let joining = begin(&broker, second.join_request());
    settle().await;
    let mut client = Client::new("n");
    assert_eq!(client.beat(&broker), ErrorCode::None);
    let refused = joining.await.unwrap();
    assert_eq!(code(refused.error_code), ErrorCode::RebalanceInProgress);
    for _ in 0..4 {
        second.rejoin(&broker);
        classic.follow(&broker);
        client.beat(&broker);
    }
    let mut all = [client.partitions(), classic.owned, second.owned].concat();
    all.sort_unstable();
    assert_eq!(all, [0, 1, 2, 3]);
}

#[tokio::test]
async fn a_mixed_group_survives_a_restart() {
    let (env, broker) = world();
    let (classic, mut client) = upgraded(&env, &broker).await;
    let env = env.after_kill(2);
    let restarted = open(&env, &[]);
    assert_eq!(classic.beat(&restarted), ErrorCode::None);
    assert_eq!(client.beat(&restarted), ErrorCode::None);
    let types: Vec<_> = describe(&restarted)
        .members
        .iter()
        .map(|member| member.member_type)
        .collect();
    assert_eq!(types.iter().filter(|kind| **kind == 0).count(), 1);
    // The classic member keeps its own session time-out of 10 seconds.
    env.advance(Duration::from_secs(11));
    assert_eq!(classic.beat(&restarted), ErrorCode::UnknownMemberId);
}

#[tokio::test]
async fn the_last_member_of_the_consumer_protocol_leaves_a_classic_group_behind() {
    let (env, broker) = world();
    let (mut classic, client) = upgraded(&env, &broker).await;
    assert_eq!(
        commit(&broker, commit_request(None, 0, 5)),
        ErrorCode::UnknownMemberId
    );
    leave(&broker, &client);
    let group = described(&broker);
    assert_eq!(
        (&*group.group_state, group.members.len()),
        ("PreparingRebalance", 1)
    );
    let restarted = open(&env.after_kill(2), &[]);
    assert_eq!(described(&restarted).members.len(), 1);
    assert_eq!(
        code(describe(&restarted).error_code),
        ErrorCode::GroupIdNotFound
    );
    for broker in [&broker, &restarted] {
        let joined = begin(broker, classic.join_request()).await.unwrap();
        assert_eq!(code(joined.error_code), ErrorCode::None);
        assert_eq!(joined.leader, classic.id);
        let mut again = classic.clone();
        again.generation = joined.generation_id;
        let request = again.sync_request(&[(&again.id, &[0, 1, 2, 3])]);
        again.receive_sync(begin(broker, request).await.unwrap().assignment);
        assert_eq!(again.owned.len(), 4);
    }
    classic.generation += 1;
    assert_eq!(classic.beat(&broker), ErrorCode::None);
}

#[tokio::test]
async fn the_policy_decides_which_way_a_group_may_go() {
    for (policy, upgrades, downgrades) in [
        ("bidirectional", true, true),
        ("upgrade", true, false),
        ("downgrade", false, true),
        ("disabled", false, false),
    ] {
        let env = SimEnv::new(1);
        let broker = open(&env, &[("group.consumer.migration.policy", policy)]);
        create(&broker, "t", 4, &[]);
        let classic = Classic::alone(&env, &broker).await;
        let mut client = Client::new("n");
        let joined = client.beat(&broker);
        if !upgrades {
            assert_eq!(joined, ErrorCode::GroupIdNotFound, "{policy}");
            assert_eq!(classic.beat(&broker), ErrorCode::None);
            continue;
        }
        assert_eq!(joined, ErrorCode::None, "{policy}");
        leave(&broker, &client);
        let is_classic = code(describe(&broker).error_code) == ErrorCode::GroupIdNotFound;
        assert_eq!(is_classic, downgrades, "{policy}");
    }
}

#[tokio::test]
async fn a_classic_member_has_time_to_join_and_to_sync() {
    let (env, broker) = world();
    let (mut classic, mut client) = upgraded(&env, &broker).await;
    let mut another = Client::new("o");
    assert_eq!(another.beat(&broker), ErrorCode::None);
    // It sends heartbeats, but does not join within its rebalance time-out of 30 seconds.
    for _ in 0..5 {
        assert_eq!(classic.beat(&broker), ErrorCode::RebalanceInProgress);
        client.beat(&broker);
        another.beat(&broker);
        env.advance(Duration::from_secs(6));
    }
    assert_eq!(classic.beat(&broker), ErrorCode::UnknownMemberId);
    // It joins, but does not sync.
    classic = Classic::default();
    classic.id = ask(&broker, classic.join_request()).member_id;
    classic.generation = ask(&broker, classic.join_request()).generation_id;
    for _ in 0..6 {
        classic.beat(&broker);
        client.beat(&broker);
        another.beat(&broker);
        env.advance(Duration::from_secs(6));
    }
    assert_eq!(classic.beat(&broker), ErrorCode::UnknownMemberId);
}

#[tokio::test]
async fn classic_members_of_a_consumer_group_are_checked_as_in_a_classic_group() {
    let (env, broker) = world();
    let (classic, client) = upgraded(&env, &broker).await;
    let old = Classic {
        generation: classic.generation - 1,
        ..classic.clone()
    };
    assert_eq!(old.beat(&broker), ErrorCode::IllegalGeneration);
    let sync = |client: &Classic| code(ask(&broker, client.sync_request(&[])).error_code);
    assert_eq!(sync(&old), ErrorCode::IllegalGeneration);
    let pretender = Classic {
        id: client.id.into(),
        generation: client.epoch,
        ..Classic::default()
    };
    assert_eq!(pretender.beat(&broker), ErrorCode::UnknownMemberId);
    let mut stranger = pretender.join_request();
    stranger.protocols[0].name = "roundrobin".into();
    assert_eq!(
        code(ask(&broker, stranger).error_code),
        ErrorCode::InconsistentGroupProtocol
    );
    let leave = |id: &str| {
        let member = MemberIdentity {
            member_id: id.into(),
            ..Default::default()
        };
        let request = LeaveGroupRequest {
            group_id: "g".into(),
            members: vec![member],
            ..Default::default()
        };
        code(ask(&broker, request).members[0].error_code)
    };
    assert_eq!(leave(client.id), ErrorCode::UnknownMemberId);
    assert_eq!(leave(&classic.id), ErrorCode::None);
    assert_eq!(classic.beat(&broker), ErrorCode::UnknownMemberId);
    assert_eq!(describe(&broker).members.len(), 1);
}

#[tokio::test]
async fn a_static_member_may_change_its_protocol() {
    let (_, broker) = world();
    let mut client = Client::new("n");
    client.instance_id = Some("i");
    let mut other = Client::new("o");
    for _ in 0..3 {
        assert_eq!(client.beat(&broker), ErrorCode::None);
        assert_eq!(other.beat(&broker), ErrorCode::None);
    }
    let had = client.partitions();
    let mut classic = Classic {
        instance_id: Some("i"),
        ..Classic::default()
    };
    classic.rejoin(&broker);
    assert_eq!(
        classic.owned, had,
        "it owns the partitions of its predecessor"
    );
    assert_eq!(client.beat(&broker), ErrorCode::FencedInstanceId);
    assert_eq!(other.beat(&broker), ErrorCode::None);
    let mut back = Client::new("m");
    back.instance_id = Some("i");
    assert_eq!(back.beat(&broker), ErrorCode::None);
    assert_eq!(back.partitions(), had);
    assert_eq!(classic.beat(&broker), ErrorCode::FencedInstanceId);
}
