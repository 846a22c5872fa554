//! Builds the requests of a classic member.

use headwater_protocol::join_group_request::JoinGroupRequestProtocol;
use headwater_protocol::leave_group_request::MemberIdentity;
use headwater_protocol::sync_group_request::SyncGroupRequestAssignment;
use headwater_protocol::{
    HeartbeatRequest, JoinGroupRequest, LeaveGroupRequest, Str, SyncGroupRequest,
};

use super::member::{ClassicMember, Step};
use super::protocol::{self, OwnedPartitions};
use crate::duration::wire_ms;
use crate::error::{Error, ErrorKind};

/// The protocol type of consumers.
pub(super) const CONSUMER: &str = "consumer";

impl ClassicMember {
    pub(super) fn join(&mut self) -> Step {
        let topics = self.topics.clone().unwrap_or_default();
        let owned = OwnedPartitions {
            partitions: &self.owned,
            generation: self.generation,
        };
        let previous = OwnedPartitions {
            partitions: &self.last_assignment.0,
            generation: self.last_assignment.1,
        };
        let rack = self.settings.group.rack_id.as_deref();
        let mut protocols = Vec::new();
        for assignor in &self.config.assignors {
            match protocol::subscription(*assignor, &topics, owned, previous, rack) {
                Ok(metadata) => protocols.push(JoinGroupRequestProtocol {
                    name: assignor.name().into(),
                    metadata,
                    ..Default::default()
                }),
                Err(error) => {
                    self.fail(
                        Error::new(
                            ErrorKind::InvalidArgument,
                            format!("The subscription cannot be encoded: {error}."),
                        )
                        .caused_by(error),
                    );
                    return Step::Wait(None);
                }
            }
        }
        Step::Join(JoinGroupRequest {
            group_id: self.group_id(),
            session_timeout_ms: wire_ms(self.config.session_timeout),
            rebalance_timeout_ms: wire_ms(self.settings.group.max_poll_interval),
            member_id: self.id.clone(),
            group_instance_id: self.instance_id(),
            protocol_type: CONSUMER.into(),
            protocols,
            ..Default::default()
        })
    }

    pub(super) fn sync(&self, assignments: Vec<SyncGroupRequestAssignment>) -> Step {
        Step::Sync(SyncGroupRequest {
            group_id: self.group_id(),
            generation_id: self.generation_id(),
            member_id: self.id.clone(),
            group_instance_id: self.instance_id(),
            protocol_type: Some(CONSUMER.into()),
            protocol_name: self.protocol.clone(),
            assignments,
            ..Default::default()
        })
    }

    pub(super) fn heartbeat(&self) -> Step {
        Step::Heartbeat(HeartbeatRequest {
            group_id: self.group_id(),
            generation_id: self.generation_id(),
            member_id: self.id.clone(),
            group_instance_id: self.instance_id(),
            ..Default::default()
        })
    }

    pub(super) fn leave(&self) -> LeaveGroupRequest {
        let member = MemberIdentity {
            member_id: self.id.clone(),
            group_instance_id: self.instance_id(),
            ..Default::default()
        };
        LeaveGroupRequest {
            group_id: self.group_id(),
            members: vec![member],
            ..Default::default()
        }
    }

    pub(super) fn generation_id(&self) -> i32 {
        self.generation.unwrap_or(-1)
    }

    fn group_id(&self) -> Str {
        self.settings.group.group_id.as_str().into()
    }

    pub(super) fn instance_id(&self) -> Option<Str> {
        self.settings.group.instance_id.as_deref().map(Str::from)
    }
}
