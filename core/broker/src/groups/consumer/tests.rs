//! Properties of random histories: no partition is held twice, every member reaches its target, and the log restores
//! the group.

mod classic_clients;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use headwater_protocol::{ConsumerGroupHeartbeatResponse, ErrorCode, Str};
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::groups::record::GroupRecord;

const CLIENTS: usize = 5;
/// Clients from this number on are static members.
const FIRST_STATIC: usize = 3;

#[derive(Debug, Clone)]
enum Act {
    Beat(usize),
    /// A heartbeat whose response is lost.
    BeatInVain(usize),
    /// Subscribes to this topic only; 3 is the pattern.
    Subscribe(usize, usize),
    Leave(usize),
    LeaveForAWhile(usize),
    /// The process dies and restarts without its state.
    Die(usize),
    GrowTopic(usize),
    RemakeTopic(usize),
    Wait(u64),
    /// The next records cannot be written.
    FailWrite,
    /// The group is loaded from the log.
    Restart,
}

fn act() -> impl Strategy<Value = Act> {
    let client = 0..CLIENTS;
    prop_oneof![
        12 => client.clone().prop_map(Act::Beat),
        2 => client.clone().prop_map(Act::BeatInVain),
        1 => (client.clone(), 0..4_usize).prop_map(|(client, topic)| Act::Subscribe(client, topic)),
        1 => client.clone().prop_map(Act::Leave),
        1 => (FIRST_STATIC..CLIENTS).prop_map(Act::LeaveForAWhile),
        1 => client.prop_map(Act::Die),
        1 => (0..3_usize).prop_map(Act::GrowTopic),
        1 => (0..3_usize).prop_map(Act::RemakeTopic),
        2 => prop_oneof![1..10u64, 20..50u64].prop_map(Act::Wait),
        1 => Just(Act::FailWrite),
        1 => Just(Act::Restart),
    ]
}

impl Catalogue for BTreeMap<Str, (Uuid, i32)> {
    fn name(&self, id: Uuid) -> Option<Str> {
        let mut topics = self.iter();
        let (name, _) = topics.find(|(_, (known, _))| *known == id)?;
        Some(name.clone())
    }

    fn topic(&self, name: &str) -> Option<(Uuid, i32)> {
        self.get(name).copied()
    }

    fn names(&self) -> Vec<Str> {
        self.keys().cloned().collect()
    }
}

/// The state of a client.
#[derive(Debug, Clone)]
struct Client {
    member_id: Str,
    epoch: i32,
    owned: Assignment,
    topics: Vec<Str>,
    regex: Option<Str>,
    protocol: ClientProtocol,
}

/// The protocol of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ClientProtocol {
    Consumer,
    Classic,
    /// It has changed its subscription and not joined again yet.
    ClassicSubscribed,
}

struct World {
    group: ConsumerGroup,
    log: Vec<GroupRecord>,
    topics: BTreeMap<Str, (Uuid, i32)>,
    clients: Vec<Client>,
    now: Duration,
    version: i64,
    /// The names of all topics that ever existed: classic clients identify topics by name only.
    names: BTreeMap<Uuid, Str>,
    made: u128,
    fail_write: bool,
}

impl World {
    fn new() -> Self {
        let topic = |(at, name): (u128, &str)| (Str::from(name), (Uuid::from_u128(at), 3));
        let mut world = Self {
            group: ConsumerGroup::new("g".into()),
            log: Vec::new(),
            topics: (1..).zip(["t0", "t1", "t2"]).map(topic).collect(),
            clients: Vec::new(),
            now: Duration::from_secs(100),
            version: 1,
            names: BTreeMap::new(),
            made: 10,
            fail_write: false,
        };
        world.clients = (0..CLIENTS).map(|_| world.new_client()).collect();
        world
    }

    fn new_client(&mut self) -> Client {
        self.made += 1;
        Client {
            member_id: format!("m{}", self.made).into(),
            epoch: 0,
            owned: Assignment::new(),
            topics: vec!["t0".into(), "t1".into()],
            regex: None,
            protocol: ClientProtocol::Consumer,
        }
        .or_classic(self.made.is_multiple_of(3))
    }

    fn context(&self) -> ConsumerGroupContext {
        ConsumerGroupContext {
            now: Now {
                monotonic: self.now,
                wall_ms: self.now.as_millis() as i64,
            },
            session_timeout: Duration::from_secs(45),
            heartbeat_interval_ms: 5000,
            members_max: 8,
            cluster_version: self.version,
        }
    }

