//! Members with the model coordinator: lost requests, lost responses, expired sessions, slow callers and restarts.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::coordinator::ModelCoordinator;
use super::*;

const PARTITIONS: i32 = 7;

#[derive(Debug, Clone, Copy)]
enum Delivery {
    Whole,
    RequestLost,
    ResponseLost,
}

#[derive(Debug, Clone, Copy)]
enum Event {
    TimePasses(u64),
    Poll(usize),
    /// The caller carries out one todo.
    Todo(usize),
    Step(usize, Delivery),
    /// The coordinator removes the member.
    Expire(usize),
    /// The member's process dies, and another starts.
    Restart(usize),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let member = 0..3_usize;
    let delivery = prop_oneof![
        6 => Just(Delivery::Whole),
        1 => Just(Delivery::RequestLost),
        1 => Just(Delivery::ResponseLost),
    ];
    let event = prop_oneof![
        2 => (1..8_000_u64).prop_map(Event::TimePasses),
        2 => member.clone().prop_map(Event::Poll),
        6 => member.clone().prop_map(Event::Todo),
        12 => (member.clone(), delivery).prop_map(|(member, how)| Event::Step(member, how)),
        1 => member.clone().prop_map(Event::Expire),
        1 => member.prop_map(Event::Restart),
    ];
    prop::collection::vec(event, 1..250)
}

struct Group {
    coordinator: ModelCoordinator,
    members: Vec<ConsumerMember>,
    /// The partitions that each caller reads, according to its completed todos.
    reads: Vec<BTreeSet<i32>>,
    /// Whether the coordinator has removed the member, and the member has not learned it yet.
    given_up: Vec<bool>,
    started: usize,
    now: Instant,
}

impl Group {
    fn new() -> Self {
        let mut group = Self {
            coordinator: ModelCoordinator::new(PARTITIONS),
            members: Vec::new(),
            reads: vec![BTreeSet::new(); 3],
            given_up: vec![false; 3],
            started: 0,
            now: Instant::now(),
        };
        for _ in 0..3 {
            let member = group.start();
            group.members.push(member);
        }
        group
    }

    /// A member of a new process.
    fn start(&mut self) -> ConsumerMember {
        self.started += 1;
        let mut member = member(&[], self.now);
        member.id = format!("m-{:03}", self.started).into();
        member
    }

    /// Checks that no partition is read by two members of the coordinator.
    fn check(&self) {
        let mut readers: BTreeMap<i32, usize> = BTreeMap::new();
        for (index, reads) in self.reads.iter().enumerate() {
            for number in reads.iter().filter(|_| !self.given_up[index]) {
                let other = readers.insert(*number, index);
                assert_eq!(other, None, "partition {number} is read by {index} too");
            }
        }
    }

    fn step(&mut self, index: usize, delivery: Delivery) {
        let now = self.now;
        let member = &mut self.members[index];
        match member.next(now) {
            Step::Wait(_) => {}
            Step::FindCoordinator => member.coordinator_found(Ok(()), now),
            Step::LookUpTopics(_) if !matches!(delivery, Delivery::Whole) => {
                member.topics_found(Err(connection_lost()), now);
            }
            Step::LookUpTopics(ids) => {
                let names = ids.iter().map(|id| (*id, Arc::from("t")));
                member.topics_found(Ok(names.collect()), now);
            }
            Step::Heartbeat(request) => {
                if matches!(delivery, Delivery::RequestLost) {
                    return member.heartbeat_answered(Err(connection_lost()), now);
                }
                if request.member_epoch == 0 {
                    let owned =
                        reported(&request).expect("a joining member reports its partitions");
                    assert!(owned.is_empty() && self.reads[index].is_empty());
                }
                let answer = self.coordinator.answer(&request, now);
                if matches!(delivery, Delivery::ResponseLost) {
                    return member.heartbeat_answered(Err(connection_lost()), now);
                }
                let is_member = answer.error_code == 0;
                member.heartbeat_answered(Ok(answer), now);
                // A fenced member must stop reading before anything else.
                if is_member {
                    self.given_up[index] = false;
                } else {
                    self.lose(index);
                }
            }
            Step::Leave(request) => {
                // The caller continues to read until its next poll, which releases the partitions first.
                self.coordinator.answer(&request, now);
                self.given_up[index] = true;
                member.left(now);
            }
        }
    }

    /// A member that has learned that it was fenced requires the caller to drop everything.
    fn lose(&mut self, index: usize) {
        let reads = self.reads[index].len();
        match self.members[index].todo() {
            Todo::Lose(partitions) => assert_eq!(partitions.len(), reads),
            todo => assert_eq!(reads, 0, "a fenced member continues to read: {todo:?}"),
        }
    }

    /// Carries out one todo in a poll.
    fn todo(&mut self, index: usize) {
        let member = &mut self.members[index];
        member.polled(self.now);
        let numbers = |partitions: &[TopicPartition]| {
            let numbers = partitions.iter().map(|one| one.partition.get());
            numbers.collect::<BTreeSet<_>>()
        };
        match member.todo() {
            Todo::Nothing => {}
            Todo::Fail(error) => panic!("{error}"),
            Todo::Revoke(partitions) | Todo::Lose(partitions) => {
                member.release(&partitions);
                self.reads[index] = &self.reads[index] - &numbers(&partitions);
            }
            Todo::Assign(new_assignment) => {
                assert!(member.accept_assignment(new_assignment.version));
                self.reads[index] = numbers(&new_assignment.partitions);
            }
        }
    }

    fn apply(&mut self, event: Event) {
        match event {
            Event::TimePasses(ms) => {
                self.now += Duration::from_millis(ms);
                for id in self.coordinator.expire_silent(self.now) {
                    let index = self.members.iter().position(|member| *member.id == *id);
                    self.given_up[index.expect("the id of a member")] = true;
                }
            }
            Event::Poll(index) => drop(self.members[index].polled(self.now)),
            Event::Todo(index) => self.todo(index),
            Event::Step(index, delivery) => self.step(index, delivery),
            Event::Expire(index) => {
                self.coordinator.expire(&self.members[index].id);
                self.given_up[index] = true;
            }
            Event::Restart(index) => {
                self.coordinator.expire(&self.members[index].id);
                self.members[index] = self.start();
                self.reads[index].clear();
                self.given_up[index] = false;
            }
        }
        self.check();
    }

    /// No more faults: all members poll, and every request is answered.
    fn settle(&mut self) {
        // Longer than a session, which a member that lost two responses in a row must wait for.
        for _ in 0..120 {
            self.apply(Event::TimePasses(1_000));
            for index in 0..3 {
                for _ in 0..4 {
                    self.apply(Event::Todo(index));
                    self.apply(Event::Step(index, Delivery::Whole));
                }
            }
        }
    }
}

proptest! {
    #[test]
    fn a_partition_has_one_reader_and_the_group_reaches_its_target(events in events()) {
        let mut group = Group::new();
        for event in events {
            group.apply(event);
        }
        group.settle();
        let all: BTreeSet<i32> = group.reads.iter().flatten().copied().collect();
        prop_assert_eq!(all, (0..PARTITIONS).collect(), "{:#?} {:#?}", group.members, group.coordinator);
        for (index, member) in group.members.iter().enumerate() {
            let owned: BTreeSet<i32> = owned(member).into_iter().collect();
            prop_assert_eq!(&owned, &group.reads[index]);
            prop_assert!(owned.len() >= 2);
        }
    }
}
