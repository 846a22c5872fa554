//! Produce requests: the batches of several partitions of one broker.

use std::sync::Arc;

use bytes::Bytes;
use headwater_protocol::ProduceRequest;
use headwater_protocol::produce_request::{PartitionProduceData, TopicProduceData};
use headwater_record::ProducerState;

use super::batch::{BatchOrder, Payload};
use super::context::ProducerContext;
use super::partition_queue::{PartitionLeader, PartitionQueue};
use super::pending_batches::TakenBatch;
use super::stamp::stamp;
use crate::cluster::TopicMetadata;
use crate::duration::wire_ms;
use crate::error::{Error, ErrorKind, Result};

/// The batch of one partition in a request.
pub(super) struct RequestPart {
    pub(super) queue: Arc<PartitionQueue>,
    pub(super) topic: Arc<TopicMetadata>,
    pub(super) order: BatchOrder,
    stamp: Option<ProducerState>,
    payload: Payload,
}

impl RequestPart {
    pub(super) fn new(
        queue: Arc<PartitionQueue>,
        batch: TakenBatch,
        leader: PartitionLeader,
    ) -> Self {
        Self {
            queue,
            topic: leader.topic,
            order: batch.order,
            stamp: batch.stamp,
            payload: batch.payload,
        }
    }

    /// Its maximum size in the request.
    pub(super) fn size_bound(&self) -> usize {
        self.payload.size_bound()
    }

    /// Encodes the batch with its stamp, if it is not encoded yet.
    pub(super) fn encode(&mut self) -> Result<()> {
        let payload = std::mem::replace(&mut self.payload, Payload::Encoded(Bytes::new()));
        let bytes = match payload {
            Payload::Building(mut builder) => {
                builder.set_producer(self.stamp);
                let bytes = builder.finish().unwrap_or_default();
                self.queue.recycle(builder);
                bytes
            }
            Payload::Encoded(bytes) => match self.stamp {
                Some(producer) => stamp(bytes, producer).map_err(unreadable)?,
                None => bytes,
            },
        };
        self.payload = Payload::Encoded(bytes);
        Ok(())
    }

    /// The encoded batch; empty before [`RequestPart::encode`].
    pub(super) fn bytes(&self) -> Bytes {
        match &self.payload {
            Payload::Building(_) => Bytes::new(),
            Payload::Encoded(bytes) => bytes.clone(),
        }
    }
}

fn unreadable(error: headwater_record::BatchError) -> Error {
    Error::new(
        ErrorKind::Broker,
        format!("An encoded batch cannot be parsed: {error}. Please report this."),
    )
    .caused_by(error)
}

/// The request with these batches. Sorts them by topic.
pub(super) fn produce_request(
    context: &ProducerContext,
    parts: &mut [RequestPart],
) -> ProduceRequest {
    parts.sort_by(|one, other| one.topic.name.cmp(&other.topic.name));
    let mut topics: Vec<TopicProduceData> = Vec::with_capacity(1);
    let of_one_topic = parts.chunk_by(|one, other| one.topic.name == other.topic.name);
    for parts in of_one_topic {
        let partitions = parts.iter().map(|part| PartitionProduceData {
            index: part.queue.partition.get(),
            records: Some(part.bytes()),
            ..Default::default()
        });
        topics.extend(parts.first().map(|part| TopicProduceData {
            name: part.topic.wire_name(),
            topic_id: part.topic.topic_id,
            partition_data: partitions.collect(),
            ..Default::default()
        }));
    }
    ProduceRequest {
        transactional_id: None,
        acks: context.config.acks.wire(),
        timeout_ms: wire_ms(context.cluster.config().request_timeout),
        topic_data: topics,
        ..Default::default()
    }
}
