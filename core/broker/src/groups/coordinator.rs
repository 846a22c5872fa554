//! The I/O of group coordination: locks and loads a partition of `__consumer_offsets`, writes records and completes
//! pending requests.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use headwater_env::Env;
use headwater_protocol::{ErrorCode, JoinGroupResponse, Str, SyncGroupResponse};
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::oneshot;
use uuid::Uuid;

use super::alarm::Alarm;
use super::classic::ClassicGroup;
use super::context::{Effects, GroupContext, Limits, Now, PendingRequestId};
use super::group::{Group, classic_record};
use super::offsets_topic::{TOPIC, WriteError, partition_of};
use super::record::GroupRecord;
use super::shard::Shard;
use crate::controller::Controller;
use crate::memory::RequestMemory;
use crate::partitions::Partitions;
use crate::random::random_uuid;
use crate::refusal::Refusal;
use crate::storage::Storage;

/// The groups of this broker, by partition of `__consumer_offsets`. Each partition is loaded on its first use.
#[derive(Debug)]
pub(crate) struct Groups<E: Env> {
    pub(super) controller: Arc<Controller<E>>,
    pub(super) partitions: Arc<Partitions<E>>,
    pub(super) storage: Arc<Storage<E>>,
    pub(super) memory: Arc<RequestMemory>,
    coordinators: OnceLock<Vec<Mutex<CoordinatorPartition>>>,
    next_request_id: AtomicU64,
    pub(super) alarm: Alarm,
}

/// The groups of one partition, and their pending requests.
#[derive(Debug, Default)]
pub(super) struct CoordinatorPartition {
    shard: Shard,
    load_state: LoadState,
    joins: HashMap<PendingRequestId, oneshot::Sender<JoinGroupResponse>>,
    syncs: HashMap<PendingRequestId, oneshot::Sender<SyncGroupResponse>>,
}

/// Whether the groups of a partition have been loaded.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum LoadState {
    #[default]
    NotLoaded,
    Loaded,
}

/// A response that may be pending.
pub(crate) type PendingResponse<R> = oneshot::Receiver<R>;

/// A coordinator partition, locked and loaded, with the time of the request.
pub(crate) struct Coordinator<'a, E: Env> {
    pub(super) groups: &'a Groups<E>,
    index: usize,
    partition: MutexGuard<'a, CoordinatorPartition>,
    pub(super) context: GroupContext,
}

impl<E: Env> Groups<E> {
    /// The groups of a broker, none of which is loaded.
    pub(crate) fn new(
        controller: Arc<Controller<E>>,
        partitions: Arc<Partitions<E>>,
        storage: Arc<Storage<E>>,
        memory: Arc<RequestMemory>,
    ) -> Self {
        Self {
            controller,
            partitions,
            storage,
            memory,
            coordinators: OnceLock::new(),
            next_request_id: AtomicU64::new(0),
            alarm: Alarm::default(),
        }
    }

    /// A random id for a new member.
    pub(crate) fn random_uuid(&self) -> Uuid {
        random_uuid(&self.partitions.env)
    }

    /// The number of coordinators: the partition count of the offsets topic, existing or to be created.
    pub(crate) fn coordinators(&self) -> usize {
        self.coordinator_partitions().len()
    }

    /// Creates the offsets topic if needed. Changes the metadata, so the caller must not hold a coordinator.
    pub(crate) async fn ensure_coordinators(&self) -> Result<(), Refusal> {
        self.ensure_offsets_topic().await.map_err(|refusal| {
            // An engine that is closing refuses to create topics; this is not an error.
            if self.partitions.is_open() {
                tracing::error!(reason = refusal.message, "{TOPIC} could not be created");
            }
            let code = match refusal.code {
                ErrorCode::KafkaStorageError => ErrorCode::KafkaStorageError,
                _ => ErrorCode::CoordinatorNotAvailable,
            };
            Refusal::new(
                code,
                format!("{TOPIC} could not be created: {}", refusal.message),
            )
        })
    }

    fn coordinator_partitions(&self) -> &[Mutex<CoordinatorPartition>] {
        self.coordinators.get_or_init(|| {
            let configured = self.controller.config().offsets_topic_partitions as usize;
            let image = self.controller.image();
            let existing = image.topic(TOPIC).map(|topic| topic.partitions.len());
            (0..existing.unwrap_or(configured))
                .map(|_| Mutex::default())
                .collect()
        })
    }

