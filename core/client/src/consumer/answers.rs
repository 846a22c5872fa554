//! Processes fetch responses: stores batches and recovers from errors of partitions.

use std::collections::BTreeMap;
use std::sync::Arc;

use headwater_protocol::ErrorCode;
use tokio::time::Instant;

use super::Consumer;
use super::assigned_partition::AssignedPartition;
use super::options::{BatchStream, Ends};
use crate::batch::TopicPartition;
use crate::decode::damaged;
use crate::error::{Error, ErrorKind, Result};
use crate::error_codes::{Remedy, remedy};
use crate::fetch::PartitionAnswer;
use crate::mutants::{self, Mutant};

impl Consumer {
    /// Stores the fetched batches and handles errors. Returns whether there were batches, or a position has changed.
    pub(super) async fn handle_answers(
        &mut self,
        answers: Vec<PartitionAnswer>,
        stream: Option<&BatchStream>,
    ) -> Result<bool> {
        let mut any = false;
        let mut failed = Vec::new();
        let mut recreated = BTreeMap::new();
        for answer in answers {
            // The position has changed, or the partition was released, since the fetch was sent.
            let is_stale =
                self.assignment.fetch_offset(&answer.partition) != Some(answer.fetch_offset);
            if is_stale && !mutants::is_active(Mutant::TakeStaleAnswers) {
                continue;
            }
            if let Some(id) = answer.topic.as_ref().map(|topic| topic.topic_id)
                && self.known_topics.is_recreated(&answer.partition.topic, id)
            {
                recreated.insert(answer.partition.topic, id);
                continue;
            }
            if answer.from_replica && answer.batches.is_err() {
                self.replica_failed(&answer.partition);
                continue;
            }
            if self.has_named_leader(&answer) {
                continue;
            }
            if let Some(end) = answer.readable_end {
                self.gauge.set_end(&answer.partition, end);
            }
            self.end_before_hole(&answer, stream);
            match self.keep_batches(answer) {
                Ok(kept) => any |= kept,
                Err(failure) => failed.push(failure),
            }
        }
        // Errors last, so that good batches are stored in any case.
        for (topic, id) in recreated {
            self.restart_recreated(&topic, id, stream).await?;
            any = true;
        }
        for (partition, error) in failed {
            any |= self.partition_failed(&partition, error, stream).await?;
        }
        Ok(any)
    }

    /// Whether the answer is an error whose response had another leader, to which the next fetch goes.
    fn has_named_leader(&self, answer: &PartitionAnswer) -> bool {
        let is_leader_error = |error: &Error| remedy(error.code()) == Remedy::FindLeader;
        let has_failed = answer.batches.as_ref().is_err_and(is_leader_error);
        has_failed
            && answer.topic.as_ref().is_some_and(|used| {
                let partition = answer.partition.partition;
                self.cluster.knows_later_leader(used, partition)
            })
    }

    /// Stores the batches of one partition. Returns whether there were any.
    fn keep_batches(&mut self, answer: PartitionAnswer) -> Result<bool, (TopicPartition, Error)> {
        let PartitionAnswer {
            partition,
            fetch_offset,
            leader_epoch,
            batches,
            preferred_replica,
            ..
        } = answer;
        if let Some(node) = preferred_replica {
            let lease = self.cluster.config().metadata_max_age;
            self.assignment.prefer_replica(&partition, node, lease);
        }
        let kept = batches.and_then(|batches| {
            self.known_topics.mark_found(&partition);
            if let Some(leader_epoch) = leader_epoch {
                // The leader has checked the epoch.
                self.assignment.validated(&partition, leader_epoch);
            }
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
    pub(super) async fn partition_failed(
        &mut self,
        partition: &TopicPartition,
        error: Error,
        stream: Option<&BatchStream>,
    ) -> Result<bool> {
        if error.code() == ErrorCode::OffsetOutOfRange {
            let assigned = self.assignment.get_mut(partition);
            if assigned.is_some_and(AssignedPartition::found_out_of_range) {
                self.reset(partition, error).await?;
                return Ok(true);
            }
            return Ok(false);
        }
        if error.kind() == ErrorKind::UnknownTopicOrPartition {
            self.refresh_missing(partition, &error, stream).await?;
            return Ok(false);
        }
        if remedy(error.code()) == Remedy::FindLeader {
            // In the background: records of other partitions do not wait for it.
            self.cluster.check_retry(&error)?;
            self.cluster
                .refresh_in_background(Arc::clone(&partition.topic));
        } else {
            let prepared = self.cluster.prepare_retry(&error, Some(&partition.topic));
            match prepared.await {
                // The next fetch finds that the topic does not exist.
                Err(error) if error.kind() == ErrorKind::UnknownTopicOrPartition => {}
                prepared => prepared?,
            }
        }
        let retry = self.cluster.config().retry;
        self.known_topics
            .lookup_failed(partition, &retry, Instant::now());
        Ok(false)
    }

    /// Reads from the leader again after a replica has failed, and refreshes the leader, which may have moved too.
    pub(super) fn replica_failed(&mut self, partition: &TopicPartition) {
        if mutants::is_active(Mutant::KeepFailedReplica) {
            return;
        }
        tracing::debug!(%partition, "the preferred replica failed; the consumer reads from the leader");
        self.assignment.forget_replica(partition);
        self.cluster
            .refresh_in_background(Arc::clone(&partition.topic));
    }

    /// Ends the stream early if compaction has removed the last records before its end: two responses in a row had no
    /// records, although the offsets up to the end are readable.
    fn end_before_hole(&mut self, answer: &PartitionAnswer, stream: Option<&BatchStream>) {
        let Some(stream) = stream else { return };
        let (partition, from) = (&answer.partition, answer.fetch_offset);
        let end = stream.ends().and_then(|ends| ends.get(partition).copied());
        let is_empty =
            answer.is_response_empty && end.is_some_and(|end| answer.is_empty_before(end));
        if is_empty && self.assignment.found_empty(partition, from) {
            tracing::debug!(%partition, %from, "no records left before the end");
            stream.fix(Ends::from([(partition.clone(), from)]));
        }
    }
}
