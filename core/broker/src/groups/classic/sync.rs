//! The leader's assignment, and how the others get theirs.

use std::collections::BTreeMap;

use bytes::Bytes;
use headwater_protocol::{ErrorCode, Str, SyncGroupRequest, SyncGroupResponse};

use super::{ClassicGroup, Facts, Outbox, State, Ticket, Unstored};

impl ClassicGroup {
    /// A member asks for its assignment; the leader brings all of them.
    pub(crate) fn sync(&mut self, request: &SyncGroupRequest, ticket: Ticket, out: &mut Outbox) {
        if let Err(code) = self.check_sync(request) {
            out.refuse_sync(ticket, code);
            return;
        }
        let member_id = &request.member_id;
        match self.state {
            State::Empty => out.refuse_sync(ticket, ErrorCode::UnknownMemberId),
            State::PreparingRebalance(_) => {
                out.refuse_sync(ticket, ErrorCode::RebalanceInProgress);
            }
            State::CompletingRebalance => {
                if let Some(earlier) = self.member_mut(member_id).sync.replace(ticket) {
                    out.refuse_sync(earlier, ErrorCode::RebalanceInProgress);
                }
                self.has_synced(member_id);
                if self.is_leader(member_id) {
                    self.take_assignments(request, out);
                }
            }
            State::Stable => {
                self.has_synced(member_id);
                let response = self.assignment_of(&self.members[member_id].assignment);
                out.syncs.push((ticket, response));
            }
        }
    }

    fn check_sync(&self, request: &SyncGroupRequest) -> Result<(), ErrorCode> {
        self.check_member(&request.member_id, request.group_instance_id.as_ref())?;
        if request.generation_id != self.generation {
            return Err(ErrorCode::IllegalGeneration);
        }
        let differs = |said: Option<&Str>, is: Option<&Str>| said.is_some() && said != is;
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

    /// The assignments are to be written before anybody gets one. Who is given none gets an empty one.
    fn take_assignments(&mut self, request: &SyncGroupRequest, out: &mut Outbox) {
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
        out.record = Some(self.record(Some(&assignments)));
        self.unstored = Some(Unstored::Assignments(assignments));
    }

    /// The assignments were written: everybody who waits gets one.
    pub(super) fn hand_out(
        &mut self,
        mut assignments: BTreeMap<Str, Bytes>,
        facts: &Facts,
        out: &mut Outbox,
    ) {
        for (id, member) in &mut self.members {
            member.assignment = assignments.remove(id).unwrap_or_default();
        }
        self.enter(State::Stable, facts);
        self.answer_syncs(ErrorCode::None, facts, out);
    }

    /// Answers all syncs that wait: with the assignments, or with an error.
    pub(super) fn answer_syncs(&mut self, code: ErrorCode, facts: &Facts, out: &mut Outbox) {
        let template = self.assignment_of(&Bytes::new());
        for member in self.members.values_mut() {
            let Some(ticket) = member.sync.take() else {
                continue;
            };
            member.touch(facts);
            if code.is_ok() {
                let assignment = member.assignment.clone();
                let response = SyncGroupResponse {
                    assignment,
                    ..template.clone()
                };
                out.syncs.push((ticket, response));
            } else {
                out.refuse_sync(ticket, code);
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
