//! A group of the consumer protocol with one member of this client, which gets its partitions late. Another member,
//! which only releases partitions, is not described.

use headwater_protocol::consumer_group_describe_response::{
    Assignment as DescribedAssignment, DescribedGroup, Member, TopicPartitions as NamedPartitions,
};
use headwater_protocol::consumer_group_heartbeat_response::{Assignment, TopicPartitions};
use headwater_protocol::{
    ConsumerGroupDescribeResponse, ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse,
    ErrorCode, Str,
};

use super::FakeCluster;
use super::state::State;

/// The epoch of the group after its member has joined.
const GROUP_EPOCH: i32 = 2;

#[derive(Debug)]
pub(crate) struct FakeGroup {
    member_id: Str,
    member_epoch: i32,
    /// The target assignment is computed after this many descriptions of the group.
    pub(crate) computed_after: usize,
    /// The other member releases its partitions after this many descriptions, in which the target is known.
    pub(crate) released_after: usize,
    /// Whether the target of the member is empty.
    pub(crate) has_empty_target: bool,
    /// Whether the next heartbeat is refused, because the coordinator has removed the member.
    pub(crate) fences: bool,
    /// The number of descriptions so far.
    pub(crate) descriptions: usize,
    /// The code of each description, if it is refused.
    pub(crate) description_fault: Option<ErrorCode>,
    pub(crate) heartbeat_interval_ms: i32,
}

impl Default for FakeGroup {
    fn default() -> Self {
        Self {
            member_id: Str::default(),
            member_epoch: 0,
            computed_after: 0,
            released_after: 0,
            has_empty_target: false,
            fences: false,
            descriptions: 0,
            description_fault: None,
            heartbeat_interval_ms: 5,
        }
    }
}

impl FakeGroup {
    fn is_computed(&self) -> bool {
        self.descriptions >= self.computed_after
    }

    fn is_released(&self) -> bool {
        self.descriptions >= self.computed_after + self.released_after
    }
}

impl FakeCluster {
    pub(super) fn heartbeat(
        &self,
        request: &ConsumerGroupHeartbeatRequest,
    ) -> ConsumerGroupHeartbeatResponse {
        let mut state = self.state();
        let partitions = if state.group.is_released() && !state.group.has_empty_target {
            assigned(&state)
        } else {
            Vec::new()
        };
        let group = &mut state.group;
        if std::mem::take(&mut group.fences) {
            return ConsumerGroupHeartbeatResponse {
                error_code: ErrorCode::FencedMemberEpoch.code(),
                ..Default::default()
            };
        }
        group.member_id = request.member_id.clone();
        group.member_epoch = GROUP_EPOCH - i32::from(!group.is_computed());
        ConsumerGroupHeartbeatResponse {
            member_id: Some(request.member_id.clone()),
            member_epoch: group.member_epoch,
            heartbeat_interval_ms: group.heartbeat_interval_ms,
            assignment: Some(Assignment {
                topic_partitions: partitions,
                ..Default::default()
            }),
            ..Default::default()
        }
    }

    pub(super) fn describe_group(&self) -> ConsumerGroupDescribeResponse {
        let mut state = self.state();
        state.group.descriptions += 1;
        let group = &state.group;
        let target = if group.is_computed() && !group.has_empty_target {
            named(&state)
        } else {
            Vec::new()
        };
        let member = Member {
            member_id: group.member_id.clone(),
            member_epoch: group.member_epoch,
            target_assignment: DescribedAssignment {
                topic_partitions: target,
                ..Default::default()
            },
            ..Default::default()
        };
        let described = DescribedGroup {
            error_code: group.description_fault.map_or(0, ErrorCode::code),
            group_epoch: GROUP_EPOCH,
            assignment_epoch: GROUP_EPOCH - i32::from(!group.is_computed()),
            members: vec![member],
            ..Default::default()
        };
        ConsumerGroupDescribeResponse {
            groups: vec![described],
            ..Default::default()
        }
    }
}

/// All partitions of all topics, by id.
fn assigned(state: &State) -> Vec<TopicPartitions> {
    let topics = state.partitions.iter();
    topics
        .map(|(name, count)| TopicPartitions {
            topic_id: state.id_of(name),
            partitions: (0..*count).collect(),
            ..Default::default()
        })
        .collect()
}

/// All partitions of all topics, by name.
fn named(state: &State) -> Vec<NamedPartitions> {
    let topics = state.partitions.iter();
    topics
        .map(|(name, count)| NamedPartitions {
            topic_id: state.id_of(name),
            topic_name: name.as_str().into(),
            partitions: (0..*count).collect(),
            ..Default::default()
        })
        .collect()
}
