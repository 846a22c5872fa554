//! Handles fetch responses: keeps batches and recovers from errors of partitions.

use std::collections::BTreeMap;
use std::time::Instant;

use headwater_protocol::ErrorCode;
use headwater_record::Offset;

use super::Consumer;
use super::options::{BatchStream, Ends};
use crate::batch::TopicPartition;
use crate::decode::damaged;
use crate::error::{Error, ErrorKind, Result};
use crate::fetch::{PartitionAnswer, has_no_records};
use crate::mutants::{self, Mutant};

impl Consumer {
    /// Keeps the fetched batches and handles errors. Returns whether there were batches, or a position has changed.
    pub(super) async fn handle_answers(
        &mut self,
        answers: Vec<PartitionAnswer>,
        stream: Option<&BatchStream>,
    ) -> Result<bool> {
        let mut any = false;
        let ends = stream.and_then(BatchStream::ends);
        let mut empty = Vec::new();
        let mut failed = Vec::new();
        let mut recreated = BTreeMap::new();
        for answer in answers {
            // The position has changed, or the partition was released, since the fetch was sent.
            let is_stale =
                self.assignment.fetch_offset(&answer.partition) != Some(answer.fetch_offset);
            if is_stale && !mutants::is_active(Mutant::TakeStaleAnswers) {
                continue;
            }
            let end = ends.as_ref().and_then(|ends| ends.get(&answer.partition));
            if let Some(end) = end.filter(|end| answer.is_empty_before(**end)) {
                empty.push((answer.partition.clone(), answer.fetch_offset, *end));
            }
            if let Some(id) = answer.topic_id
                && self.known_topics.is_recreated(&answer.partition.topic, id)
            {
                recreated.insert(answer.partition.topic, id);
                continue;
            }
            match self.keep_batches(answer) {
                Ok(kept) => any |= kept,
                Err(failure) => failed.push(failure),
            }
        }
        // Errors last, so that good batches are kept in any case.
        for (topic, id) in recreated {
            self.restart_recreated(&topic, id, stream).await?;
            any = true;
        }
        for (partition, error) in failed {
            any |= self.partition_failed(&partition, error, stream).await?;
        }
        if !any {
            self.end_before_holes(empty, stream).await;
        }
        Ok(any)
    }

    /// Keeps the batches of one partition. Returns whether there were any.
    fn keep_batches(&mut self, answer: PartitionAnswer) -> Result<bool, (TopicPartition, Error)> {
        let PartitionAnswer {
            partition,
            fetch_offset,
            batches,
            ..
        } = answer;
        let kept = batches.and_then(|batches| {
            self.known_topics.mark_found(&partition);
            let whole = batches.whole(&partition, fetch_offset, None);
            whole.map_err(|error| damaged(&partition, fetch_offset, error))
        });
        match kept {
            Ok(Some(batches)) => {
                self.assignment.add(batches);
                Ok(true)
            }
            Ok(None) => Ok(false),
            Err(error) => Err((partition, error)),
        }
    }

    /// Handles the error of a partition. Returns whether its position has changed.
    async fn partition_failed(
        &mut self,
        partition: &TopicPartition,
        error: Error,
        stream: Option<&BatchStream>,
    ) -> Result<bool> {
        if error.code() == ErrorCode::OffsetOutOfRange {
            self.reset(partition, error).await?;
            return Ok(true);
        }
        if error.kind() == ErrorKind::UnknownTopicOrPartition {
            self.refresh_missing(partition, &error, stream).await?;
            return Ok(false);
        }
        let prepared = self.cluster.prepare_retry(&error, Some(&partition.topic));
        match prepared.await {
            // The next fetch finds that the topic does not exist.
            Err(error) if error.kind() == ErrorKind::UnknownTopicOrPartition => {}
            prepared => prepared?,
        }
        let retry = self.cluster.config().retry;
        self.known_topics
            .lookup_failed(partition, &retry, Instant::now());
        Ok(false)
    }

    /// Ends the stream early where compaction has removed the last records before its end. `partitions` has the fetch offset and the end of
    /// each partition whose fetch was empty.
    async fn end_before_holes(
        &self,
        partitions: Vec<(TopicPartition, Offset, Offset)>,
        stream: Option<&BatchStream>,
    ) {
        for (partition, from, end) in partitions {
            let isolation = self.config.isolation_level;
            if has_no_records(&self.fetches, &partition, from, end, isolation).await
                && let Some(stream) = stream
            {
                tracing::debug!(%partition, %from, %end, "no records left before the end");
                stream.fix(Ends::from([(partition, from)]));
            }
        }
    }
}
