//! Missing partitions, and topics that were deleted and created again: the consumer reads its other partitions meanwhile.

use std::sync::Arc;
use std::time::Instant;

use uuid::Uuid;

use super::Consumer;
use super::group::offsets::Offsets;
use super::options::BatchStream;
use crate::batch::TopicPartition;
use crate::config::consumer::OffsetReset;
use crate::error::{Error, ErrorKind, Result};
use crate::position::Position;

impl Consumer {
    /// Whether the partition is missing and its next lookup is not due yet.
    pub(super) fn rests(&self, partition: &TopicPartition) -> bool {
        self.known_topics.rests(partition, Instant::now())
    }

    /// Notes a missing partition. It is looked up again later; the others are read meanwhile.
    pub(super) fn is_missing(&mut self, partition: &TopicPartition, error: &Error) {
        let (retry, now) = (self.cluster.config().retry, Instant::now());
        if self.known_topics.lost(partition, &retry, now) {
            tracing::warn!(%partition, %error, "the partition does not exist; the consumer reads its other partitions and looks for it again");
            if let Some(group) = &self.group {
                group.refresh_metadata_soon();
            }
        }
    }

    /// Looks up a partition that a fetch did not find: its topic was deleted, and may have been created again.
    pub(super) async fn look_for(
        &mut self,
        partition: &TopicPartition,
        error: &Error,
        stream: Option<&BatchStream>,
    ) -> Result<()> {
        match self.cluster.try_refresh_topic(&partition.topic).await {
            Ok(Some(topic))
                if self
                    .known_topics
                    .is_another(&partition.topic, topic.topic_id) =>
            {
                return self
                    .start_over(&partition.topic, topic.topic_id, stream)
                    .await;
            }
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::UnknownTopicOrPartition => {
                self.end_here(stream, std::slice::from_ref(partition));
            }
            Err(error) => return Err(error),
        }
        self.is_missing(partition, error);
        Ok(())
    }

    /// The name belongs to another topic now, in which the old positions mean nothing: it is read from its first record. With
    /// `auto.offset.reset=none` the caller has to seek.
    pub(super) async fn start_over(
        &mut self,
        topic: &Arc<str>,
        id: Uuid,
        stream: Option<&BatchStream>,
    ) -> Result<()> {
        let partitions = self.assignment.of_topic(topic);
        let starts = match self.config.auto_offset_reset {
            OffsetReset::None => Offsets::new(),
            _ => self.resolve(&Position::Earliest, &partitions).await?,
        };
        tracing::warn!(%topic, "the topic was deleted and created again: the consumer starts at its first record");
        for partition in &partitions {
            match starts.get(partition) {
                Some(start) => {
                    self.assignment.seek(partition, *start);
                    self.committing.finished.start_over(partition, *start);
                }
                None => self.assignment.lose_position(partition),
            }
        }
        self.known_topics.learn(topic, id);
        self.end_here(stream, &partitions);
        Ok(())
    }

    /// A stream that ends does not wait for what these partitions may get.
    pub(super) fn end_here(&self, stream: Option<&BatchStream>, partitions: &[TopicPartition]) {
        let Some(stream) = stream.filter(|stream| !stream.is_endless()) else {
            return;
        };
        let positions = self.assignment.positions();
        let end = |partition: &TopicPartition| {
            let position = positions.get(partition).copied().unwrap_or_default();
            (partition.clone(), position)
        };
        stream.fix(partitions.iter().map(end).collect());
    }
}