    fn act(&mut self, act: &Act) {
        match *act {
            Act::Beat(client) if self.is_classic(client) => self.beat_classic(client, true),
            Act::BeatInVain(client) if self.is_classic(client) => self.beat_classic(client, false),
            Act::Subscribe(client, topic) if self.is_classic(client) => {
                let known = &mut self.clients[client];
                known.topics = vec![format!("t{}", topic.min(2)).into()];
                known.protocol = ClientProtocol::ClassicSubscribed;
            }
            Act::Leave(client) if self.is_classic(client) => self.leave_classic(client),
            Act::LeaveForAWhile(client) if self.is_classic(client) => {}
            Act::Beat(client) => {
                if let Some(answer) = self.beat(client) {
                    self.receive(client, &answer);
                }
            }
            Act::BeatInVain(client) => {
                self.beat(client);
            }
            Act::Subscribe(client, topic) => {
                let known = &mut self.clients[client];
                known.regex = Some(if topic == 3 {
                    "t[12]".into()
                } else {
                    Str::new()
                });
                known.topics = if topic == 3 {
                    Vec::new()
                } else {
                    vec![format!("t{topic}").into()]
                };
            }
            Act::Leave(client) => self.leave(client, -1),
            Act::LeaveForAWhile(client) => self.leave(client, -2),
            Act::Die(client) => self.clients[client] = self.new_client(),
            Act::GrowTopic(topic) => {
                self.version += 1;
                let name = Str::from(format!("t{topic}"));
                self.topics.get_mut(&name).unwrap().1 += 1;
            }
            Act::RemakeTopic(topic) => {
                self.version += 1;
                self.made += 1;
                let name = Str::from(format!("t{topic}"));
                self.topics.insert(name, (Uuid::from_u128(self.made), 2));
            }
            Act::Wait(seconds) => self.wait(Duration::from_secs(seconds)),
            Act::FailWrite => self.fail_write = true,
            Act::Restart => self.group = self.read_back(),
        }
        for (name, (id, _)) in &self.topics {
            self.names.insert(*id, name.clone());
        }
        self.check();
    }

    /// Sends a full heartbeat. Returns the response; `None` if the client has to join again.
    fn beat(&mut self, client: usize) -> Option<ConsumerGroupHeartbeatResponse> {
        let (context, known) = (self.context(), self.clients[client].clone());
        let joins = known.epoch == 0;
        let beat = Heartbeat {
            member_id: known.member_id,
            epoch: known.epoch,
            instance_id: instance_id(client),
            rebalance_timeout_ms: Some(30_000),
            topics: Some(known.topics),
            regex: known.regex,
            owned: Some(if joins {
                Assignment::new()
            } else {
                known.owned
            }),
            ..Heartbeat::default()
        };
        beat.check(MemberIds::Members).unwrap();
        match self.group.heartbeat(&beat, &context, &self.topics) {
            Ok(update) => self.accept(update),
            Err(refusal) => {
                let known = &mut self.clients[client];
                match refusal.code {
                    ErrorCode::FencedMemberEpoch | ErrorCode::UnknownMemberId => {
                        known.epoch = 0;
                        known.owned.clear();
                    }
                    ErrorCode::FencedInstanceId => self.clients[client] = self.new_client(),
                    ErrorCode::UnreleasedInstanceId | ErrorCode::GroupMaxSizeReached => {}
                    other => panic!("{other}"),
                }
                None
            }
        }
    }

    fn receive(&mut self, client: usize, answer: &ConsumerGroupHeartbeatResponse) {
        let known = &mut self.clients[client];
        known.epoch = answer.member_epoch;
        if let Some(assignment) = &answer.assignment {
            let topics = assignment.topic_partitions.iter();
            known.owned = topics
                .map(|topic| (topic.topic_id, topic.partitions.iter().copied().collect()))
                .collect();
        }
    }

    fn leave(&mut self, client: usize, epoch: i32) {
        let instance_id = instance_id(client);
        let who = (&self.clients[client].member_id, instance_id.as_ref());
        if let Ok(update) = self.group.leave(who, epoch, &self.topics)
            && self.accept(update).is_some()
        {
            self.clients[client] = self.new_client();
        }
    }

    fn wait(&mut self, time: Duration) {
        let until = self.now + time;
        while let Some(deadline) = self.group.next_deadline().filter(|next| *next <= until) {
            self.now = self.now.max(deadline);
            let update = self
                .group
                .fire_next(self.now, &self.topics)
                .expect("it is due");
            if self.accept(update).is_none() {
                let context = self.context();
                self.group.extend_timers(&context);
            }
            self.check();
        }
        self.now = until;
    }

