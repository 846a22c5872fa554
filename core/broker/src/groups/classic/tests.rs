//! Properties of random histories: each generation assigns each partition to one member, assigns all of them, and
//! answers every request.

use headwater_protocol::sync_group_request::SyncGroupRequestAssignment;
use headwater_protocol::{GroupMetadataValue, SyncGroupRequest};
use proptest::prelude::*;

use super::*;
use crate::groups::context::{Limits, Now};

const CLIENTS: usize = 5;
/// Clients from this number on are static members; the last two share one instance id, like a misconfigured deployment.
const FIRST_STATIC: usize = 2;
const PARTITIONS: u8 = 7;

#[derive(Debug, Clone)]
enum Act {
    Join(usize),
    JoinWithOtherMetadata(usize),
    Sync(usize),
    /// A sync of the previous generation arrives late.
    SyncLate(usize),
    Heartbeat(usize),
    Commit(usize),
    Leave(usize),
    /// The process restarts without its member id.
    Forget(usize),
    Wait(u64),
    /// The next record cannot be written.
    FailWrite,
}

fn act() -> impl Strategy<Value = Act> {
    let client = 0..CLIENTS;
    prop_oneof![
        6 => client.clone().prop_map(Act::Join),
        1 => client.clone().prop_map(Act::JoinWithOtherMetadata),
        6 => client.clone().prop_map(Act::Sync),
        2 => client.clone().prop_map(Act::SyncLate),
        3 => client.clone().prop_map(Act::Heartbeat),
        1 => client.clone().prop_map(Act::Commit),
        1 => client.clone().prop_map(Act::Leave),
        1 => client.prop_map(Act::Forget),
        3 => prop_oneof![1..400u64, 1000..12_000u64].prop_map(Act::Wait),
        1 => Just(Act::FailWrite),
    ]
}

/// The state of a client.
#[derive(Debug, Clone, Default)]
struct Client {
    member_id: Str,
    generation: i32,
    /// The members to assign to, if the client leads.
    leads: Vec<Str>,
    metadata: u8,
}

struct World {
    group: ClassicGroup,
    now: Duration,
    clients: Vec<Client>,
    next_request_id: u64,
    waiting: BTreeMap<PendingRequestId, usize>,
    late: BTreeSet<PendingRequestId>,
    fail_write: bool,
    written: Option<GroupMetadataValue>,
    leaders: BTreeMap<i32, BTreeSet<Str>>,
    /// The assignment of each member in each generation.
    given: BTreeMap<(i32, Str), Bytes>,
}

impl World {
    fn new() -> Self {
        Self {
            group: ClassicGroup::new(),
            now: Duration::from_secs(100),
            clients: vec![Client::default(); CLIENTS],
            next_request_id: 0,
            waiting: BTreeMap::new(),
            late: BTreeSet::new(),
            fail_write: false,
            written: None,
            leaders: BTreeMap::new(),
            given: BTreeMap::new(),
        }
    }

    fn context(&self) -> GroupContext {
        GroupContext {
            now: Now {
                monotonic: self.now,
                wall_ms: self.now.as_millis() as i64,
            },
            limits: Limits {
                initial_rebalance_delay: Duration::from_millis(300),
                members_max: 4,
            },
        }
    }

    fn request_id(&mut self, client: usize) -> PendingRequestId {
        self.next_request_id += 1;
        self.waiting
            .insert(PendingRequestId(self.next_request_id), client);
        PendingRequestId(self.next_request_id)
    }

    fn act(&mut self, act: &Act) {
        match *act {
            Act::Join(client) => self.join(client),
            Act::JoinWithOtherMetadata(client) => {
                self.clients[client].metadata += 1;
                self.join(client);
            }
            Act::Sync(client) => self.sync(client, 0),
            Act::SyncLate(client) => self.sync(client, 1),
            Act::Heartbeat(client) => {
                let (context, known) = (self.context(), self.clients[client].clone());
                let instance_id = instance_id(client);
                let beat = self.group.heartbeat(
                    &known.member_id,
                    instance_id.as_ref(),
                    known.generation,
                    &context,
                );
                self.lost(client, beat.err());
            }
            Act::Commit(client) => {
                let (context, known) = (self.context(), self.clients[client].clone());
                let checked =
                    self.group
                        .check_commit(&known.member_id, None, known.generation, &context);
                if checked.is_ok() && !self.group.is_empty() {
                    assert_eq!(known.generation, self.group.generation, "a fenced commit");
                }
            }
            Act::Leave(client) => {
                let leaver = Leaver {
                    member_id: self.clients[client].member_id.clone(),
                    instance_id: instance_id(client),
                };
                let (context, mut effects) = (self.context(), Effects::default());
                let answers = self.group.leave(vec![leaver], &context, &mut effects);
                assert_eq!(answers.len(), 1);
                self.clients[client] = Client::default();
                self.perform(effects);
            }
            Act::Forget(client) => self.clients[client] = Client::default(),
            Act::Wait(ms) => self.wait(Duration::from_millis(ms)),
            Act::FailWrite => self.fail_write = true,
        }
        self.check();
    }

