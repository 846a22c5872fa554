//! `SyncGroup`: receives the leader's assignments and hands them out.

use std::collections::BTreeMap;

use bytes::Bytes;
use headwater_protocol::{ErrorCode, Str, SyncGroupRequest, SyncGroupResponse};

use super::{ClassicGroup, Effects, GroupContext, PendingRequestId, PendingWrite, State};

impl ClassicGroup {
    /// Handles `SyncGroup`: the leader sends all assignments, every member receives its own.
    pub(crate) fn sync(
        &mut self,
        request: &SyncGroupRequest,
        request_id: PendingRequestId,
        effects: &mut Effects,
    ) {
        if let Err(code) = self.check_sync(request) {
            effects.refuse_sync(request_id, code);
            return;
        }
        let member_id = &request.member_id;
        match self.state {
            State::Empty => effects.refuse_sync(request_id, ErrorCode::UnknownMemberId),
            State::PreparingRebalance(_) => {
                effects.refuse_sync(request_id, ErrorCode::RebalanceInProgress);
            }
            State::CompletingRebalance => {
                if let Some(earlier) = self.member_mut(member_id).sync.replace(request_id) {
                    effects.refuse_sync(earlier, ErrorCode::RebalanceInProgress);
                }
                self.has_synced(member_id);
                if self.is_leader(member_id) {
                    self.record_assignments(request, effects);
                }
            }
            State::Stable => {
                self.has_synced(member_id);
                let response = self.assignment_of(&self.members[member_id].assignment);
                effects.syncs.push((request_id, response));
            }
        }
    }

    fn check_sync(&self, request: &SyncGroupRequest) -> Result<(), ErrorCode> {
        self.check_member(&request.member_id, request.group_instance_id.as_ref())?;
        if request.generation_id != self.generation {
            return Err(ErrorCode::IllegalGeneration);
        }
        let differs =
            |requested: Option<&Str>, is: Option<&Str>| requested.is_some() && requested != is;
        if differs(request.protocol_type.as_ref(), self.protocol_type.as_ref())
            || differs(request.protocol_name.as_ref(), self.protocol.as_ref())
        {
            return Err(ErrorCode::InconsistentGroupProtocol);
        }
        Ok(())
    }

    fn has_synced(&mut self, member_id: &str) {
        self.pending_sync.remove(member_id);
        if self.pending_sync.is_empty() {
            self.sync_deadline = None;
        }
    }

    /// Puts the assignments into the record to be written. A member without an assignment gets an empty one.
    fn record_assignments(&mut self, request: &SyncGroupRequest, effects: &mut Effects) {
        let mut given: BTreeMap<&Str, &Bytes> = BTreeMap::new();
        for assignment in &request.assignments {
            given.insert(&assignment.member_id, &assignment.assignment);
        }
        let of = |id: &Str| given.get(id).map(|bytes| Bytes::copy_from_slice(bytes));
        let assignments: BTreeMap<Str, Bytes> = self
            .members
            .keys()
            .map(|id| (id.clone(), of(id).unwrap_or_default()))
            .collect();
        effects.record = Some(self.record(Some(&assignments)));
        self.pending_write = Some(PendingWrite::Assignments(assignments));
    }

    /// The assignments were written: answers all pending syncs.
    pub(super) fn distribute_assignments(
        &mut self,
        mut assignments: BTreeMap<Str, Bytes>,
        context: &GroupContext,
        effects: &mut Effects,
    ) {
        for (id, member) in &mut self.members {
            member.assignment = assignments.remove(id).unwrap_or_default();
        }
        self.enter(State::Stable, context);
        self.answer_syncs(ErrorCode::None, context, effects);
    }

    /// Answers all pending syncs, with the assignments or with an error.
    pub(super) fn answer_syncs(
        &mut self,
        code: ErrorCode,
        context: &GroupContext,
        effects: &mut Effects,
    ) {
        let template = self.assignment_of(&Bytes::new());
        for member in self.members.values_mut() {
            let Some(request_id) = member.sync.take() else {
                continue;
            };
            member.touch(context);
            if code.is_ok() {
                let assignment = member.assignment.clone();
                let response = SyncGroupResponse {
                    assignment,
                    ..template.clone()
                };
                effects.syncs.push((request_id, response));
            } else {
                effects.refuse_sync(request_id, code);
            }
        }
    }

    fn assignment_of(&self, assignment: &Bytes) -> SyncGroupResponse {
        SyncGroupResponse {
            error_code: ErrorCode::None.code(),
            protocol_type: self.protocol_type.clone(),
            protocol_name: self.protocol.clone(),
            assignment: assignment.clone(),
            ..SyncGroupResponse::default()
        }
    }
}
