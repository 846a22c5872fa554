//! Missing partitions and recreated topics. The consumer keeps reading its other partitions.

use std::sync::Arc;

use tokio::time::Instant;
use uuid::Uuid;

use super::Consumer;
use super::group::offsets::Offsets;
use super::options::BatchStream;
use crate::batch::TopicPartition;
use crate::config::consumer::OffsetReset;
use crate::error::{Error, ErrorKind, Result};
use crate::mutants::{self, Mutant};
use crate::position::Position;

impl Consumer {
    /// Records a missing partition, to be looked up again after a backoff.
    pub(super) fn mark_missing(&mut self, partition: &TopicPartition, error: &Error) {
        let (retry, now) = (self.cluster.config().retry, Instant::now());
        if self.known_topics.lookup_failed(partition, &retry, now) {
            tracing::warn!(%partition, %error, "the partition does not exist; the consumer will look it up again");
        }
        // Each time: until the lag of the other brokers has passed, the topic may still exist, and the group keeps it.
        if let Some(group) = &self.group {
            group.topic_changed();
        }
    }

    /// Refreshes the topic of a partition that a fetch did not find, in case the topic was recreated.
    pub(super) async fn refresh_missing(
        &mut self,
        partition: &TopicPartition,
        error: &Error,
        stream: Option<&BatchStream>,
    ) -> Result<()> {
        match self.cluster.try_refresh_topic(&partition.topic).await {
            Ok(Some(topic))
                if self
                    .known_topics
                    .is_recreated(&partition.topic, topic.topic_id) =>
            {
                return self
                    .restart_recreated(&partition.topic, topic.topic_id, stream)
                    .await;
            }
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::UnknownTopicOrPartition => {
                if !self.cluster.expects_topic(&partition.topic) {
                    self.end_stream_here(stream, std::slice::from_ref(partition));
                }
            }
            Err(error) => return Err(error),
        }
        self.mark_missing(partition, error);
        Ok(())
    }

    /// Reads a recreated topic from its first record; old positions are meaningless. With `auto.offset.reset=none` the
    /// caller must seek.
    pub(super) async fn restart_recreated(
        &mut self,
        topic: &Arc<str>,
        id: Uuid,
        stream: Option<&BatchStream>,
    ) -> Result<()> {
        let partitions = self.assignment.of_topic(topic);
        self.lookups.stop_all();
        let starts = match self.config.auto_offset_reset {
            OffsetReset::None => Offsets::new(),
            _ => self.resolve(&Position::Earliest, &partitions).await?,
        };
        tracing::warn!(%topic, "the topic was recreated; the consumer starts at its first record");
        for partition in &partitions {
            if mutants::is_active(Mutant::KeepOldPositions) {
                continue;
            }
            match starts.get(partition) {
                Some(start) => {
                    self.assignment.restart(partition, *start);
                    self.committing.finished.restart(partition, *start);
                }
                None => self.assignment.clear_position(partition),
            }
        }
        self.known_topics.set_id(topic, id);
        self.end_stream_here(stream, &partitions);
        Ok(())
    }

    /// Ends a bounded stream at the current positions of these partitions.
    pub(super) fn end_stream_here(
        &self,
        stream: Option<&BatchStream>,
        partitions: &[TopicPartition],
    ) {
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
