//! A topic: reads records as tables, resolves offsets and describes partitions.

mod rate;
mod tail;

use std::collections::BTreeMap;
use std::sync::Arc;

use headwater_columnar::DecodeOptions;
use headwater_record::{Offset, PartitionId};
use tokio::runtime::Handle;
use uuid::Uuid;

use crate::admin::{Admin, ConfigEntry};
use crate::batch::Batch;
use crate::cluster::Cluster;
use crate::error::Result;
use crate::isolation::IsolationLevel;
use crate::list_offsets;
use crate::position::Position;
use crate::scan::count::by_partition;
use crate::scan::plan::plan;
use crate::scan::{Scan, ScanOptions, ScanSource};

/// A handle on a topic. Cloning is cheap. May be used concurrently.
#[derive(Debug, Clone)]
pub struct Topic {
    cluster: Cluster,
    name: Arc<str>,
}

/// A description of a topic.
#[derive(Debug, Clone)]
pub struct TopicDescription {
    /// Its name.
    pub name: Arc<str>,
    /// Its id.
    pub topic_id: Uuid,
    /// Whether it is an internal topic.
    pub internal: bool,
    /// Its partitions, sorted by number.
    pub partitions: Vec<PartitionDescription>,
}

/// A description of a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionDescription {
    /// Its number.
    pub partition: PartitionId,
    /// Its leader.
    pub leader: Option<i32>,
    /// The brokers that have a replica.
    pub replicas: Vec<i32>,
    /// The replicas that have all acknowledged records.
    pub in_sync_replicas: Vec<i32>,
    /// The replicas that are not reachable.
    pub offline_replicas: Vec<i32>,
    /// The first offset that may be read.
    pub log_start_offset: Offset,
    /// The first offset that is not yet on all in-sync replicas: the end for readers.
    pub high_watermark: Offset,
    /// The size on disk in bytes, if known.
    pub size_bytes: Option<u64>,
}

impl Topic {
    pub(crate) fn new(cluster: Cluster, name: &str) -> Self {
        Self {
            cluster,
            name: name.into(),
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The runtime that drives its reads.
    pub fn runtime(&self) -> &Handle {
        self.cluster.runtime()
    }

    fn source(&self) -> ScanSource {
        ScanSource::new(&self.cluster, &self.name)
    }

    /// A scan of a range of the topic. Sends no request.
    pub fn scan(&self, options: ScanOptions) -> Scan {
        Scan::new(self.source(), options)
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

    /// The `n` newest records of all partitions by timestamp, sorted by partition and offset. Reads only the end of
    /// each partition.
    pub async fn tail(&self, n: u64, decode: DecodeOptions) -> Result<Batch> {
        tail::tail(&self.source(), n, decode).await
    }

    /// Resolves a position in each partition.
    pub async fn offsets(&self, at: &Position) -> Result<BTreeMap<PartitionId, Offset>> {
        let metadata = self.cluster.look_up_topic(&self.name).await?;
        metadata.check(at)?;
        let partitions: Vec<_> = metadata.partition_ids().collect();
        list_offsets::resolve(
            &self.cluster,
            &self.name,
            &partitions,
            at,
            IsolationLevel::ReadUncommitted,
        )
        .await
    }

    /// The number of records, from batch headers.
    pub async fn count(&self) -> Result<u64> {
        Ok(self.counts().await?.values().sum())
    }

    /// The number of records of each partition, from batch headers.
    pub async fn counts(&self) -> Result<BTreeMap<PartitionId, u64>> {
        let options = ScanOptions::default();
        let source = self.source();
        let ranges = plan(&source, &options).await?;
        by_partition(&source, &options, &ranges).await
    }

    /// The number of partitions.
    pub async fn partition_count(&self) -> Result<usize> {
        let metadata = self.cluster.look_up_topic(&self.name).await?;
        Ok(metadata.partitions.len())
    }

    /// The size of the logs on disk in bytes, one per partition; `None` if a leader does not report it.
    pub async fn size_bytes(&self) -> Result<Option<u64>> {
        let metadata = self.cluster.look_up_topic(&self.name).await?;
        let admin = Admin::new(self.cluster.clone());
        let sizes = admin.partition_sizes(&self.name).await?;
        let is_complete = sizes.len() == metadata.partitions.len();
        Ok(is_complete.then(|| sizes.values().sum()))
    }

    /// The effective configuration, with the source of each value.
    pub async fn config(&self) -> Result<Vec<ConfigEntry>> {
        Admin::new(self.cluster.clone())
            .topic_config(&self.name)
            .await
    }

    /// Records and bytes in each interval of `every_ms`, from batch headers: columns `time`, `records`, `bytes`, one
    /// row for each interval with records. A batch that spans several intervals is spread evenly.
    pub async fn rate(&self, every_ms: u64, start: Position, end: Position) -> Result<Batch> {
        rate::rate(&self.source(), every_ms, start, end).await
    }

    /// The earliest timestamp of the first records of its partitions, and the greatest timestamp of all records, in
    /// milliseconds since the Unix epoch. Reads no records. `None` if there are no records, or if a broker is older
    /// than Kafka 3.0.
    pub async fn time_range(&self) -> Result<Option<(i64, i64)>> {
        let metadata = self.cluster.look_up_topic(&self.name).await?;
        let partitions: Vec<_> = metadata.partition_ids().collect();
        list_offsets::time_range(&self.cluster, &self.name, &partitions).await
    }

    /// Partitions, leaders and offsets.
    pub async fn describe(&self) -> Result<TopicDescription> {
        let metadata = self.cluster.look_up_topic(&self.name).await?;
        let partitions: Vec<_> = metadata.partition_ids().collect();
        let offsets = list_offsets::resolve_all(
            &self.cluster,
            &self.name,
            &partitions,
            [&Position::Earliest, &Position::Latest],
            IsolationLevel::ReadUncommitted,
        );
        let admin = Admin::new(self.cluster.clone());
        let ([start, end], sizes) = tokio::try_join!(offsets, admin.partition_sizes(&self.name))?;
        let partitions = partitions.into_iter().map(|partition| {
            let known = metadata.partition(partition)?;
            Ok(PartitionDescription {
                partition,
                leader: known.leader,
                replicas: known.replicas.clone(),
                in_sync_replicas: known.in_sync_replicas.clone(),
                offline_replicas: known.offline_replicas.clone(),
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
