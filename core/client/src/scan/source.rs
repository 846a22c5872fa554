//! The source of a scan.

use std::sync::Arc;

use headwater_record::PartitionId;

use super::plan::Range;
use crate::batch::TopicPartition;
use crate::cluster::Cluster;
use crate::fetch::RangeReader;
use crate::isolation::IsolationLevel;
use crate::transport::Purpose;

/// A topic of a cluster, with a lane for fetches.
#[derive(Debug, Clone)]
pub(crate) struct ScanSource {
    pub(crate) cluster: Cluster,
    pub(crate) fetches: Cluster,
    pub(crate) topic: Arc<str>,
}

impl ScanSource {
    pub(crate) fn new(cluster: &Cluster, topic: &Arc<str>) -> Self {
        Self {
            fetches: cluster.with_lane(Purpose::Fetch),
            cluster: cluster.clone(),
            topic: Arc::clone(topic),
        }
    }

    /// A reader of the range.
    pub(crate) fn read(&self, range: Range, isolation: IsolationLevel) -> RangeReader {
        let partition = self.partition(range.partition);
        RangeReader::new(&self.fetches, partition, range.start..range.end, isolation)
    }

    fn partition(&self, number: PartitionId) -> TopicPartition {
        TopicPartition::new(Arc::clone(&self.topic), number)
    }
}
