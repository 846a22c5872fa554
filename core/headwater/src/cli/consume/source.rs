//! The source of records: a range of the topic, a topic that is followed, or a member of a group.

use std::collections::BTreeMap;

use arrow_array as arrow;

use super::decode;
use super::record::TableRecord;
use crate::cli::exit::Failure;
use crate::{
    Batch, BatchOptions, BatchStream, Consumer, ConsumerConfig, Engine, Finishing, IsolationLevel,
    Offset, PartitionId, Position, ScanOptions, ScanReader, Subscription, TopicPartition, Until,
};

/// The maximum records of a table.
const TABLE_RECORDS_MAX: usize = 65_536;

/// The records to read.
#[derive(Debug)]
pub(super) struct RecordRange {
    pub(super) topic: String,
    pub(super) from: Position,
    /// The end of the range (exclusive).
    pub(super) until: Position,
    /// Only these partitions; all if empty.
    pub(super) partitions: Vec<i32>,
    /// The maximum number of records.
    pub(super) max: Option<u64>,
}

pub(super) enum RecordSource {
    Scan(Box<ScanReader>),
    Consumer {
        consumer: Box<Consumer>,
        stream: BatchStream,
        topic: String,
        /// The number of records left to return.
        left: u64,
    },
}

impl RecordSource {
    /// Reads a range, partition by partition.
    pub(super) async fn scan(engine: &Engine, range: &RecordRange) -> Result<Self, Failure> {
        let scan = engine.topic(&range.topic).scan(options(range));
        Ok(Self::Scan(Box::new(scan.reader().await?)))
    }

    /// Reads from the start of the range, and waits for more records at the end.
    pub(super) async fn follow(engine: &Engine, range: &RecordRange) -> Result<Self, Failure> {
        // Report an offset out of range, which the first fetch would find.
        engine
            .topic(&range.topic)
            .scan(options(range))
            .reader()
            .await?;
        let config = ConsumerConfig::parse([("auto.offset.reset", "earliest")])?;
        let mut consumer = engine.consumer(config);
        consumer.decode_as(decode())?;
        if range.partitions.is_empty() {
            consumer.assign_topics(&[&range.topic]).await?;
        } else {
            let partition = |number: &i32| TopicPartition::new(range.topic.as_str(), *number);
            let partitions = range.partitions.iter().map(partition).collect();
            consumer.assign(partitions).await?;
        }
        consumer.seek(&range.from, &[]).await?;
        // A start offset may be past the end of some partitions: there it means the end.
        let ends = engine
            .topic(&range.topic)
            .offsets(&Position::Latest)
            .await?;
        for (partition, position) in consumer.consumed() {
            if let Some(end) = ends.get(&partition.partition)
                && position > *end
            {
                consumer.seek(&(*end).into(), &[partition]).await?;
            }
        }
        Self::of_consumer(consumer, range, Until::Forever)
    }

    /// Reads as a member of a group, from its committed offsets on. Commits the records that were printed.
    pub(super) async fn group(
        engine: &Engine,
        range: &RecordRange,
        group: &str,
        until: Until,
    ) -> Result<Self, Failure> {
        // Report an unknown topic. A member would wait for it.
        engine
            .topic(&range.topic)
            .offsets(&Position::Latest)
            .await?;
        let reset = if range.from == Position::Latest {
            "latest"
        } else {
            "earliest"
        };
        let config = ConsumerConfig::parse([("group.id", group), ("auto.offset.reset", reset)])?;
        let mut consumer = engine.consumer(config);
        consumer.decode_as(decode())?;
        consumer.set_finishing(Finishing::Explicit);
        consumer.subscribe(Subscription::topics([&range.topic]))?;
        Self::of_consumer(consumer, range, until)
    }

    fn of_consumer(consumer: Consumer, range: &RecordRange, until: Until) -> Result<Self, Failure> {
        let left = range.max.unwrap_or(u64::MAX);
        let most = usize::try_from(left).unwrap_or(usize::MAX);
        let stream = BatchStream::new(BatchOptions {
            max_records: most.clamp(1, TABLE_RECORDS_MAX),
            until,
            ..BatchOptions::default()
        })?;
        Ok(Self::Consumer {
            consumer: Box::new(consumer),
            stream,
            topic: range.topic.clone(),
            left,
        })
    }

    /// The next records, or `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Batch>, Failure> {
        match self {
            Self::Scan(reader) => Ok(reader.next_batch().await?),
            Self::Consumer { left: 0, .. } => Ok(None),
            Self::Consumer {
                consumer,
                stream,
                topic,
                left,
            } => {
                let Some(mut batch) = consumer.next_batch(stream).await? else {
                    return Ok(None);
                };
                if batch.len() as u64 > *left {
                    batch.records = batch.records.slice(0, *left as usize);
                    batch.next_offsets = next_offsets(topic, &batch.records);
                }
                *left -= batch.len() as u64;
                Ok(Some(batch))
            }
        }
    }

    /// Marks the records as printed, so that a group commits them.
    pub(super) fn finish(&mut self, batch: &Batch) {
        if let Self::Consumer { consumer, .. } = self {
            consumer.finish(&batch.next_offsets);
        }
    }

    /// Commits the finished records of a group, and leaves it.
    pub(super) async fn close(self) {
        if let Self::Consumer { mut consumer, .. } = self {
            consumer.close().await;
        }
    }
}

fn options(range: &RecordRange) -> ScanOptions {
    let partitions = range.partitions.iter().copied().map(PartitionId::new);
    ScanOptions {
        start: range.from.clone(),
        end: range.until.clone(),
        partitions: (!range.partitions.is_empty()).then(|| partitions.collect()),
        decode: decode(),
        limit: range.max,
        max_batch_records: TABLE_RECORDS_MAX,
        // As in Kafka's consumers.
        isolation_level: IsolationLevel::ReadUncommitted,
        ..ScanOptions::default()
    }
}

/// The offsets after the records of a table.
fn next_offsets(topic: &str, records: &arrow::RecordBatch) -> BTreeMap<TopicPartition, Offset> {
    let mut next = BTreeMap::new();
    for record in TableRecord::all(records) {
        next.insert(
            TopicPartition::new(topic, record.partition),
            Offset::new(record.offset + 1),
        );
    }
    next
}
