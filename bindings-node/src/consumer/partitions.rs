//! The partitions of a consumer and its positions in them.

use futures_util::FutureExt as _;
use headwater::TopicPartition as Partition;
use napi::Env;
use napi_derive::napi;

use super::{Consumer, done};
use crate::abort::Abort;
use crate::convert::partitions::{self, TopicPartition, TopicPartitionLag, TopicPartitionOffset};
use crate::convert::position::{PositionArgument, position};
use crate::runtime::Answer;

impl Consumer {
    /// Changes these partitions, or all that are assigned.
    fn change(
        &self,
        env: &Env,
        of: &[TopicPartition],
        abort: Option<&Abort>,
        change: fn(&mut headwater::Consumer, &[Partition]) -> headwater::Result<()>,
    ) -> napi::Result<Answer> {
        let of = partitions::partitions(of);
        self.call_assigned(
            env,
            abort,
            move |consumer| async move { change(consumer, &of) }.boxed(),
            done,
        )
    }
}

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
        let assigned = partitions::partitions(&assigned);
        self.call(
            &env,
            abort,
            |consumer| consumer.assign(assigned).boxed(),
            done,
        )
    }

    /// The number of assigned partitions, without waiting.
    #[napi(getter, catch_unwind)]
    pub fn partition_count(&self) -> u32 {
        self.state.gauge.assignment().len() as u32
    }

    /// The assigned partitions.
    #[napi(catch_unwind, ts_return_type = "Promise<Array<TopicPartition>>")]
    pub fn assignment(&self, env: Env, abort: Option<&Abort>) -> napi::Result<Answer> {
        self.call_assigned(
            &env,
            abort,
            |consumer| async move { Ok(consumer.assignment()) }.boxed(),
            |_, all| Ok(partitions::list(&all)),
        )
    }

    /// The next offset of each assigned partition.
    #[napi(catch_unwind, ts_return_type = "Promise<Array<TopicPartitionOffset>>")]
    pub fn position(&self, env: Env, abort: Option<&Abort>) -> napi::Result<Answer> {
        self.call(
            &env,
            abort,
            |consumer| consumer.position().boxed(),
            |_, offsets| Ok(partitions::with_offsets(offsets)),
        )
    }

    /// The number of offsets between the position and the end of each assigned partition.
    #[napi(catch_unwind, ts_return_type = "Promise<Array<TopicPartitionLag>>")]
    pub fn lag(&self, env: Env, abort: Option<&Abort>) -> napi::Result<Answer> {
        let lag = |(partition, lag): (Partition, u64)| TopicPartitionLag {
            topic: partition.topic.to_string(),
            partition: partition.partition.get(),
            lag: lag.into(),
        };
        self.call(
            &env,
            abort,
            |consumer| consumer.lag().boxed(),
            move |_, lags| Ok(lags.into_iter().map(lag).collect::<Vec<_>>()),
        )
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
        let (to, of) = (position(&env, &to)?, partitions::partitions(&of));
        self.call(
            &env,
            abort,
            |consumer| async move { consumer.seek(&to, &of).await }.boxed(),
            done,
        )
    }

    /// Moves each of these partitions to its offset.
    #[napi(catch_unwind, ts_return_type = "Promise<void>")]
    pub fn seek_each(
        &self,
        env: Env,
        to: Vec<TopicPartitionOffset>,
        abort: Option<&Abort>,
    ) -> napi::Result<Answer> {
        let to = partitions::offsets(&to);
        self.call(
            &env,
            abort,
            |consumer| {
                async move {
                    for (partition, offset) in to {
                        consumer.seek(&offset.into(), &[partition]).await?;
                    }
                    Ok(())
                }
                .boxed()
            },
            done,
        )
    }

    /// Stops fetching these partitions, or all assigned ones.
    #[napi(catch_unwind, ts_return_type = "Promise<void>")]
    pub fn pause(
        &self,
        env: Env,
        of: Vec<TopicPartition>,
        abort: Option<&Abort>,
    ) -> napi::Result<Answer> {
        self.change(&env, &of, abort, headwater::Consumer::pause)
    }

    /// Fetches these partitions, or all assigned ones, again.
    #[napi(catch_unwind, ts_return_type = "Promise<void>")]
    pub fn resume(
        &self,
        env: Env,
        of: Vec<TopicPartition>,
        abort: Option<&Abort>,
    ) -> napi::Result<Answer> {
        self.change(&env, &of, abort, headwater::Consumer::resume)
    }

    /// The paused partitions.
    #[napi(catch_unwind, ts_return_type = "Promise<Array<TopicPartition>>")]
    pub fn paused(&self, env: Env, abort: Option<&Abort>) -> napi::Result<Answer> {
        self.call_assigned(
            &env,
            abort,
            |consumer| async move { Ok(consumer.paused()) }.boxed(),
            |_, all| Ok(partitions::list(&all)),
        )
    }
}
