//! A consumer as a member of a group.

use futures_util::FutureExt as _;
use headwater::{Finishing, Subscription};
use napi::Env;
use napi_derive::napi;

use super::{Consumer, done};
use crate::abort::Abort;
use crate::convert::partitions::{
    self, TopicPartition, TopicPartitionOffset, TopicPartitionOffsetAndMetadata,
};
use crate::errors;
use crate::runtime::Answer;

/// The membership of a consumer in its group.
#[napi(object, object_from_js = false)]
pub struct GroupMetadata {
    /// The group's name.
    pub group_id: String,
    /// The id that the coordinator gave the member; empty before it has joined.
    pub member_id: String,
    /// The generation of the group, or the member's epoch (KIP-848); -1 while it is not a member.
    pub generation_id: i32,
    /// Its `group.instance.id`, for a static member.
    pub group_instance_id: Option<String>,
    /// The id of the member that assigns partitions; none before it has joined, and where the broker assigns.
    pub leader_id: Option<String>,
    /// The assignor that the group has chosen; none before it has joined, and where the broker assigns.
    pub assignor: Option<String>,
}

#[napi]
impl Consumer {
    /// The membership in its group, without waiting; null for a consumer without a group.
    #[napi(catch_unwind)]
    pub fn group_metadata(&self) -> Option<GroupMetadata> {
        let member = self.state.gauge.group_metadata()?;
        Some(GroupMetadata {
            group_id: member.group_id,
            member_id: member.member_id,
            generation_id: member.generation_id,
            group_instance_id: member.group_instance_id,
            leader_id: member.leader_id,
            assignor: member.assignor,
        })
    }

    /// Joins the group for these topics, or for the topics of a pattern.
    #[napi(catch_unwind, ts_return_type = "Promise<void>")]
    pub fn subscribe(
        &self,
        env: Env,
        topics: Option<Vec<String>>,
        pattern: Option<String>,
    ) -> napi::Result<Answer> {
        let subscription = match pattern {
            Some(pattern) => Subscription::pattern(&pattern),
            None => Ok(Subscription::topics(topics.unwrap_or_default())),
        };
        let subscription = subscription.map_err(|error| errors::raise(&env, &error))?;
        self.call(
            &env,
            None,
            |consumer| async move { consumer.subscribe(subscription) }.boxed(),
            done,
        )
    }

    /// Commits these offsets, or the positions of all partitions. Without `wait` it does not wait for the response.
    #[napi(catch_unwind, ts_return_type = "Promise<void>")]
    pub fn commit(
        &self,
        env: Env,
        offsets: Option<Vec<TopicPartitionOffsetAndMetadata>>,
        wait: bool,
        abort: Option<&Abort>,
    ) -> napi::Result<Answer> {
        let (offsets, metadata) = offsets.map(partitions::offsets_and_metadata).unzip();
        let metadata = metadata.unwrap_or_default();
        self.call(
            &env,
            abort,
            move |consumer| {
                async move {
                    if wait {
                        consumer.commit_with_metadata(offsets, metadata).await
                    } else {
                        consumer.commit_async_with_metadata(offsets, metadata).await
                    }
                }
                .boxed()
            },
            done,
        )
    }

    /// The committed offsets of these partitions, or of all assigned ones.
    #[napi(catch_unwind, ts_return_type = "Promise<Array<TopicPartitionOffset>>")]
    pub fn committed(
        &self,
        env: Env,
        of: Vec<TopicPartition>,
        abort: Option<&Abort>,
    ) -> napi::Result<Answer> {
        let of = partitions::partitions(&of);
        self.call_assigned(
            &env,
            abort,
            |consumer| async move { consumer.committed(&of).await }.boxed(),
            |_, offsets| Ok(partitions::with_offsets(offsets)),
        )
    }

    /// Sets whether only `finish` finishes records from now on; otherwise a request for more does.
    #[napi(catch_unwind, ts_return_type = "Promise<void>")]
    pub fn finish_explicitly(&self, env: Env, explicitly: bool) -> napi::Result<Answer> {
        let finishing = if explicitly {
            Finishing::Explicit
        } else {
            Finishing::NextCall
        };
        self.call(
            &env,
            None,
            move |consumer| {
                async move {
                    consumer.set_finishing(finishing);
                    Ok(())
                }
                .boxed()
            },
            done,
        )
    }

    /// Finishes the records before these offsets: auto-commit may commit them.
    #[napi(catch_unwind, ts_return_type = "Promise<void>")]
    pub fn finish(
        &self,
        env: Env,
        next_offsets: Vec<TopicPartitionOffset>,
    ) -> napi::Result<Answer> {
        let next_offsets = partitions::offsets(&next_offsets);
        self.call(
            &env,
            None,
            |consumer| {
                async move {
                    consumer.finish(&next_offsets);
                    Ok(())
                }
                .boxed()
            },
            done,
        )
    }
}
