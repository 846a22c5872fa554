//! A bounded read of a topic.

use std::sync::Arc;

use headwater::{IsolationLevel, PartitionId, ScanOptions};
use napi::Env;
use napi_derive::napi;
use tokio::sync::Mutex;

use crate::abort::Abort;
use crate::batch::Batch;
use crate::convert::format::{self, DecodeArguments};
use crate::convert::position::{PositionArgument, position};
use crate::errors;
use crate::owned::CoreValue;
use crate::runtime::{Answer, EngineHandle, promise};

/// A range of a topic.
#[napi]
#[derive(Debug)]
pub struct Scan {
    embedded: Arc<EngineHandle>,
    scan: CoreValue<headwater::Scan>,
}

/// The range and the formats of a scan.
#[napi(object, object_to_js = false)]
pub struct ScanArguments {
    /// The start, inclusive.
    #[napi(ts_type = "string | Array<PartitionOffset>")]
    pub start: PositionArgument,
    /// The end, exclusive.
    #[napi(ts_type = "string | Array<PartitionOffset>")]
    pub end: PositionArgument,
    /// Only these partitions.
    pub partitions: Option<Vec<i32>>,
    /// Stop after this many records.
    pub limit: Option<f64>,
    /// "read_committed" or "read_uncommitted".
    pub isolation_level: String,
    /// Columns and formats.
    pub decode: DecodeArguments,
}

pub(crate) fn options(env: &Env, given: &ScanArguments) -> napi::Result<ScanOptions> {
    let level = given.isolation_level.parse::<IsolationLevel>();
    let partitions = given.partitions.as_ref();
    Ok(ScanOptions {
        start: position(env, &given.start)?,
        end: position(env, &given.end)?,
        partitions: partitions.map(|all| all.iter().copied().map(PartitionId::new).collect()),
        limit: given.limit.map(|limit| limit as u64),
        isolation_level: level.map_err(|error| errors::raise(env, &error))?,
        decode: format::options(env, &given.decode)?,
        ..ScanOptions::default()
    })
}

impl Scan {
    pub(crate) fn new(embedded: Arc<EngineHandle>, scan: headwater::Scan) -> Self {
        Self {
            embedded,
            scan: CoreValue::new(scan),
        }
    }

    fn scan(&self, env: &Env) -> napi::Result<headwater::Scan> {
        self.embedded.client(env)?;
        Ok((*self.scan).clone())
    }
}

#[napi]
impl Scan {
    /// Starts to read.
    #[napi(catch_unwind, ts_return_type = "Promise<ScanReader>")]
    pub fn reader(&self, env: Env, abort: Option<&Abort>) -> napi::Result<Answer> {
        let scan = self.scan(&env)?;
        let topic = Arc::from(scan.topic());
        let embedded = Arc::clone(&self.embedded);
        let open = async move { scan.reader().await };
        promise(&env, self.embedded.runtime(), abort, open, |_, reader| {
            Ok(ScanReader::new(embedded, reader, topic))
        })
    }

    /// Reads all of it as one batch.
    #[napi(catch_unwind, ts_return_type = "Promise<Batch>")]
    pub fn collect(&self, env: Env, abort: Option<&Abort>) -> napi::Result<Answer> {
        let scan = self.scan(&env)?;
        let topic: Arc<str> = Arc::from(scan.topic());
        let collect = async move { scan.collect().await };
        promise(&env, self.embedded.runtime(), abort, collect, |_, batch| {
            Ok(Batch::new(batch, Some(topic)))
        })
    }

    /// The number of records.
    #[napi(catch_unwind, ts_return_type = "Promise<number>")]
    pub fn count(&self, env: Env, abort: Option<&Abort>) -> napi::Result<Answer> {
        let scan = self.scan(&env)?;
        let count = async move { scan.count().await };
        promise(&env, self.embedded.runtime(), abort, count, |_, count| {
            Ok(count as f64)
        })
    }

    /// Describes the scan as text.
    #[napi(catch_unwind, ts_return_type = "Promise<string>")]
    pub fn explain(&self, env: Env, abort: Option<&Abort>) -> napi::Result<Answer> {
        let scan = self.scan(&env)?;
        let explain = async move { scan.explain().await };
        promise(&env, self.embedded.runtime(), abort, explain, |_, text| {
            Ok(text)
        })
    }
}

/// The batches of a scan, in order.
#[napi]
#[derive(Debug)]
pub struct ScanReader {
    embedded: Arc<EngineHandle>,
    reader: Arc<CoreValue<Mutex<headwater::ScanReader>>>,
    topic: Arc<str>,
}

impl ScanReader {
    fn new(embedded: Arc<EngineHandle>, reader: headwater::ScanReader, topic: Arc<str>) -> Self {
        Self {
            embedded,
            reader: Arc::new(CoreValue::new(Mutex::new(reader))),
            topic,
        }
    }
}

#[napi]
impl ScanReader {
    /// The next batch, or null at the end.
    #[napi(catch_unwind, ts_return_type = "Promise<Batch | null>")]
    pub fn next(&self, env: Env, abort: Option<&Abort>) -> napi::Result<Answer> {
        self.embedded.client(&env)?;
        let (reader, topic) = (Arc::clone(&self.reader), Arc::clone(&self.topic));
        let next = async move { reader.lock().await.next_batch().await };
        promise(&env, self.embedded.runtime(), abort, next, |_, batch| {
            Ok(batch.map(|batch| Batch::new(batch, Some(topic))))
        })
    }
}
