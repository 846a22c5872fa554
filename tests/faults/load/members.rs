//! Members of groups: some stay, some come and go, and some die without leaving.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Duration;

use headwater::{
    Batch, Consumer, ConsumerConfig, Engine, Error, ErrorCode, ErrorKind, Event as Polled, Offset,
    Operation, Rebalance, Result, Subscription, TopicPartition,
};
use headwater_fault_tests::chance::Chance;
use headwater_fault_tests::history::{Commits, Event, MemberId, Offsets, RecordId};

use super::{Group, SharedState, spawn};
use crate::judge::{rows, text};

/// The number of concurrent members of a group.
const MEMBERS: u32 = 3;
const POLL: Duration = Duration::from_millis(100);
const CONFIG: [(&str, &str); 5] = [
    ("auto.offset.reset", "earliest"),
    ("fetch.max.wait.ms", "100"),
    ("auto.commit.interval.ms", "200"),
    ("request.timeout.ms", "5000"),
    ("metadata.max.age.ms", "2000"),
];
const CLASSIC: [(&str, &str); 2] = [
    ("session.timeout.ms", "4000"),
    ("heartbeat.interval.ms", "300"),
];
const ASSIGNORS: [&str; 4] = [
    "range",
    "cooperative-sticky",
    "sticky",
    "range,cooperative-sticky",
];

/// The member's commit was refused because the group has rebalanced without it, which the member learns in the next
/// poll.
const OVERTAKEN: [ErrorCode; 6] = [
    ErrorCode::RebalanceInProgress,
    ErrorCode::IllegalGeneration,
    ErrorCode::UnknownMemberId,
    ErrorCode::StaleMemberEpoch,
    ErrorCode::FencedMemberEpoch,
    ErrorCode::FencedInstanceId,
];

/// Starts the members of a group. The last one is replaced repeatedly.
pub(super) fn start(
    shared: &Arc<SharedState>,
    client: &Engine,
    group: &Group,
    seed: u64,
) -> Vec<JoinHandle<()>> {
    let assignor = Chance::of(&[seed, 3]).pick(&ASSIGNORS);
    let threads = (0..MEMBERS).map(|slot| {
        let (shared, client, group) = (Arc::clone(shared), client.clone(), group.clone());
        let mut chance = Chance::of(&[seed, 4, u64::from(group.id.0), u64::from(slot)]);
        spawn(format!("{} {slot}", group.name), move || {
            while !shared.members_stop() {
                let member = Member::join(&shared, &client, &group, assignor, &mut chance);
                if slot + 1 < MEMBERS {
                    member.live(None);
                } else {
                    let polls = chance.within(10..80);
                    member.live(Some(polls));
                }
            }
        })
    });
    threads.collect()
}

/// How a member ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum MemberExit {
    LeaveGroup,
    Die,
}

struct Member<'a> {
    id: MemberId,
    group: &'a Group,
    shared: &'a SharedState,
    client: &'a Engine,
    consumer: Consumer,
    chance: Chance,
    /// The partitions that the next call releases.
    releasing: Vec<i32>,
}

impl<'a> Member<'a> {
    fn join(
        shared: &'a SharedState,
        client: &'a Engine,
        group: &'a Group,
        assignor: &'static str,
        chance: &mut Chance,
    ) -> Self {
        let id = MemberId(shared.next_member.fetch_add(1, Ordering::Relaxed));
        let automatic = (group.settings.commits == Commits::Automatic).to_string();
        let mut pairs = vec![
            ("group.id", group.name.as_str()),
            ("group.protocol", group.protocol),
            ("enable.auto.commit", automatic.as_str()),
        ];
        pairs.extend(CONFIG);
        if group.protocol == "classic" {
            pairs.extend(CLASSIC);
            pairs.push(("partition.assignment.strategy", assignor));
        }
        let mut consumer = client.consumer(ConsumerConfig::parse(pairs).unwrap());
        consumer.decode_as(text()).unwrap();
        shared.recorder.record(Event::Join(id, group.id));
        let topics = Subscription::topics([shared.topic.as_str()]);
        consumer.subscribe(topics).unwrap();
        Self {
            id,
            group,
            shared,
            client,
            consumer,
            chance: Chance::new(chance.number()),
            releasing: Vec::new(),
        }
    }

