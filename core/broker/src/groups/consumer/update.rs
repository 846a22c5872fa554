//! A change of a group that is not written yet.

use headwater_protocol::ConsumerGroupHeartbeatResponse;

use super::ConsumerGroup;
use crate::groups::record::GroupRecord;

/// A group as it is to be, and the records that make it so.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(super) group: ConsumerGroup,
    records: Vec<GroupRecord>,
    pub(super) response: ConsumerGroupHeartbeatResponse,
}

impl Draft {
    pub(super) fn of(group: &ConsumerGroup) -> Self {
        Self {
            group: group.clone(),
            records: Vec::new(),
            response: ConsumerGroupHeartbeatResponse::default(),
        }
    }

    /// Makes a change by its record.
    pub(super) fn push(&mut self, record: GroupRecord) {
        self.group.replay(record.clone());
        self.records.push(record);
    }

    /// What is to be written before the draft is accepted.
    pub(crate) fn records(&self) -> &[GroupRecord] {
        &self.records
    }

    /// The group as it is to be.
    pub(crate) const fn group(&self) -> &ConsumerGroup {
        &self.group
    }

    /// The group as it is to be.
    pub(crate) const fn group_mut(&mut self) -> &mut ConsumerGroup {
        &mut self.group
    }

    /// The group, and what its member is told, once the records are written.
    pub(crate) fn into_parts(self) -> (ConsumerGroup, ConsumerGroupHeartbeatResponse) {
        (self.group, self.response)
    }
}
