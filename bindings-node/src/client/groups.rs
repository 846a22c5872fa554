//! The groups of a client: lists them, reads and resets their offsets, and deletes them.

use napi::Env;
use napi::bindgen_prelude::{BigInt, Either, Null};
use napi_derive::napi;

use super::Client;
use crate::abort::Abort;
use crate::convert::partitions::{self, TopicPartition};
use crate::convert::position::{PositionArgument, position};
use crate::runtime::{Answer, promise};

/// A listed group.
#[napi(object, object_from_js = false)]
pub struct GroupInfo {
    /// The group's name.
    pub group_id: String,
    /// "classic" or "consumer".
    pub group_type: String,
    /// "consumer", or another protocol of its members.
    pub protocol_type: String,
    /// The state, with Kafka's name.
    pub state: String,
}

/// A group with its members.
#[napi(object, object_from_js = false)]
pub struct GroupDescription {
    /// The group's name.
    pub group_id: String,
    /// "classic" or "consumer".
    pub group_type: String,
    /// "consumer", or another protocol of its members.
    pub protocol_type: String,
    /// The state, with Kafka's name.
    pub state: String,
    /// The assignor; empty while the group has none.
    pub assignor: String,
    /// Its members.
    pub members: Vec<GroupMember>,
}

/// A member of a group.
#[napi(object, object_from_js = false)]
pub struct GroupMember {
    /// Its id within the group.
    pub member_id: String,
    /// Its `group.instance.id`, for a static member.
    pub instance_id: Option<String>,
    /// Its `client.id`.
    pub client_id: String,
    /// Its host.
    pub host: String,
    /// The topics of its subscription, by name.
    pub topics: Vec<String>,
    /// Its assigned partitions.
    pub assignment: Vec<TopicPartition>,
}

/// A committed offset of a group.
#[napi(object, object_from_js = false)]
pub struct GroupOffset {
    /// The topic's name.
    pub topic: String,
    /// The partition's number.
    pub partition: i32,
    /// The next offset to read.
    pub committed: BigInt,
    /// The end of the partition; null if the partition no longer exists.
    #[napi(ts_type = "bigint | null")]
    pub end: Either<BigInt, Null>,
    /// The number of offsets in between; null if the partition no longer exists.
    #[napi(ts_type = "bigint | null")]
    pub lag: Either<BigInt, Null>,
    /// The text that was committed with the offset.
    pub metadata: String,
}

#[napi]
impl Client {
    /// The consumer groups, by name.
    #[napi(catch_unwind, ts_return_type = "Promise<Array<GroupInfo>>")]
    pub fn groups(&self, env: Env, abort: Option<&Abort>) -> napi::Result<Answer> {
        let admin = self.admin(&env)?;
        let groups = async move { admin.list_groups().await };
        promise(&env, self.embedded.runtime(), abort, groups, |_, groups| {
            let info = |group: headwater::GroupInfo| GroupInfo {
                group_id: group.group_id,
                group_type: group.group_type,
                protocol_type: group.protocol_type,
                state: group.state,
            };
            Ok(groups.into_iter().map(info).collect::<Vec<_>>())
        })
    }

    /// Describes a group with its members.
    #[napi(catch_unwind, ts_return_type = "Promise<GroupDescription>")]
    pub fn describe_group(
        &self,
        env: Env,
        group_id: String,
        abort: Option<&Abort>,
    ) -> napi::Result<Answer> {
        let admin = self.admin(&env)?;
        let describe = async move { admin.describe_group(&group_id).await };
        promise(
            &env,
            self.embedded.runtime(),
            abort,
            describe,
            |_, group| Ok(description(group)),
        )
    }

    /// The committed offsets of a group.
    #[napi(catch_unwind, ts_return_type = "Promise<Array<GroupOffset>>")]
    pub fn group_offsets(
        &self,
        env: Env,
        group_id: String,
        abort: Option<&Abort>,
    ) -> napi::Result<Answer> {
        let admin = self.admin(&env)?;
        let offsets = async move { admin.group_offsets(&group_id).await };
        promise(
            &env,
            self.embedded.runtime(),
            abort,
            offsets,
            |_, offsets| Ok(offsets.into_iter().map(group_offset).collect::<Vec<_>>()),
        )
    }

    /// Sets the committed offsets of a group for a topic, and returns them.
    #[napi(catch_unwind, ts_return_type = "Promise<Array<PartitionOffset>>")]
    pub fn reset_group_offsets(
        &self,
        env: Env,
        group_id: String,
        topic: String,
        #[napi(ts_arg_type = "string | Array<PartitionOffset>")] to: PositionArgument,
        abort: Option<&Abort>,
    ) -> napi::Result<Answer> {
        let (admin, to) = (self.admin(&env)?, position(&env, &to)?);
        let reset = async move { admin.reset_group_offsets(&group_id, &topic, &to).await };
        promise(
            &env,
            self.embedded.runtime(),
            abort,
            reset,
            |_, committed| Ok(partitions::by_number(committed)),
        )
    }

    /// Deletes a group with its committed offsets.
    #[napi(catch_unwind, ts_return_type = "Promise<void>")]
    pub fn delete_group(
        &self,
        env: Env,
        group_id: String,
        abort: Option<&Abort>,
    ) -> napi::Result<Answer> {
        let admin = self.admin(&env)?;
        let delete = async move { admin.delete_group(&group_id).await };
        promise(&env, self.embedded.runtime(), abort, delete, |_, ()| Ok(()))
    }
}

fn description(group: headwater::GroupDescription) -> GroupDescription {
    let member = |member: headwater::GroupMember| GroupMember {
        member_id: member.member_id,
        instance_id: member.instance_id,
        client_id: member.client_id,
        host: member.host,
        topics: member.topics,
        assignment: partitions::list(&member.assignment),
    };
    GroupDescription {
        group_id: group.info.group_id,
        group_type: group.info.group_type,
        protocol_type: group.info.protocol_type,
        state: group.info.state,
        assignor: group.assignor,
        members: group.members.into_iter().map(member).collect(),
    }
}

fn group_offset(offset: headwater::GroupOffset) -> GroupOffset {
    let or_null = |number: Option<BigInt>| match number {
        Some(number) => Either::A(number),
        None => Either::B(Null),
    };
    GroupOffset {
        topic: offset.partition.topic.to_string(),
        partition: offset.partition.partition.get(),
        committed: offset.committed.get().into(),
        end: or_null(offset.end.map(|end| end.get().into())),
        lag: or_null(offset.lag().map(BigInt::from)),
        metadata: offset.metadata,
    }
}