    fn join(&mut self, client: usize) {
        let request_id = self.request_id(client);
        let known = &self.clients[client];
        let protocol = |name: &str| Protocol {
            name: name.into(),
            metadata: Bytes::copy_from_slice(&[known.metadata]),
        };
        let join = Join {
            member_id: known.member_id.clone(),
            instance_id: instance_id(client),
            client_id: format!("c{client}").into(),
            client_host: Str::new(),
            session_timeout: Duration::from_secs(6),
            rebalance_timeout: Duration::from_millis(2000 + 500 * client as u64),
            protocol_type: "consumer".into(),
            protocols: vec![protocol("range"), protocol("sticky")],
            memory: None,
            new_member_id: format!("c{client}-{}", request_id.0).into(),
            member_id_rule: MemberIdRule::Required,
            skip_rule: SkipRule::Skip,
        };
        let (context, mut effects) = (self.context(), Effects::default());
        self.group.join(join, request_id, &context, &mut effects);
        self.perform(effects);
    }

    fn sync(&mut self, client: usize, late_by: i32) {
        let request_id = self.request_id(client);
        if late_by > 0 {
            self.late.insert(request_id);
        }
        let known = &self.clients[client];
        let members = known.leads.iter().enumerate();
        let assignment = |(at, id): (usize, &Str)| SyncGroupRequestAssignment {
            member_id: id.clone(),
            assignment: (0..PARTITIONS)
                .filter(|partition| usize::from(*partition) % known.leads.len() == at)
                .collect::<Vec<u8>>()
                .into(),
            ..SyncGroupRequestAssignment::default()
        };
        let request = SyncGroupRequest {
            group_id: "g".into(),
            generation_id: known.generation - late_by,
            member_id: known.member_id.clone(),
            group_instance_id: instance_id(client),
            assignments: members.map(assignment).collect(),
            ..SyncGroupRequest::default()
        };
        let mut effects = Effects::default();
        self.group.sync(&request, request_id, &mut effects);
        self.perform(effects);
    }

    fn wait(&mut self, time: Duration) {
        let until = self.now + time;
        while let Some(deadline) = self.group.next_deadline().filter(|next| *next <= until) {
            self.now = self.now.max(deadline);
            let (context, mut effects) = (self.context(), Effects::default());
            assert!(self.group.fire_next(&context, &mut effects));
            self.perform(effects);
            self.check();
        }
        self.now = until;
    }

    fn perform(&mut self, mut effects: Effects) {
        while let Some(record) = effects.record.take() {
            let context = self.context();
            let result = if std::mem::take(&mut self.fail_write) {
                Err(ErrorCode::NotCoordinator)
            } else {
                self.written = Some(record);
                Ok(())
            };
            self.group.record_written(result, &context, &mut effects);
        }
        for (request_id, response) in effects.joins {
            let client = self.waiting.remove(&request_id).expect("answered once");
            let code = ErrorCode::from_code(response.error_code);
            if code == ErrorCode::MemberIdRequired {
                self.clients[client].member_id = response.member_id;
                continue;
            }
            self.lost(client, (!code.is_ok()).then_some(code));
            if !code.is_ok() {
                continue;
            }
            let known = &mut self.clients[client];
            known.member_id = response.member_id.clone();
            known.generation = response.generation_id;
            known.leads.clear();
            if response.leader == response.member_id && !response.skip_assignment {
                known.leads = response
                    .members
                    .iter()
                    .map(|member| member.member_id.clone())
                    .collect();
                let leaders = self.leaders.entry(response.generation_id).or_default();
                leaders.insert(response.leader.clone());
                assert_eq!(leaders.len(), 1, "two leaders in one generation");
            }
        }
        for (request_id, response) in effects.syncs {
            let client = self.waiting.remove(&request_id).expect("answered once");
            let code = ErrorCode::from_code(response.error_code);
            assert!(
                !code.is_ok() || !self.late.contains(&request_id),
                "a late sync was accepted"
            );
            self.lost(client, (!code.is_ok()).then_some(code));
            if code.is_ok() {
                let known = &self.clients[client];
                let key = (self.group.generation, known.member_id.clone());
                self.given.insert(key, response.assignment);
            }
        }
    }

