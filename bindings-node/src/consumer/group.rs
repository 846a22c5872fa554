//! A consumer as a member of a group.

use headwater::{Finishing, Subscription};
use napi::Env;
use napi_derive::napi;

use super::Consumer;
use crate::abort::Abort;
use crate::convert::partitions::{self, TopicPartition, TopicPartitionOffset};
use crate::errors;
use crate::runtime::{Answer, promise};

#[napi]
impl Consumer {
    /// Joins the group for these topics, or for the topics of a pattern.
    #[napi(catch_unwind, ts_return_type = "Promise<void>")]
    pub fn subscribe(
        &self,
        env: Env,
        topics: Option<Vec<String>>,
        pattern: Option<String>,
    ) -> napi::Result<Answer> {
        let state = self.state(&env)?;
        let subscription = match pattern {
            Some(pattern) => Subscription::pattern(&pattern),
            None => Ok(Subscription::topics(topics.unwrap_or_default())),
        };
        let subscription = subscription.map_err(|error| errors::raise(&env, &error))?;
        let subscribe = async move { state.take().await.subscribe(subscription) };
        promise(&env, self.embedded.runtime(), None, subscribe, |_, ()| {
            Ok(())
        })
    }

    /// Commits these offsets, or the positions of all partitions. Without `wait` it does not wait for the response.
    #[napi(catch_unwind, ts_return_type = "Promise<void>")]
    pub fn commit(
        &self,
        env: Env,
        offsets: Option<Vec<TopicPartitionOffset>>,
        wait: bool,
        abort: Option<&Abort>,
    ) -> napi::Result<Answer> {
        let state = self.state(&env)?;
        let offsets = offsets.map(|offsets| partitions::offsets(&offsets));
        let commit = async move {
            let mut consumer = state.take().await;
            if wait {
                consumer.commit(offsets).await
            } else {
                consumer.commit_async(offsets).await
            }
        };
        promise(&env, self.embedded.runtime(), abort, commit, |_, ()| Ok(()))
    }

    /// The committed offsets of these partitions, or of all assigned ones.
    #[napi(catch_unwind, ts_return_type = "Promise<Array<TopicPartitionOffset>>")]
    pub fn committed(
        &self,
        env: Env,
        of: Vec<TopicPartition>,
        abort: Option<&Abort>,
    ) -> napi::Result<Answer> {
        let (state, of) = (self.state(&env)?, partitions::partitions(&of));
        let committed = async move {
            let mut consumer = state.take().await;
            consumer.ready().await?;
            consumer.committed(&of).await
        };
        promise(
            &env,
            self.embedded.runtime(),
            abort,
            committed,
            |_, offsets| Ok(partitions::with_offsets(offsets)),
        )
    }

    /// Sets whether only `finish` finishes records from now on; otherwise a request for more does.
    #[napi(catch_unwind, ts_return_type = "Promise<void>")]
    pub fn finish_explicitly(&self, env: Env, explicitly: bool) -> napi::Result<Answer> {
        let state = self.state(&env)?;
        let finishing = if explicitly {
            Finishing::Explicit
        } else {
            Finishing::NextCall
        };
        let set = async move {
            state.take().await.set_finishing(finishing);
            Ok(())
        };
        promise(&env, self.embedded.runtime(), None, set, |_, ()| Ok(()))
    }

    /// Finishes the records before these offsets: auto-commit may commit them.
    #[napi(catch_unwind, ts_return_type = "Promise<void>")]
    pub fn finish(
        &self,
        env: Env,
        next_offsets: Vec<TopicPartitionOffset>,
    ) -> napi::Result<Answer> {
        let (state, next_offsets) = (self.state(&env)?, partitions::offsets(&next_offsets));
        let finish = async move {
            state.take().await.finish(&next_offsets);
            Ok(())
        };
        promise(&env, self.embedded.runtime(), None, finish, |_, ()| Ok(()))
    }
}
