//! The producer: records one by one, or whole tables.

use std::io::Cursor;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_ipc::reader::StreamReader;
use headwater::{BulkOptions, Error, ErrorKind, PartitionId, TableSender};
use napi::Env;
use napi::bindgen_prelude::{BigInt, Either};
use napi_derive::napi;

use crate::abort::Abort;
use crate::convert::bytes::Bytes;
use crate::convert::rows;
use crate::errors;
use crate::owned::CoreValue;
use crate::runtime::{Answer, EngineHandle, PromiseSettler, promise};
use crate::sends::{QueuedRecord, Sends};

/// Sends records.
#[napi]
#[derive(Debug)]
pub struct Producer {
    embedded: Arc<EngineHandle>,
    inner: CoreValue<headwater::Producer>,
    sends: Arc<Sends>,
}

/// The position of a written record.
#[napi(object, object_from_js = false)]
pub struct RecordMetadata {
    /// The topic's name.
    pub topic: String,
    /// The partition's number.
    pub partition: i32,
    /// The offset; none with `acks=0`.
    pub offset: Option<BigInt>,
    /// The timestamp in milliseconds since 1970.
    pub timestamp: f64,
}

/// The result of sending a table.
#[napi(object, object_from_js = false)]
pub struct BatchResult {
    /// The number of records.
    pub records: f64,
    /// Encoded bytes as stored.
    pub bytes: f64,
    /// The half-open offset ranges of the rows in each partition, in order.
    pub offsets: Vec<OffsetRange>,
}

/// A half-open range of offsets in a partition.
#[napi(object, object_from_js = false)]
pub struct OffsetRange {
    /// The partition's number.
    pub partition: i32,
    /// The first offset.
    pub start: BigInt,
    /// The offset after the last one.
    pub end: BigInt,
}

/// The roles of the columns of a table.
#[napi(object, object_to_js = false)]
pub struct TableColumns {
    /// The column of keys.
    pub key: Option<String>,
    /// The column of values; none: all other columns, as a JSON object.
    pub value: Option<String>,
    /// The column of headers.
    pub headers: Option<String>,
    /// The column of timestamps.
    pub timestamp: Option<String>,
    /// The column of partitions, or the partition of all rows.
    pub partition: Option<Either<String, i32>>,
}

impl Producer {
    pub(crate) fn new(embedded: Arc<EngineHandle>, producer: headwater::Producer) -> Self {
        let sends = Arc::new(Sends::default());
        embedded.add_sends(&sends);
        Self {
            embedded,
            inner: CoreValue::new(producer),
            sends,
        }
    }
}

#[napi]
impl Producer {
    /// Queues a record. The promise is fulfilled when it is acknowledged.
    #[napi(catch_unwind, ts_return_type = "Promise<RecordMetadata>")]
    #[allow(clippy::too_many_arguments, reason = "they are the parts of a record")]
    pub fn send(
        &self,
        env: Env,
        topic: String,
        #[napi(ts_arg_type = "string | Uint8Array | undefined")] key: Option<Bytes>,
        #[napi(ts_arg_type = "string | Uint8Array | undefined")] value: Option<Bytes>,
        #[napi(ts_arg_type = "Array<[string, string | Uint8Array | undefined]> | undefined")]
        headers: Option<Vec<(String, Option<Bytes>)>>,
        partition: Option<i32>,
        timestamp: Option<f64>,
    ) -> napi::Result<Answer> {
        self.embedded.client(&env)?;
        self.refuse_if_closed(&env)?;
        let (pending, answer) = PromiseSettler::new(&env)?;
        let record = QueuedRecord {
            key,
            value,
            headers: headers.unwrap_or_default(),
            partition: partition.map(PartitionId::new),
            timestamp_ms: timestamp.map(|timestamp| timestamp as i64),
            pending,
        };
        self.sends.push(&self.inner, topic, record);
        Ok(answer)
    }

    /// Sends messages that were written into a buffer.
    #[napi(catch_unwind, ts_return_type = "Promise<BatchResult>")]
    pub fn send_rows(
        &self,
        env: Env,
        topic: String,
        #[napi(ts_arg_type = "Uint8Array")] buffer: Bytes,
        rows: u32,
        partition: Option<i32>,
        abort: Option<&Abort>,
    ) -> napi::Result<Answer> {
        let options = BulkOptions {
            partition: partition.map(PartitionId::new),
            // The column exists only if a row has a partition.
            partition_column: Some("partition".to_owned()),
            ..BulkOptions::default()
        };
        let options = options.for_row_table();
        let tables = move || Ok(vec![rows::table(&buffer.0, rows as usize)?]);
        self.send_tables(&env, &topic, options, tables, abort)
    }

