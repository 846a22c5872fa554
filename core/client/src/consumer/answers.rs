//! What leaders answered: batches are kept, and errors of partitions dealt with.

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
    /// Keeps what was fetched. Returns whether there was anything, or a position has moved.
    pub(super) async fn keep(
        &mut self,
        answers: Vec<PartitionAnswer>,
        stream: Option<&BatchStream>,
    ) -> Result<bool> {
        let mut any = false;
        let ends = stream.and_then(BatchStream::ends);
        let mut empty = Vec::new();
        let mut failed = Vec::new();
        let mut created_again = BTreeMap::new();
        for answer in answers {
            // The caller has sought, or gave the partition up, since the fetch was sent.
            let is_stale =
                self.assignment.fetch_offset(&answer.partition) != Some(answer.fetch_offset);
            if is_stale && !mutants::lives(Mutant::TakeStaleAnswers) {
                continue;
            }
            let end = ends.as_ref().and_then(|ends| ends.get(&answer.partition));
            if let Some(end) = end.filter(|end| answer.is_empty_before(**end)) {
                empty.push((answer.partition.clone(), answer.fetch_offset, *end));
            }
            if let Some(id) = answer.topic_id
                && self.known_topics.is_another(&answer.partition.topic, id)
            {
                created_again.insert(answer.partition.topic, id);
                continue;
            }
            match self.keep_partition(answer) {
                Ok(kept) => any |= kept,
                Err(failure) => failed.push(failure),
            }
        }
        // Errors last: what came well is kept, whatever happens to the rest.
        for (topic, id) in created_again {
            self.start_over(&topic, id, stream).await?;
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
    fn keep_partition(&mut self, answer: PartitionAnswer) -> Result<bool, (TopicPartition, Error)> {
        let PartitionAnswer {
            partition,
            fetch_offset,
            batches,
            ..
        } = answer;
        let kept = batches.and_then(|batches| {
            self.known_topics.found(&partition);
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

    /// Does what an error calls for. Returns whether the position has moved.
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
            self.look_for(partition, &error, stream).await?;
            return Ok(false);
        }
        let prepared = self.cluster.prepare_retry(&error, Some(&partition.topic));
        match prepared.await {
            // The next fetch finds that the topic does not exist.
            Err(error) if error.kind() == ErrorKind::UnknownTopicOrPartition => {}
            prepared => prepared?,
        }
        let retry = self.cluster.config().retry;
        self.known_topics.lost(partition, &retry, Instant::now());
        Ok(false)
    }

    /// Compaction may have removed the last records before the end of a stream: no fetch brings them, so the stream ends before them. Each of
    /// `partitions` has its fetch offset and the end of the stream; nothing came from it although no record of another partition filled the
    /// answer.
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
                tracing::debug!(%partition, %from, %end, "the log has no record up to the end");
                stream.fix(Ends::from([(partition, from)]));
            }
        }
    }
}
