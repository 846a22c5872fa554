//! A bounded read of a topic.

use std::sync::Arc;

use headwater::{IsolationLevel, PartitionId, ScanOptions};
use napi::Env;
use napi::bindgen_prelude::ObjectFinalize;
use napi_derive::napi;
use parking_lot::Mutex;

use crate::abort::Abort;
use crate::batch::Batch;
use crate::convert::format::{self, DecodeArguments};
use crate::convert::position::{PositionArgument, position};
use crate::errors;
use crate::external_memory::{ExternalMemory, batch_bytes};
use crate::owned::CoreValue;
use crate::runtime::{Answer, EngineHandle, promise};
use crate::schema;

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
    /// The name of the topic.
    #[napi(getter, catch_unwind)]
    pub fn topic(&self) -> String {
        self.scan.topic().to_owned()
    }

    /// The start of the range as text.
    #[napi(getter, catch_unwind)]
    pub fn start(&self) -> String {
        self.scan.options().start.to_string()
    }

    /// The end of the range as text.
    #[napi(getter, catch_unwind)]
    pub fn end(&self) -> String {
        self.scan.options().end.to_string()
    }

    /// Begins to read. With progress, the records of the range are counted first.
    #[napi(catch_unwind, ts_return_type = "Promise<ScanReader>")]
    pub fn reader(
        &self,
        env: Env,
        with_progress: bool,
        abort: Option<&Abort>,
    ) -> napi::Result<Answer> {
        let mut scan = self.scan(&env)?;
        let progress = Arc::<Mutex<headwater::ScanProgress>>::default();
        if with_progress {
            let mut options = scan.options().clone();
            let latest = Arc::clone(&progress);
            options.progress = Some(Arc::new(move |progress| *latest.lock() = progress));
            scan = scan.with_options(options);
        }
        let topic = Arc::from(scan.topic());
        let embedded = Arc::clone(&self.embedded);
        let open = async move { scan.reader().await };
        promise(&env, self.embedded.runtime(), abort, open, |env, reader| {
            ScanReader::new(env, embedded, BatchCollector::new(reader), topic, progress)
        })
    }

    /// Reads all of it as one batch.
    #[napi(catch_unwind, ts_return_type = "Promise<Batch>")]
    pub fn collect(&self, env: Env, abort: Option<&Abort>) -> napi::Result<Answer> {
        let scan = self.scan(&env)?;
        let topic: Arc<str> = Arc::from(scan.topic());
        let collect = async move { scan.collect().await };
        promise(
            &env,
            self.embedded.runtime(),
            abort,
            collect,
            |env, batch| Batch::new(env, batch, Some(topic)),
        )
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

    /// The columns of its batches. JSON without a schema is inferred from the first records.
    #[napi(catch_unwind, ts_return_type = "Promise<TableDescription>")]
    pub fn schema(&self, env: Env, abort: Option<&Abort>) -> napi::Result<Answer> {
        let scan = self.scan(&env)?;
        let schema = async move { scan.schema().await };
        promise(
            &env,
            self.embedded.runtime(),
            abort,
            schema,
            |env, schema| schema::described(&schema).map_err(|error| errors::raise(env, &error)),
        )
    }

    /// The number of records that were skipped since a reading last started.
    #[napi(getter, catch_unwind)]
    pub fn skipped(&self) -> f64 {
        self.scan.skipped() as f64
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

/// The fetched bytes that a reader keeps between two batches: about one fetch.
const READER_BYTES: usize = 1 << 20;

/// How far a reading of a scan has come.
#[napi(object, object_from_js = false)]
pub struct ScanProgress {
    /// Records that were read, or left out because they do not have the format.
    pub records_done: f64,
    /// Records in the whole range.
    pub records_total: f64,
}

/// The batches of a scan, one after the other.
#[napi(custom_finalize)]
#[derive(Debug)]
pub struct ScanReader {
    embedded: Arc<EngineHandle>,
    collector: Arc<CoreValue<tokio::sync::Mutex<BatchCollector>>>,
    topic: Arc<str>,
    progress: Arc<Mutex<headwater::ScanProgress>>,
    memory: Arc<ExternalMemory>,
}

/// A reader, with batches that it has read for `collected`.
#[derive(Debug)]
struct BatchCollector {
    reader: headwater::ScanReader,
    kept: Vec<headwater::Batch>,
}

impl BatchCollector {
    fn new(reader: headwater::ScanReader) -> Self {
        Self {
            reader,
            kept: Vec::new(),
        }
    }

    /// Reads a batch and keeps it. The result is its size; `None` at the end.
    async fn keep_next(&mut self) -> headwater::Result<Option<usize>> {
        let batch = self.reader.next_batch().await?;
        let size = batch.as_ref().map(batch_bytes);
        self.kept.extend(batch);
        Ok(size)
    }

    /// The batches that were kept as one.
    fn collected(&mut self) -> headwater::Result<headwater::Batch> {
        headwater::Batch::concat(&self.reader.schema(), std::mem::take(&mut self.kept))
    }
}

impl ScanReader {
    fn new(
        env: &Env,
        embedded: Arc<EngineHandle>,
        collector: BatchCollector,
        topic: Arc<str>,
        progress: Arc<Mutex<headwater::ScanProgress>>,
    ) -> napi::Result<Self> {
        let memory = Arc::<ExternalMemory>::default();
        memory.add(env, READER_BYTES)?;
        Ok(Self {
            embedded,
            collector: Arc::new(CoreValue::new(tokio::sync::Mutex::new(collector))),
            topic,
            progress,
            memory,
        })
    }
}

impl ObjectFinalize for ScanReader {
    fn finalize(self, env: Env) -> napi::Result<()> {
        self.memory.release(&env)
    }
}

#[napi]
impl ScanReader {
    /// The next batch, or null at the end.
    #[napi(catch_unwind, ts_return_type = "Promise<Batch | null>")]
    pub fn next(&self, env: Env, abort: Option<&Abort>) -> napi::Result<Answer> {
        self.embedded.client(&env)?;
        let (collector, topic) = (Arc::clone(&self.collector), Arc::clone(&self.topic));
        let next = async move { collector.lock().await.reader.next_batch().await };
        promise(&env, self.embedded.runtime(), abort, next, |env, batch| {
            batch
                .map(|batch| Batch::new(env, batch, Some(topic)))
                .transpose()
        })
    }

    /// Reads the next batch and keeps it for `collected`. False at the end.
    #[napi(catch_unwind, ts_return_type = "Promise<boolean>")]
    pub fn keep_next(&self, env: Env, abort: Option<&Abort>) -> napi::Result<Answer> {
        self.embedded.client(&env)?;
        let (collector, memory) = (Arc::clone(&self.collector), Arc::clone(&self.memory));
        let keep = async move { collector.lock().await.keep_next().await };
        promise(
            &env,
            self.embedded.runtime(),
            abort,
            keep,
            move |env, size| {
                memory.add(env, size.unwrap_or(0))?;
                Ok(size.is_some())
            },
        )
    }

    /// The batches that were kept as one.
    #[napi(catch_unwind, ts_return_type = "Promise<Batch>")]
    pub fn collected(&self, env: Env, abort: Option<&Abort>) -> napi::Result<Answer> {
        self.embedded.client(&env)?;
        let (collector, topic) = (Arc::clone(&self.collector), Arc::clone(&self.topic));
        let memory = Arc::clone(&self.memory);
        let collected = async move { collector.lock().await.collected() };
        promise(
            &env,
            self.embedded.runtime(),
            abort,
            collected,
            move |env, batch| {
                memory.release(env)?;
                Batch::new(env, batch, Some(topic))
            },
        )
    }

    /// How far it has come.
    #[napi(catch_unwind)]
    pub fn progress(&self) -> ScanProgress {
        let progress = *self.progress.lock();
        ScanProgress {
            records_done: progress.records_done as f64,
            records_total: progress.records_total as f64,
        }
    }
}
