//! An update of a group that is not written yet.

use headwater_protocol::ConsumerGroupHeartbeatResponse;

use super::ConsumerGroup;
use crate::groups::record::GroupRecord;

/// The updated group, and the records of the update.
#[derive(Debug)]
pub(crate) struct GroupUpdate {
    pub(super) group: ConsumerGroup,
    records: Vec<GroupRecord>,
    pub(super) response: ConsumerGroupHeartbeatResponse,
}

impl GroupUpdate {
    pub(super) fn of(group: &ConsumerGroup) -> Self {
        Self {
            group: group.clone(),
            records: Vec::new(),
            response: ConsumerGroupHeartbeatResponse::default(),
        }
    }

    /// Applies a record to the updated group.
    pub(super) fn push(&mut self, record: GroupRecord) {
        self.group.replay(record.clone());
        self.records.push(record);
    }

    /// The records to write before the update is accepted.
    pub(crate) fn records(&self) -> &[GroupRecord] {
        &self.records
    }

    /// The updated group.
    pub(crate) const fn group(&self) -> &ConsumerGroup {
        &self.group
    }

    /// The updated group.
    pub(crate) const fn group_mut(&mut self) -> &mut ConsumerGroup {
        &mut self.group
    }

    /// The updated group, and the response to its member after the records are written.
    pub(crate) fn into_parts(self) -> (ConsumerGroup, ConsumerGroupHeartbeatResponse) {
        (self.group, self.response)
    }
}
