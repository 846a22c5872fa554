//! The shell around the state machines: locks a coordinator's partition, loads it, writes what is to be written, answers who waits.

use std::collections::HashMap;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use headwater_env::Env;
use headwater_protocol::{ErrorCode, JoinGroupResponse, Str, SyncGroupResponse};
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::oneshot;

use super::alarm::Alarm;
use super::classic::ClassicGroup;
use super::facts::{Facts, Limits, Now, Outbox, Ticket};
use super::group::{Group, classic_record};
use super::offsets_topic::{TOPIC, WriteError, partition_of};
use super::record::GroupRecord;
use super::shard::Shard;
use crate::refusal::Refusal;
use crate::state::State;

/// The groups of this broker: one seat for each partition of `__consumer_offsets`, read from it when it is first used.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    seats: OnceLock<Vec<Mutex<Seat>>>,
    tickets: AtomicU64,
    pub(super) alarm: Alarm,
}

/// One coordinator: the groups of one partition, and who waits for them.
#[derive(Debug, Default)]
pub(super) struct Seat {
    shard: Shard,
    loading: Loading,
    joins: HashMap<Ticket, oneshot::Sender<JoinGroupResponse>>,
    syncs: HashMap<Ticket, oneshot::Sender<SyncGroupResponse>>,
}

/// Whether a seat knows what its partition says.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Loading {
    #[default]
    Unread,
    Read,
}

/// A coordinator that is locked and loaded, at one moment.
pub(crate) struct Coordinator<'a, E: Env> {
    pub(super) state: &'a State<E>,
    index: usize,
    seat: MutexGuard<'a, Seat>,
    pub(super) facts: Facts,
}

impl<E: Env> State<E> {
    /// How many coordinators there are: as many as the topic has partitions, or will have.
    pub(crate) fn coordinators(&self) -> usize {
        self.seats().len()
    }

    /// Makes sure that there is a place for what groups leave. Takes the controller, so the caller holds no coordinator.
    pub(crate) fn ensure_coordinators(&self) -> Result<(), Refusal> {
        self.ensure_offsets_topic().map_err(|refusal| {
            // An engine that closes meanwhile refuses the topic, and that is no fault.
            if self.is_open() {
                tracing::error!(reason = refusal.message, "{TOPIC} could not be made");
            }
            let code = match refusal.code {
                ErrorCode::KafkaStorageError => ErrorCode::KafkaStorageError,
                _ => ErrorCode::CoordinatorNotAvailable,
            };
            Refusal::new(
                code,
                format!("{TOPIC} could not be made: {}", refusal.message),
            )
        })
    }

    fn seats(&self) -> &[Mutex<Seat>] {
        self.groups.seats.get_or_init(|| {
            let configured = self.config().offsets_topic_partitions as usize;
            let image = self.image();
            let made = image.topic(TOPIC).map(|topic| topic.partitions.len());
            (0..made.unwrap_or(configured))
                .map(|_| Mutex::default())
                .collect()
        })
    }

    /// The coordinator of a group.
    pub(crate) fn coordinator_of(&self, group_id: &str) -> Result<Coordinator<'_, E>, ErrorCode> {
        self.coordinator(partition_of(group_id, self.coordinators()))
    }

    /// The coordinator of a partition, its log read and its time-outs done.
    pub(crate) fn coordinator(&self, index: usize) -> Result<Coordinator<'_, E>, ErrorCode> {
        let seats = self.seats();
        let mut seat = seats[index].lock();
        if !self.is_open() {
            return Err(ErrorCode::CoordinatorNotAvailable);
        }
        let facts = self.group_facts();
        if seat.loading == Loading::Unread {
            let mut shard = Shard::default();
            self.read_group_records(index, |record| shard.replay(record, &facts))
                .map_err(|error| {
                    tracing::error!(partition = index, %error, "the groups of {TOPIC} cannot be read; the next request tries again");
                    error.code()
                })?;
            shard.finish_replay(facts.now.monotonic, self.consumer_session_timeout());
            shard.count_loaded_members(&self.memory);
            seat.shard = shard;
            seat.loading = Loading::Read;
        }
        let mut coordinator = Coordinator {
            state: self,
            index,
            seat,
            facts,
        };
        coordinator.fire_due();
        Ok(coordinator)
    }

    fn group_facts(&self) -> Facts {
        let config = self.config();
        Facts {
            now: Now {
                monotonic: self.env.monotonic(),
                wall_ms: self.env.wall_clock_ms(),
            },
            limits: Limits {
                initial_rebalance_delay: Duration::from_millis(
                    config.group_initial_rebalance_delay_ms,
                ),
                members_max: config.group_size_max,
            },
        }
    }

    /// A name for one more request that waits.
    pub(super) fn next_ticket(&self) -> Ticket {
        Ticket(self.groups.tickets.fetch_add(1, Ordering::Relaxed))
    }

    /// Lets time pass for the groups that have been read. Returns when it next matters.
    pub(crate) fn fire_group_timers(&self) -> Option<Duration> {
        let seats = self.groups.seats.get()?;
        let mut next = None;
        for (index, seat) in seats.iter().enumerate() {
            if seat.lock().loading == Loading::Unread {
                continue;
            }
            if let Ok(coordinator) = self.coordinator(index) {
                let deadline = coordinator.seat.shard.next_deadline();
                next = [next, deadline].into_iter().flatten().min();
            }
        }
        next
    }

    /// Answers nobody any more: who waits is told that the coordinator has gone.
    pub(crate) fn close_groups(&self) {
        for seat in self.groups.seats.get().into_iter().flatten() {
            let mut seat = seat.lock();
            seat.joins.clear();
            seat.syncs.clear();
        }
    }
}