    /// Resets a client whose member id is unknown or fenced.
    fn lost(&mut self, client: usize, code: Option<ErrorCode>) {
        if matches!(
            code,
            Some(ErrorCode::UnknownMemberId | ErrorCode::FencedInstanceId)
        ) {
            self.clients[client] = Client::default();
        }
    }

    fn check(&self) {
        let group = &self.group;
        assert!(!group.is_empty() || group.members.is_empty());
        assert!(
            group.members.is_empty()
                || group
                    .leader
                    .as_ref()
                    .is_some_and(|id| group.members.contains_key(id))
        );
        assert!(
            group
                .pending_sync
                .iter()
                .all(|id| group.members.contains_key(id))
        );
        for (instance_id, id) in &group.static_members {
            assert_eq!(group.members[id].instance_id.as_ref(), Some(instance_id));
        }
        let next_request_id = group
            .members
            .values()
            .flat_map(|member| [member.join, member.sync]);
        let next_request_id: BTreeSet<_> = next_request_id.flatten().collect();
        assert_eq!(
            next_request_id,
            self.waiting.keys().copied().collect(),
            "the pending requests differ"
        );
        if group.is_stable() {
            let owned = group
                .members
                .values()
                .flat_map(|member| member.assignment.clone());
            let mut owned: Vec<u8> = owned.collect();
            let all = owned.len();
            owned.sort_unstable();
            owned.dedup();
            assert_eq!(owned.len(), all, "two owners");
        }
    }
}

fn instance_id(client: usize) -> Option<Str> {
    let number = client.min(CLIENTS - 2);
    (client >= FIRST_STATIC).then(|| format!("i{number}").into())
}

/// Runs all clients without faults until the group is stable and all partitions are owned.
fn settle(world: &mut World) {
    world.fail_write = false;
    for _ in 0..100 {
        for client in 0..CLIENTS - 1 {
            let waits = world.waiting.values().any(|waiting| *waiting == client);
            let known = world.clients[client].clone();
            let is_current = world.group.members.contains_key(&known.member_id)
                && known.generation == world.group.generation;
            if waits {
                continue;
            }
            let joins = matches!(
                world.group.state,
                State::Empty | State::PreparingRebalance(_)
            ) || !is_current;
            if joins {
                world.act(&Act::Join(client));
            } else {
                world.act(&Act::Sync(client));
                world.act(&Act::Heartbeat(client));
            }
        }
        world.act(&Act::Wait(300));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_generation_has_one_owner_for_each_partition_and_answers_every_request(
        acts in proptest::collection::vec(act(), 1..120),
    ) {
        let mut world = World::new();
        for act in &acts {
            world.act(act);
        }
        // Without any further request, members expire and pending requests are answered.
        world.act(&Act::Wait(3_600_000));
        prop_assert!(world.waiting.is_empty(), "{:?}", world.waiting);
        prop_assert!(world.group.is_empty() && world.group.is_idle());
        prop_assert_eq!(world.group.next_deadline(), None);
    }

    #[test]
    fn without_faults_a_group_becomes_stable_and_owns_all_partitions(
        acts in proptest::collection::vec(act(), 0..60),
    ) {
        let mut world = World::new();
        for act in &acts {
            world.act(act);
        }
        // Silence the static member with the shared instance id; its session expires if it joined last.
        world.clients[CLIENTS - 1] = Client::default();
        settle(&mut world);
        prop_assert!(world.group.is_stable(), "{:?}", world.group);
        let owned: BTreeSet<u8> = world.group.members.values().flat_map(|member| member.assignment.clone()).collect();
        prop_assert_eq!(owned, (0..PARTITIONS).collect());
        for (id, member) in &world.group.members {
            let given = world.given.get(&(world.group.generation, id.clone()));
            prop_assert_eq!(given, Some(&member.assignment), "a member's assignment differs from the written one");
        }
        let written = world.written.clone().unwrap();
        prop_assert_eq!(written.generation, world.group.generation);
        let context = world.context();
        let read = ClassicGroup::from_record(written, &context);
        prop_assert_eq!(read.record(None).members, world.group.record(None).members);
        prop_assert!(read.is_stable());
    }
}
