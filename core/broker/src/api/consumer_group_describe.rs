//! `ConsumerGroupDescribe` (key 69), versions 0-1.
//!
//! Behaviour: state, epochs, members, and each member's current and target assignment.
//!
//! Notes: an unknown or classic group is `GROUP_ID_NOT_FOUND`. From version 1 on each member has its protocol type.

use headwater_env::Env;
use headwater_metadata::Image;
use headwater_protocol::consumer_group_describe_response::{
    Assignment as DescribedAssignment, DescribedGroup, Member as DescribedMember, TopicPartitions,
};
use headwater_protocol::{
    ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse, ErrorCode, Str,
};

use super::support::authorized_operations::{self, if_requested};
use crate::RequestContext;
use crate::controller::Controller;
use crate::groups::Groups;
use crate::groups::consumer::{Assignment, ConsumerGroup, Member};
use crate::groups::group::Group;

/// The member type of the consumer protocol.
const CONSUMER: i8 = 1;
/// The member type of the classic protocol.
const CLASSIC: i8 = 0;

/// Handles the request.
pub(super) fn handle<E: Env>(
    controller: &Controller<E>,
    groups: &Groups<E>,
    _context: &RequestContext,
    request: ConsumerGroupDescribeRequest,
) -> ConsumerGroupDescribeResponse {
    let operations = if_requested(
        request.include_authorized_operations,
        authorized_operations::GROUP,
    );
    let described = request.group_ids.into_iter().map(|group_id| {
        let mut group = describe(controller, groups, group_id);
        if ErrorCode::from_code(group.error_code).is_ok() {
            group.authorized_operations = operations;
        }
        group
    });
    ConsumerGroupDescribeResponse {
        groups: described.collect(),
        ..ConsumerGroupDescribeResponse::default()
    }
}

fn describe<E: Env>(
    controller: &Controller<E>,
    groups: &Groups<E>,
    group_id: Str,
) -> DescribedGroup {
    if group_id.is_empty() {
        return failed(group_id, ErrorCode::InvalidGroupId);
    }
    let coordinator = match groups.coordinator_of(&group_id) {
        Ok(coordinator) => coordinator,
        Err(code) => return failed(group_id, code),
    };
    let entry = coordinator.shard().get(&group_id);
    match entry.map(|entry| &entry.group) {
        Some(Group::Consumer(group)) => described(&controller.image(), group_id, group),
        Some(Group::Classic(_)) | None => failed(group_id, ErrorCode::GroupIdNotFound),
    }
}

fn described(image: &Image, group_id: Str, group: &ConsumerGroup) -> DescribedGroup {
    let nothing = Assignment::new();
    let member = |member: &Member| DescribedMember {
        member_id: member.id.clone(),
        instance_id: member.instance_id.clone(),
        rack_id: member.rack_id.clone(),
        member_epoch: member.epoch,
        client_id: member.client_id.clone(),
        client_host: member.client_host.clone(),
        subscribed_topic_names: member.topics.iter().cloned().collect(),
        subscribed_topic_regex: member.regex.clone(),
        assignment: assignment(image, &member.assigned),
        target_assignment: assignment(image, group.target_of(&member.id).unwrap_or(&nothing)),
        member_type: if member.classic.is_some() {
            CLASSIC
        } else {
            CONSUMER
        },
        ..DescribedMember::default()
    };
    DescribedGroup {
        error_code: ErrorCode::None.code(),
        group_id,
        group_state: group.state_name().into(),
        group_epoch: group.epoch(),
        assignment_epoch: group.target_epoch(),
        assignor_name: group.assignor().into(),
        members: group.members().map(member).collect(),
        authorized_operations: authorized_operations::NOT_REQUESTED,
        ..DescribedGroup::default()
    }
}

fn assignment(image: &Image, partitions: &Assignment) -> DescribedAssignment {
    // A deleted topic has no name.
    let topics = partitions.iter().filter_map(|(topic_id, partitions)| {
        Some(TopicPartitions {
            topic_id: *topic_id,
            topic_name: (&*image.topic_by_id(*topic_id)?.name).into(),
            partitions: partitions.iter().copied().collect(),
            ..TopicPartitions::default()
        })
    });
    DescribedAssignment {
        topic_partitions: topics.collect(),
        ..DescribedAssignment::default()
    }
}

fn failed(group_id: Str, code: ErrorCode) -> DescribedGroup {
    DescribedGroup {
        error_code: code.code(),
        error_message: Some(code.message().into()),
        group_id,
        authorized_operations: authorized_operations::NOT_REQUESTED,
        ..DescribedGroup::default()
    }
}
