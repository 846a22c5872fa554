//! The partitions of a consumer and its positions in them.

use headwater::TopicPartition as Partition;
use napi::Env;
use napi_derive::napi;

use super::Consumer;
use crate::abort::Abort;
use crate::convert::partitions::{self, TopicPartition, TopicPartitionLag, TopicPartitionOffset};
use crate::convert::position::{PositionArgument, position};
use crate::runtime::{Answer, promise};

#[napi]
impl Consumer {
    /// Reads these partitions from now on.
    #[napi(catch_unwind, ts_return_type = "Promise<void>")]
    pub fn assign(
        &self,
        env: Env,
        assigned: Vec<TopicPartition>,
        abort: Option<&Abort>,
    ) -> napi::Result<Answer> {
        let (state, assigned) = (self.state(&env)?, partitions::partitions(&assigned));
        let assign = async move { state.take().await.assign(assigned).await };
        promise(&env, self.embedded.runtime(), abort, assign, |_, ()| Ok(()))
    }

    /// The assigned partitions.
    #[napi(catch_unwind, ts_return_type = "Promise<Array<TopicPartition>>")]
    pub fn assignment(&self, env: Env, abort: Option<&Abort>) -> napi::Result<Answer> {
        let state = self.state(&env)?;
        let assignment = async move {
            let mut consumer = state.take().await;
            consumer.ready().await?;
            Ok(consumer.assignment())
        };
        promise(
            &env,
            self.embedded.runtime(),
            abort,
            assignment,
            |_, all| Ok(partitions::list(&all)),
        )
    }

    /// The next offset of each assigned partition.
    #[napi(catch_unwind, ts_return_type = "Promise<Array<TopicPartitionOffset>>")]
    pub fn position(&self, env: Env, abort: Option<&Abort>) -> napi::Result<Answer> {
        let state = self.state(&env)?;
        let position = async move { state.take().await.position().await };
        promise(
            &env,
            self.embedded.runtime(),
            abort,
            position,
            |_, offsets| Ok(partitions::with_offsets(offsets)),
        )
    }

    /// The number of offsets between the position and the end of each assigned partition.
    #[napi(catch_unwind, ts_return_type = "Promise<Array<TopicPartitionLag>>")]
    pub fn lag(&self, env: Env, abort: Option<&Abort>) -> napi::Result<Answer> {
        let state = self.state(&env)?;
        let lag = async move { state.take().await.lag().await };
        promise(&env, self.embedded.runtime(), abort, lag, |_, lags| {
            let lag = |(partition, lag): (Partition, u64)| TopicPartitionLag {
                topic: partition.topic.to_string(),
                partition: partition.partition.get(),
                lag: lag.into(),
            };
            Ok(lags.into_iter().map(lag).collect::<Vec<_>>())
        })
    }

    /// Moves these partitions, or all assigned ones, to a position.
    #[napi(catch_unwind, ts_return_type = "Promise<void>")]
    pub fn seek(
        &self,
        env: Env,
        #[napi(ts_arg_type = "string | Array<PartitionOffset>")] to: PositionArgument,
        of: Vec<TopicPartition>,
        abort: Option<&Abort>,
    ) -> napi::Result<Answer> {
        let (state, to) = (self.state(&env)?, position(&env, &to)?);
        let of = partitions::partitions(&of);
        let seek = async move { state.take().await.seek(&to, &of).await };
        promise(&env, self.embedded.runtime(), abort, seek, |_, ()| Ok(()))
    }

    /// Moves each of these partitions to its offset.
    #[napi(catch_unwind, ts_return_type = "Promise<void>")]
    pub fn seek_each(
        &self,
        env: Env,
        to: Vec<TopicPartitionOffset>,
        abort: Option<&Abort>,
    ) -> napi::Result<Answer> {
        let (state, to) = (self.state(&env)?, partitions::offsets(&to));
        let seek = async move {
            let mut consumer = state.take().await;
            for (partition, offset) in to {
                consumer.seek(&offset.into(), &[partition]).await?;
            }
            Ok(())
        };
        promise(&env, self.embedded.runtime(), abort, seek, |_, ()| Ok(()))
    }

    /// Stops fetching these partitions, or all assigned ones.
    #[napi(catch_unwind, ts_return_type = "Promise<void>")]
    pub fn pause(
        &self,
        env: Env,
        of: Vec<TopicPartition>,
        abort: Option<&Abort>,
    ) -> napi::Result<Answer> {
        let (state, of) = (self.state(&env)?, partitions::partitions(&of));
        let pause = async move {
            let mut consumer = state.take().await;
            consumer.ready().await?;
            consumer.pause(&of)
        };
        promise(&env, self.embedded.runtime(), abort, pause, |_, ()| Ok(()))
    }

    /// Fetches these partitions, or all assigned ones, again.
    #[napi(catch_unwind, ts_return_type = "Promise<void>")]
    pub fn resume(
        &self,
        env: Env,
        of: Vec<TopicPartition>,
        abort: Option<&Abort>,
    ) -> napi::Result<Answer> {
        let (state, of) = (self.state(&env)?, partitions::partitions(&of));
        let resume = async move {
            let mut consumer = state.take().await;
            consumer.ready().await?;
            consumer.resume(&of)
        };
        promise(&env, self.embedded.runtime(), abort, resume, |_, ()| Ok(()))
    }

    /// The paused partitions.
    #[napi(catch_unwind, ts_return_type = "Promise<Array<TopicPartition>>")]
    pub fn paused(&self, env: Env, abort: Option<&Abort>) -> napi::Result<Answer> {
        let state = self.state(&env)?;
        let paused = async move {
            let mut consumer = state.take().await;
            consumer.ready().await?;
            Ok(consumer.paused())
        };
        promise(&env, self.embedded.runtime(), abort, paused, |_, all| {
            Ok(partitions::list(&all))
        })
    }
}
