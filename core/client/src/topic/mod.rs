//! A topic: its records as tables, its offsets, its shape.

mod rate;
mod sizes;
mod tail;

use std::collections::BTreeMap;
use std::sync::Arc;

use headwater_columnar::DecodeOptions;
use headwater_record::{Offset, PartitionId};
use uuid::Uuid;

use crate::batch::Batch;
use crate::client::Client;
use crate::error::Result;
use crate::list_offsets;
use crate::position::Position;
use crate::scan::count::by_partition;
use crate::scan::plan::plan;
use crate::scan::{IsolationLevel, Scan, ScanOptions};

/// A handle on a topic. Cloning is cheap; nothing is cached in it.
#[derive(Debug, Clone)]
pub struct Topic {
    client: Client,
    name: Arc<str>,
}

/// A topic as it is now.
#[derive(Debug, Clone)]
pub struct TopicDescription {
    /// Its name.
    pub name: Arc<str>,
    /// Its id.
    pub topic_id: Uuid,
    /// Kafka's own bookkeeping.
    pub internal: bool,
    /// Its partitions, by id.
    pub partitions: Vec<PartitionDescription>,
}

/// A partition as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionDescription {
    /// Its number.
    pub partition: PartitionId,
    /// The broker that leads it.
    pub leader: Option<i32>,
    /// First offset that may be read.
    pub log_start_offset: Offset,
    /// First offset not yet on all in-sync replicas: the end for readers.
    pub high_watermark: Offset,
    /// Bytes on disk, where the broker tells.
    pub size_bytes: Option<u64>,
}

impl Topic {
    pub(crate) fn new(client: Client, name: &str) -> Self {
        Self {
            client,
            name: name.into(),
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The client it came from.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// A table over a range of the topic. Nothing is read before the scan is.
    pub fn scan(&self, options: ScanOptions) -> Scan {
        Scan::new(self.clone(), options)
    }

    /// The first `n` records: partition by partition, in offset order.
    pub async fn head(&self, n: u64, decode: DecodeOptions) -> Result<Batch> {
        self.scan(ScanOptions {
            limit: Some(n),
            decode,
            ..ScanOptions::default()
        })
        .collect()
        .await
    }

    /// The last `n` records: of all partitions the newest by timestamp, in order of partition and offset. Reads only the end.
    pub async fn tail(&self, n: u64, decode: DecodeOptions) -> Result<Batch> {
        tail::tail(self, n, decode).await
    }

    /// The offset of a position in each partition.
    pub async fn offsets(&self, at: &Position) -> Result<BTreeMap<PartitionId, Offset>> {
        let metadata = self.client.refresh_topic(&self.name).await?;
        metadata.check(at)?;
        let partitions: Vec<_> = metadata.partition_ids().collect();
        list_offsets::resolve(
            &self.client,
            &self.name,
            &partitions,
            at,
            IsolationLevel::ReadUncommitted,
        )
        .await
    }

    /// How many records it has, from the headers of its batches.
    pub async fn count(&self) -> Result<u64> {
        Ok(self.counts().await?.values().sum())
    }

    /// How many records each partition has, from the headers of its batches.
    pub async fn counts(&self) -> Result<BTreeMap<PartitionId, u64>> {
        let options = ScanOptions::default();
        let ranges = plan(&self.client, &self.name, &options).await?;
        by_partition(self, &options, &ranges).await
    }

    /// Records and bytes in each interval of `every_ms`, from batch headers: columns `time`, `records`, `bytes`, one row for each
    /// interval in which something happened. A batch that spans several intervals is spread evenly.
    pub async fn rate(&self, every_ms: u64, start: Position, end: Position) -> Result<Batch> {
        rate::rate(self, every_ms, start, end).await
    }

    /// Partitions, leaders and offsets.
    pub async fn describe(&self) -> Result<TopicDescription> {
        let metadata = self.client.refresh_topic(&self.name).await?;
        let start = self.offsets(&Position::Earliest).await?;
        let end = self.offsets(&Position::Latest).await?;
        let sizes = sizes::sizes(&self.client, &self.name).await?;
        let partitions = metadata.partition_ids().map(|partition| {
            Ok(PartitionDescription {
                partition,
                leader: metadata.leader(partition)?,
                log_start_offset: start.get(&partition).copied().unwrap_or(Offset::ZERO),
                high_watermark: end.get(&partition).copied().unwrap_or(Offset::ZERO),
                size_bytes: sizes.get(&partition).copied(),
            })
        });
        Ok(TopicDescription {
            name: Arc::clone(&metadata.name),
            topic_id: metadata.topic_id,
            internal: metadata.internal,
            partitions: partitions.collect::<Result<_>>()?,
        })
    }
}
