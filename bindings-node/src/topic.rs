//! A topic: reads its start, its end, or all of it.

use std::sync::Arc;

use headwater::{DecodeOptions, Position};
use napi::Env;
use napi::bindgen_prelude::BigInt;
use napi_derive::napi;

use crate::abort::Abort;
use crate::batch::Batch;
use crate::client::topics::topic_config;
use crate::convert::format::{self, DecodeArguments};
use crate::convert::partitions;
use crate::convert::position::{PositionArgument, position};
use crate::errors;
use crate::owned::CoreValue;
use crate::runtime::{Answer, EngineHandle, promise};
use crate::scan::{self, Scan, ScanArguments};

/// A handle on a topic.
#[napi]
#[derive(Debug)]
pub struct Topic {
    embedded: Arc<EngineHandle>,
    topic: CoreValue<headwater::Topic>,
}

/// A partition of a topic.
#[napi(object, object_from_js = false)]
pub struct PartitionDescription {
    /// The partition's number.
    pub partition: i32,
    /// The node id of the leader, if there is one.
    pub leader: Option<i32>,
    /// The node ids of the brokers that have a replica.
    pub replicas: Vec<i32>,
    /// The replicas that have all acknowledged records.
    pub in_sync_replicas: Vec<i32>,
    /// The replicas that are not reachable.
    pub offline_replicas: Vec<i32>,
    /// The first offset that may be read.
    pub log_start_offset: BigInt,
    /// The end for readers.
    pub high_watermark: BigInt,
    /// The size on disk in bytes, if known.
    pub size_bytes: Option<f64>,
}

impl Topic {
    pub(crate) fn new(embedded: Arc<EngineHandle>, topic: headwater::Topic) -> Self {
        Self {
            embedded,
            topic: CoreValue::new(topic),
        }
    }

    fn topic(&self, env: &Env) -> napi::Result<headwater::Topic> {
        self.embedded.client(env)?;
        Ok((*self.topic).clone())
    }

    /// A call that returns a batch.
    fn batch(
        &self,
        env: &Env,
        abort: Option<&Abort>,
        work: impl Future<Output = headwater::Result<headwater::Batch>> + Send + 'static,
    ) -> napi::Result<Answer> {
        let topic = Arc::from(self.topic.name());
        promise(env, self.embedded.runtime(), abort, work, |env, batch| {
            Batch::new(env, batch, Some(topic))
        })
    }

    /// The records at one end of the topic.
    fn end<W>(
        &self,
        env: &Env,
        decode: &DecodeArguments,
        abort: Option<&Abort>,
        read: impl FnOnce(headwater::Topic, DecodeOptions) -> W,
    ) -> napi::Result<Answer>
    where
        W: Future<Output = headwater::Result<headwater::Batch>> + Send + 'static,
    {
        let (topic, decode) = (self.topic(env)?, format::options(env, decode)?);
        self.batch(env, abort, read(topic, decode))
    }
}

#[napi]
impl Topic {
    /// The topic's name.
    #[napi(getter, catch_unwind)]
    pub fn name(&self) -> String {
        self.topic.name().to_owned()
    }

    /// A range of the topic, to be read.
    #[napi(catch_unwind)]
    pub fn scan(&self, env: Env, options: ScanArguments) -> napi::Result<Scan> {
        let topic = self.topic(&env)?;
        let scan = topic.scan(scan::options(&env, &options)?);
        Ok(Scan::new(Arc::clone(&self.embedded), scan))
    }

    /// The first `n` records.
    #[napi(catch_unwind, ts_return_type = "Promise<Batch>")]
    pub fn head(
        &self,
        env: Env,
        n: f64,
        decode: DecodeArguments,
        abort: Option<&Abort>,
    ) -> napi::Result<Answer> {
        self.end(&env, &decode, abort, |topic, decode| async move {
            topic.head(n as u64, decode).await
        })
    }

    /// The `n` newest records.
    #[napi(catch_unwind, ts_return_type = "Promise<Batch>")]
    pub fn tail(
        &self,
        env: Env,
        n: f64,
        decode: DecodeArguments,
        abort: Option<&Abort>,
    ) -> napi::Result<Answer> {
        self.end(&env, &decode, abort, |topic, decode| async move {
            topic.tail(n as u64, decode).await
        })
    }

    /// The number of records.
    #[napi(catch_unwind, ts_return_type = "Promise<number>")]
    pub fn count(&self, env: Env, abort: Option<&Abort>) -> napi::Result<Answer> {
        let topic = self.topic(&env)?;
        let count = async move { topic.count().await };
        promise(&env, self.embedded.runtime(), abort, count, |_, count| {
            Ok(count as f64)
        })
    }

    /// The offset of a position in each partition.
    #[napi(catch_unwind, ts_return_type = "Promise<Array<PartitionOffset>>")]
    pub fn offsets(
        &self,
        env: Env,
        #[napi(ts_arg_type = "string | Array<PartitionOffset>")] at: PositionArgument,
        abort: Option<&Abort>,
    ) -> napi::Result<Answer> {
        let (topic, at) = (self.topic(&env)?, position(&env, &at)?);
        let offsets = async move { topic.offsets(&at).await };
        promise(
            &env,
            self.embedded.runtime(),
            abort,
            offsets,
            |_, offsets| Ok(partitions::by_number(offsets)),
        )
    }

    /// Records and bytes in each interval of time.
    #[napi(catch_unwind, ts_return_type = "Promise<Batch>")]
    pub fn rate(
        &self,
        env: Env,
        every: String,
        #[napi(ts_arg_type = "string | Array<PartitionOffset>")] start: PositionArgument,
        #[napi(ts_arg_type = "string | Array<PartitionOffset>")] end: PositionArgument,
        abort: Option<&Abort>,
    ) -> napi::Result<Answer> {
        let every = headwater::duration::parse_ms(&every);
        let every = every.map_err(|error| errors::raise(&env, &error))?;
        let (start, end): (Position, Position) = (position(&env, &start)?, position(&env, &end)?);
        let topic = self.topic(&env)?;
        self.batch(
            &env,
            abort,
            async move { topic.rate(every, start, end).await },
        )
    }

    /// Its configuration.
    #[napi(catch_unwind, ts_return_type = "Promise<Array<ConfigEntry>>")]
    pub fn config(&self, env: Env, abort: Option<&Abort>) -> napi::Result<Answer> {
        topic_config(&env, &self.embedded, self.name(), abort)
    }

    /// Its partitions with leaders, offsets and sizes.
    #[napi(catch_unwind, ts_return_type = "Promise<Array<PartitionDescription>>")]
    pub fn describe(&self, env: Env, abort: Option<&Abort>) -> napi::Result<Answer> {
        let topic = self.topic(&env)?;
        let describe = async move { topic.describe().await };
        promise(
            &env,
            self.embedded.runtime(),
            abort,
            describe,
            |_, described| {
                let partitions =
                    described
                        .partitions
                        .into_iter()
                        .map(|partition| PartitionDescription {
                            partition: partition.partition.get(),
                            leader: partition.leader,
                            replicas: partition.replicas,
                            in_sync_replicas: partition.in_sync_replicas,
                            offline_replicas: partition.offline_replicas,
                            log_start_offset: partition.log_start_offset.get().into(),
                            high_watermark: partition.high_watermark.get().into(),
                            size_bytes: partition.size_bytes.map(|bytes| bytes as f64),
                        });
                Ok(partitions.collect::<Vec<_>>())
            },
        )
    }
}
