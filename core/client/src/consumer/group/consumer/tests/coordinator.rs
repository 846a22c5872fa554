//! A minimal coordinator of one topic with the rules of KIP-848.
//!
//! It assigns partition `p` to the `p`-th member, modulo the number of members, and only after its last owner has
//! reported its release or is no longer a member.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

/// A member from the coordinator's point of view.
#[derive(Debug, Default)]
struct Seat {
    epoch: i32,
    previous_epoch: i32,
    /// The partitions of the last assignment.
    assigned: BTreeSet<i32>,
    /// The partitions that it must release and has not released.
    revoking: BTreeSet<i32>,
    /// The end of its session; set by every accepted heartbeat.
    session_end: Option<Instant>,
}

const SESSION_TIMEOUT: Duration = Duration::from_secs(45);

#[derive(Debug)]
pub(super) struct ModelCoordinator {
    epoch: i32,
    partitions: i32,
    seats: BTreeMap<String, Seat>,
}

impl ModelCoordinator {
    pub(super) fn new(partitions: i32) -> Self {
        Self {
            epoch: 0,
            partitions,
            seats: BTreeMap::new(),
        }
    }

    /// Removes the members whose sessions have ended, and returns their ids.
    pub(super) fn expire_silent(&mut self, now: Instant) -> Vec<String> {
        let silent = |seat: &Seat| seat.session_end.is_some_and(|end| end <= now);
        let ids = self.seats.iter().filter(|(_, seat)| silent(seat));
        let ids: Vec<_> = ids.map(|(id, _)| id.clone()).collect();
        for id in &ids {
            self.expire(id);
        }
        ids
    }

    /// Removes a member.
    pub(super) fn expire(&mut self, member_id: &str) {
        if self.seats.remove(member_id).is_some() {
            self.epoch += 1;
        }
    }

    pub(super) fn answer(
        &mut self,
        request: &ConsumerGroupHeartbeatRequest,
        now: Instant,
    ) -> ConsumerGroupHeartbeatResponse {
        let id = request.member_id.to_string();
        if request.member_epoch < 0 {
            self.expire(&id);
            return accepted(request.member_epoch, None);
        }
        if request.member_epoch == 0 && !self.seats.contains_key(&id) {
            self.seats.insert(id.clone(), Seat::default());
            self.epoch += 1;
        }
        let Some(seat) = self.seats.get(&id) else {
            return refused(ErrorCode::UnknownMemberId);
        };
        let owned = reported(request).map(|owned| owned.into_iter().collect::<BTreeSet<_>>());
        let repeats = request.member_epoch == seat.previous_epoch
            && owned
                .as_ref()
                .is_some_and(|owned| owned.is_subset(&seat.assigned));
        if request.member_epoch != seat.epoch && !repeats {
            return refused(ErrorCode::FencedMemberEpoch);
        }
        let before = seat.assigned.clone();
        self.advance(&id, owned.as_ref(), now);
        let seat = &self.seats[&id];
        let is_full = request.subscribed_topic_names.is_some();
        let numbers: Vec<_> = seat.assigned.iter().copied().collect();
        let changed = is_full || seat.assigned != before;
        accepted(seat.epoch, changed.then_some(&*numbers))
    }

    fn target(&self, id: &str) -> BTreeSet<i32> {
        let ids: Vec<_> = self.seats.keys().collect();
        let numbers = 0..self.partitions;
        numbers
            .filter(|number| ids[*number as usize % ids.len()] == id)
            .collect()
    }

    fn advance(&mut self, id: &str, owned: Option<&BTreeSet<i32>>, now: Instant) {
        let target = self.target(id);
        let others: BTreeSet<i32> = self
            .seats
            .iter()
            .filter(|(other, _)| *other != id)
            .flat_map(|(_, seat)| seat.assigned.union(&seat.revoking).copied())
            .collect();
        let epoch = self.epoch;
        let seat = self.seats.get_mut(id).unwrap();
        seat.session_end = Some(now + SESSION_TIMEOUT);
        let still_holds =
            |those: &BTreeSet<i32>| owned.is_none_or(|owned| !owned.is_disjoint(those));
        if !seat.revoking.is_empty() && still_holds(&seat.revoking) {
            return;
        }
        seat.revoking = &seat.assigned - &target;
        seat.assigned = &seat.assigned & &target;
        if !seat.revoking.is_empty() && still_holds(&seat.revoking) {
            return;
        }
        seat.revoking.clear();
        seat.assigned = &target - &others;
        if seat.epoch != epoch {
            seat.previous_epoch = seat.epoch;
            seat.epoch = epoch;
        }
    }
}