    /// Sends tables: the stream format of Arrow IPC.
    #[napi(catch_unwind, ts_return_type = "Promise<BatchResult>")]
    pub fn send_arrow(
        &self,
        env: Env,
        topic: String,
        #[napi(ts_arg_type = "Uint8Array")] stream: Bytes,
        columns: TableColumns,
        abort: Option<&Abort>,
    ) -> napi::Result<Answer> {
        let options = columns.options();
        self.send_tables(&env, &topic, options, move || read_stream(&stream.0), abort)
    }

    /// Sends all records accepted before, and waits until they are acknowledged.
    #[napi(catch_unwind, ts_return_type = "Promise<void>")]
    pub fn flush(&self, env: Env, abort: Option<&Abort>) -> napi::Result<Answer> {
        self.embedded.client(&env)?;
        let (producer, sends) = (self.inner.clone(), Arc::clone(&self.sends));
        let flush = async move {
            sends.idle().await;
            producer.flush().await
        };
        promise(&env, self.embedded.runtime(), abort, flush, |_, ()| Ok(()))
    }

    /// Flushes, and accepts no more records. Idempotent.
    #[napi(catch_unwind, ts_return_type = "Promise<void>")]
    pub fn close(&self, env: Env) -> napi::Result<Answer> {
        let is_closed = self.embedded.engine().is_closed();
        let (producer, sends) = (self.inner.clone(), Arc::clone(&self.sends));
        let close = async move {
            if is_closed {
                return Ok(());
            }
            sends.idle().await;
            producer.close().await
        };
        promise(&env, self.embedded.runtime(), None, close, |_, ()| Ok(()))
    }
}

impl Producer {
    fn refuse_if_closed(&self, env: &Env) -> napi::Result<()> {
        let open = self.inner.check();
        open.map_err(|error| errors::raise(env, &error))
    }

    fn send_tables(
        &self,
        env: &Env,
        topic: &str,
        options: BulkOptions,
        tables: impl FnOnce() -> headwater::Result<Vec<RecordBatch>> + Send + 'static,
        abort: Option<&Abort>,
    ) -> napi::Result<Answer> {
        self.embedded.client(env)?;
        let sender: TableSender = self.inner.tables(topic, options);
        let work = async move {
            let mut sender = sender;
            sender.send_checked(&tables()?).await?;
            Ok(sender.finish())
        };
        let runtime = self.embedded.runtime();
        promise(env, runtime, abort, work, |_, result| {
            Ok(batch_result(&result))
        })
    }
}

impl TableColumns {
    fn options(self) -> BulkOptions {
        let (partition_column, partition) = match self.partition {
            Some(Either::A(column)) => (Some(column), None),
            Some(Either::B(partition)) => (None, Some(PartitionId::new(partition))),
            None => (None, None),
        };
        BulkOptions {
            key: self.key,
            value: self.value,
            headers: self.headers,
            timestamp: self.timestamp,
            partition_column,
            partition,
            ..BulkOptions::default()
        }
    }
}

fn read_stream(stream: &[u8]) -> headwater::Result<Vec<RecordBatch>> {
    let unreadable = |error: arrow_schema::ArrowError| {
        let message = format!("The Arrow IPC stream cannot be read: {error}.");
        Error::new(ErrorKind::InvalidArgument, message).caused_by(error)
    };
    let reader = StreamReader::try_new(Cursor::new(stream), None).map_err(unreadable)?;
    reader.map(|table| table.map_err(unreadable)).collect()
}

pub(crate) fn metadata(written: &headwater::RecordMetadata) -> RecordMetadata {
    RecordMetadata {
        topic: written.topic.to_string(),
        partition: written.partition.get(),
        offset: written.offset.map(|offset| offset.get().into()),
        timestamp: written.timestamp_ms as f64,
    }
}

fn batch_result(result: &headwater::BatchResult) -> BatchResult {
    let ranges = result.offsets.iter().flat_map(|(partition, ranges)| {
        ranges.iter().map(|range| OffsetRange {
            partition: partition.get(),
            start: range.start.get().into(),
            end: range.end.get().into(),
        })
    });
    BatchResult {
        records: result.records as f64,
        bytes: result.bytes as f64,
        offsets: ranges.collect(),
    }
}