impl<E: Env> Coordinator<'_, E> {
    /// Its groups.
    pub(crate) fn shard(&self) -> &Shard {
        &self.seat.shard
    }

    /// Its groups. Whoever changes offsets has written them before.
    pub(super) fn shard_mut(&mut self) -> &mut Shard {
        &mut self.seat.shard
    }

    /// The time that it goes by.
    pub(crate) const fn now(&self) -> Now {
        self.facts.now
    }

    /// Does something to a classic group, and then what that wants done; `None` if there is no such group of that kind.
    pub(super) fn change<R>(
        &mut self,
        group_id: &Str,
        change: impl FnOnce(&mut ClassicGroup, &Facts, &mut Outbox) -> R,
    ) -> Option<R> {
        let mut out = Outbox::default();
        let Group::Classic(group) = &mut self.seat.shard.get_mut(group_id)?.group else {
            return None;
        };
        let result = change(group, &self.facts, &mut out);
        self.perform(group_id, out);
        Some(result)
    }

    /// From now on the answer to `ticket` goes to the receiver.
    pub(super) fn await_join(&mut self, ticket: Ticket) -> oneshot::Receiver<JoinGroupResponse> {
        let (sender, receiver) = oneshot::channel();
        self.seat.joins.insert(ticket, sender);
        receiver
    }

    /// From now on the answer to `ticket` goes to the receiver.
    pub(super) fn await_sync(&mut self, ticket: Ticket) -> oneshot::Receiver<SyncGroupResponse> {
        let (sender, receiver) = oneshot::channel();
        self.seat.syncs.insert(ticket, sender);
        receiver
    }

    /// Writes records as one batch.
    pub(super) fn write(&self, records: &[GroupRecord]) -> Result<(), WriteError> {
        if records.is_empty() {
            return Ok(());
        }
        let written = self.state.write_group_records(self.index, records);
        if let Err(error) = &written {
            tracing::error!(partition = self.index, %error, "a change of a group was not written");
        }
        written
    }

    fn fire_due(&mut self) {
        for group_id in self.seat.shard.due(self.facts.now.monotonic) {
            while self.change(&group_id, ClassicGroup::fire_next) == Some(true) {}
            self.fire_consumer(&group_id);
        }
    }

    /// Writes, tells the group, answers.
    fn perform(&mut self, group_id: &Str, mut out: Outbox) {
        while let Some(record) = out.record.take() {
            let written = self.write(&[classic_record(group_id, Some(record))]);
            let entry = self.seat.shard.get_mut(group_id);
            if let Some(Group::Classic(group)) = entry.map(|entry| &mut entry.group) {
                let result = written.map_err(|error| error.code());
                group.stored(result, &self.facts, &mut out);
            }
        }
        self.answer(out);
        self.set_alarm(group_id);
    }

    /// Answers requests that wait. Some may have been given up.
    pub(super) fn answer(&mut self, out: Outbox) {
        for (ticket, response) in out.joins {
            if let Some(sender) = self.seat.joins.remove(&ticket) {
                let _ = sender.send(response);
            }
        }
        for (ticket, response) in out.syncs {
            if let Some(sender) = self.seat.syncs.remove(&ticket) {
                let _ = sender.send(response);
            }
        }
    }

    /// The next time-out of the group will not be missed.
    pub(super) fn set_alarm(&self, group_id: &str) {
        let entry = self.seat.shard.get(group_id);
        if let Some(deadline) = entry.and_then(|entry| entry.group.next_deadline()) {
            self.state.groups.alarm.no_later_than(deadline);
        }
    }
}