    fn accept(&mut self, update: GroupUpdate) -> Option<ConsumerGroupHeartbeatResponse> {
        if std::mem::take(&mut self.fail_write) {
            return None;
        }
        self.log.extend_from_slice(update.records());
        let (group, response) = update.into_parts();
        self.group = group;
        Some(response)
    }

    /// Loads the group from the log, with and without compaction.
    fn read_back(&self) -> ConsumerGroup {
        let all = self.log.iter().cloned();
        let last = all
            .clone()
            .map(|record| (record.encode().unwrap().0, record));
        let last: BTreeMap<_, _> = (0..).zip(last).map(|(at, (key, _))| (key, at)).collect();
        let kept: BTreeSet<usize> = last.into_values().collect();
        let compacted = all.clone().enumerate().filter(|(at, _)| kept.contains(at));
        let read = |records: Vec<GroupRecord>| {
            let mut group = ConsumerGroup::new("g".into());
            for record in records {
                group.replay(record);
            }
            group.finish_replay(self.now, Duration::from_secs(45));
            group
        };
        let whole = read(all.collect());
        let compacted = read(compacted.map(|(_, record)| record).collect());
        for read in [&whole, &compacted] {
            assert_eq!(read.members, self.group.members);
            assert_eq!(read.target, self.group.target);
            assert_eq!(read.regexes, self.group.regexes);
            assert_eq!(
                (read.epoch, read.target_epoch),
                (self.group.epoch, self.group.target_epoch)
            );
        }
        whole
    }

    fn check(&self) {
        let mut holders: BTreeMap<(Uuid, i32), &Str> = BTreeMap::new();
        for member in self.group.members() {
            for (topic, partitions) in member.assigned.iter().chain(&member.revoking) {
                for partition in partitions {
                    let other = holders.insert((*topic, *partition), &member.id);
                    assert_eq!(other, None, "{topic} {partition} is held twice");
                }
            }
            assert!(member.epoch <= self.group.epoch && self.group.timers.contains_key(&member.id));
        }
        for client in &self.clients {
            for (topic, partitions) in &client.owned {
                // A classic client identifies topics by name, and may own partitions of a deleted topic of the same
                // name.
                let is_gone = !self.topics.values().any(|(known, _)| known == topic);
                if is_gone && client.protocol != ClientProtocol::Consumer {
                    continue;
                }
                for partition in partitions {
                    let holder = holders.get(&(*topic, *partition));
                    let is_member = self.group.members.contains_key(&client.member_id);
                    assert!(
                        !is_member || holder == Some(&&client.member_id),
                        "a member holds an unassigned partition"
                    );
                }
            }
        }
    }
}

fn instance_id(client: usize) -> Option<Str> {
    (client >= FIRST_STATIC).then(|| format!("i{client}").into())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_partition_is_held_twice_and_every_member_reaches_its_target(
        acts in proptest::collection::vec(act(), 1..80),
    ) {
        let mut world = World::new();
        for act in &acts {
            world.act(act);
        }
        world.fail_write = false;
        // Dead members expire, live members continue.
        for _ in 0..25 {
            for client in 0..CLIENTS {
                world.act(&Act::Beat(client));
            }
            world.act(&Act::Wait(5));
        }
        prop_assert_eq!(world.group.state_name(), "Stable");
        let mut owned: BTreeSet<(Uuid, i32)> = BTreeSet::new();
        for client in &world.clients {
            let member = &world.group.members[&client.member_id];
            prop_assert_eq!(&client.owned, &member.assigned);
            prop_assert_eq!(Some(&member.assigned), world.group.target.get(&member.id));
            for (topic, partitions) in &client.owned {
                owned.extend(partitions.iter().map(|partition| (*topic, *partition)));
            }
        }
        let mut expected = BTreeSet::new();
        for (name, (id, partitions)) in &world.topics {
            if world.group.is_subscribed_to(name) {
                expected.extend((0..*partitions).map(|partition| (*id, partition)));
            }
        }
        prop_assert_eq!(owned, expected, "the owned partitions differ from the subscribed ones");
        world.read_back();
        // All clients are gone.
        world.act(&Act::Wait(3600));
        prop_assert!(world.group.is_empty() && world.group.next_deadline().is_none());
    }
}