    /// Polls this many times, or until all members stop; then leaves or dies.
    fn live(mut self, polls: Option<u64>) {
        let mut left = polls;
        while !self.shared.members_stop() && left != Some(0) {
            left = left.map(|left| left - 1);
            let max_records = self.chance.within(1..200) as usize;
            let poll = Operation::poll(POLL, Some(max_records));
            match self.next(&poll) {
                Ok(Polled::Batch(batch)) => self.take(&batch),
                Ok(_) => {}
                Err(error) => self.note(&error),
            }
        }
        let dies = polls.is_some() && !self.shared.members_stop() && self.chance.one_in(4);
        self.end(if dies {
            MemberExit::Die
        } else {
            MemberExit::LeaveGroup
        });
    }

    /// Runs an operation until its next event, and records a rebalance.
    fn next(&mut self, operation: &Operation) -> Result<Polled> {
        if !self.releasing.is_empty() {
            let partitions = std::mem::take(&mut self.releasing);
            let event = Event::Released(self.id, partitions);
            self.shared.recorder.record(event);
        }
        let event = self.client.block_on(self.consumer.next_event(operation))?;
        if let Polled::Rebalance(rebalance) = &event {
            self.rebalance(rebalance);
        }
        Ok(event)
    }

    fn rebalance(&mut self, rebalance: &Rebalance) {
        match rebalance {
            Rebalance::Assigned(partitions) => {
                let event = Event::Assigned(self.id, numbers(partitions));
                self.shared.recorder.record(event);
            }
            Rebalance::Lost(partitions) => {
                let event = Event::Lost(self.id, numbers(partitions));
                self.shared.recorder.record(event);
            }
            Rebalance::Revoked(partitions) => {
                self.releasing = numbers(partitions);
                // An earlier commit may have failed.
                let mut offsets = self.consumer.consumed();
                offsets.retain(|partition, _| partitions.contains(partition));
                self.commit(offsets);
            }
        }
    }

    fn take(&mut self, batch: &Batch) {
        let mut records: BTreeMap<i32, Vec<(i64, RecordId)>> = BTreeMap::new();
        for (partition, offset, record) in rows(batch) {
            records.entry(partition).or_default().push((offset, record));
        }
        for (partition, records) in records {
            let mut delivered = self.shared.delivered.lock();
            let of_group = delivered.entry(self.group.id).or_default();
            of_group.extend(records.iter().map(|(_, record)| *record));
            drop(delivered);
            let event = Event::HandedOut(self.id, partition, records);
            self.shared.recorder.record(event);
        }
        self.commit(batch.next_offsets.clone());
    }

    /// Commits explicitly if the group does, and usually waits for the response.
    fn commit(&mut self, offsets: BTreeMap<TopicPartition, Offset>) {
        if self.group.settings.commits == Commits::Automatic || offsets.is_empty() {
            return;
        }
        let plain: Offsets = offsets
            .iter()
            .map(|(partition, offset)| (partition.partition.get(), offset.get()))
            .collect();
        self.shared
            .recorder
            .record(Event::Commit(self.id, plain.clone()));
        if self.chance.one_in(5) {
            let sent = self
                .client
                .block_on(self.consumer.commit_async(Some(offsets)));
            sent.unwrap_or_else(|error| self.note(&error));
            return;
        }
        match self.client.block_on(self.consumer.commit(Some(offsets))) {
            Ok(()) => self
                .shared
                .recorder
                .record(Event::Committed(self.id, plain)),
            Err(error) => self.note(&error),
        }
    }

    fn end(mut self, leaving: MemberExit) {
        if leaving == MemberExit::LeaveGroup {
            loop {
                match self.next(&Operation::Close) {
                    Ok(Polled::Left) => break,
                    Ok(_) => {}
                    Err(error) => {
                        self.note(&error);
                        break;
                    }
                }
            }
        }
        let Self {
            id,
            consumer,
            shared,
            ..
        } = self;
        // It owns its partitions until it has ended.
        drop(consumer);
        shared.recorder.record(Event::Ended(id));
    }

    /// An error is acceptable if the next call may succeed.
    fn note(&self, error: &Error) {
        let is_fine = error.is_retriable()
            || matches!(error.kind(), ErrorKind::Transport | ErrorKind::Timeout)
            || OVERTAKEN.contains(&error.code());
        if !is_fine {
            let Self { id, group, .. } = self;
            self.shared
                .fail(format!("{id:?} of {}: {error:?}", group.name));
        }
    }
}

fn numbers(partitions: &[TopicPartition]) -> Vec<i32> {
    partitions
        .iter()
        .map(|partition| partition.partition.get())
        .collect()
}