    /// Locks the coordinator of a group.
    pub(crate) fn coordinator_of(&self, group_id: &str) -> Result<Coordinator<'_, E>, ErrorCode> {
        self.coordinator(partition_of(group_id, self.coordinators()))
    }

    /// Locks the coordinator of a partition, loads it if needed and expires its time-outs.
    pub(crate) fn coordinator(&self, index: usize) -> Result<Coordinator<'_, E>, ErrorCode> {
        let partitions = self.coordinator_partitions();
        let mut partition = partitions[index].lock();
        if !self.partitions.is_open() {
            return Err(ErrorCode::CoordinatorNotAvailable);
        }
        let context = self.group_context();
        if partition.load_state == LoadState::NotLoaded {
            let mut shard = Shard::default();
            self.read_group_records(index, |record| shard.replay(record, &context))
                .map_err(|error| {
                    tracing::error!(partition = index, %error, "the groups of {TOPIC} cannot be read; the next request tries again");
                    error.code()
                })?;
            shard.finish_replay(context.now.monotonic, self.consumer_session_timeout());
            shard.reserve_for_loaded_members(&self.memory);
            partition.shard = shard;
            partition.load_state = LoadState::Loaded;
        }
        let mut coordinator = Coordinator {
            groups: self,
            index,
            partition,
            context,
        };
        coordinator.fire_due();
        Ok(coordinator)
    }

    fn group_context(&self) -> GroupContext {
        let config = self.controller.config();
        GroupContext {
            now: Now {
                monotonic: self.partitions.env.monotonic(),
                wall_ms: self.partitions.env.wall_clock_ms(),
            },
            limits: Limits {
                initial_rebalance_delay: Duration::from_millis(
                    config.group_initial_rebalance_delay_ms,
                ),
                members_max: config.group_size_max,
            },
        }
    }

    /// A new id for a pending request.
    pub(super) fn next_request_id(&self) -> PendingRequestId {
        PendingRequestId(self.next_request_id.fetch_add(1, Ordering::Relaxed))
    }

    /// Expires the time-outs of all loaded groups. Returns the next deadline.
    pub(crate) fn fire_group_timers(&self) -> Option<Duration> {
        let partitions = self.coordinators.get()?;
        let mut next = None;
        for (index, partition) in partitions.iter().enumerate() {
            if partition.lock().load_state == LoadState::NotLoaded {
                continue;
            }
            if let Ok(coordinator) = self.coordinator(index) {
                let deadline = coordinator.partition.shard.next_deadline();
                next = [next, deadline].into_iter().flatten().min();
            }
        }
        next
    }

    /// Fails all pending requests with `COORDINATOR_NOT_AVAILABLE`.
    pub(crate) fn close(&self) {
        for partition in self.coordinators.get().into_iter().flatten() {
            let mut partition = partition.lock();
            partition.joins.clear();
            partition.syncs.clear();
        }
    }
}

impl<E: Env> Coordinator<'_, E> {
    /// The groups of the partition.
    pub(crate) fn shard(&self) -> &Shard {
        &self.partition.shard
    }

    /// The groups of the partition. Callers write offset records before they change offsets.
    pub(super) fn shard_mut(&mut self) -> &mut Shard {
        &mut self.partition.shard
    }

    /// The time of the request.
    pub(crate) const fn now(&self) -> Now {
        self.context.now
    }

    /// Runs a transition of a classic group and performs its effects. `None` if the group does not exist or is not
    /// classic.
    pub(super) fn change<R>(
        &mut self,
        group_id: &Str,
        change: impl FnOnce(&mut ClassicGroup, &GroupContext, &mut Effects) -> R,
    ) -> Option<R> {
        let mut effects = Effects::default();
        let Group::Classic(group) = &mut self.partition.shard.get_mut(group_id)?.group else {
            return None;
        };
        let result = change(group, &self.context, &mut effects);
        self.perform(group_id, effects);
        Some(result)
    }

    /// Registers a receiver for the response to a pending request.
    pub(super) fn await_join(
        &mut self,
        request_id: PendingRequestId,
    ) -> PendingResponse<JoinGroupResponse> {
        let (sender, receiver) = oneshot::channel();
        self.partition.joins.insert(request_id, sender);
        receiver
    }

    /// Registers a receiver for the response to a pending request.
    pub(super) fn await_sync(
        &mut self,
        request_id: PendingRequestId,
    ) -> PendingResponse<SyncGroupResponse> {
        let (sender, receiver) = oneshot::channel();
        self.partition.syncs.insert(request_id, sender);
        receiver
    }

    /// Writes records as one batch.
    pub(super) fn write(&self, records: &[GroupRecord]) -> Result<(), WriteError> {
        if records.is_empty() {
            return Ok(());
        }
        let written = self.groups.write_group_records(self.index, records);
        if let Err(error) = &written {
            tracing::error!(partition = self.index, %error, "a change of a group was not written");
        }
        written
    }

    fn fire_due(&mut self) {
        for group_id in self.partition.shard.due(self.context.now.monotonic) {
            while self.change(&group_id, ClassicGroup::fire_next) == Some(true) {}
            self.fire_consumer_timers(&group_id);
        }
    }

    /// Performs the effects of a transition: writes the record, completes the transition, sends the responses.
    fn perform(&mut self, group_id: &Str, mut effects: Effects) {
        while let Some(record) = effects.record.take() {
            let written = self.write(&[classic_record(group_id, Some(record))]);
            let entry = self.partition.shard.get_mut(group_id);
            if let Some(Group::Classic(group)) = entry.map(|entry| &mut entry.group) {
                let result = written.map_err(|error| error.code());
                group.record_written(result, &self.context, &mut effects);
            }
        }
        self.answer(effects);
        self.set_alarm(group_id);
    }

    /// Sends responses. A receiver may be gone.
    pub(super) fn answer(&mut self, effects: Effects) {
        for (request_id, response) in effects.joins {
            if let Some(sender) = self.partition.joins.remove(&request_id) {
                let _ = sender.send(response);
            }
        }
        for (request_id, response) in effects.syncs {
            if let Some(sender) = self.partition.syncs.remove(&request_id) {
                let _ = sender.send(response);
            }
        }
    }

    /// Sets the alarm for the group's next deadline.
    pub(super) fn set_alarm(&self, group_id: &str) {
        let entry = self.partition.shard.get(group_id);
        if let Some(deadline) = entry.and_then(|entry| entry.group.next_deadline()) {
            self.groups.alarm.no_later_than(deadline);
        }
    }
}
