//! Fetching ahead: one round over the partitions that may be fetched, and what is done about their errors.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use headwater_protocol::ErrorCode;

use super::Consumer;
use super::options::BatchStream;
use crate::batch::TopicPartition;
use crate::decode::damaged;
use crate::error::{Error, ErrorKind, Result};
use crate::fetch::{FetchLimits, FetchTarget, PartitionAnswer, fetch};

impl Consumer {
    /// [`Consumer::fill`] that comes back as soon as the group may want something.
    pub(super) async fn fill_or_news(
        &mut self,
        wait: Duration,
        stream: Option<&BatchStream>,
    ) -> Result<bool> {
        let Some(group) = &self.group else {
            return self.fill(wait, stream).await;
        };
        let news = group.news();
        tokio::select! {
            biased;
            () = news => Ok(false),
            filled = self.fill(wait, stream) => filled,
        }
    }

    /// Fetches once, waiting at most `wait` for records to come. Whether it brought any. What passes by itself (a leader that moves) is
    /// waited out, and partitions that are not there do not keep the others from being read; other errors are the caller's.
    pub(super) async fn fill(
        &mut self,
        wait: Duration,
        stream: Option<&BatchStream>,
    ) -> Result<bool> {
        self.locate().await?;
        let targets = self.fetch_targets(stream);
        if targets.is_empty() {
            let now = Instant::now();
            let retry = self.known_topics.next_retry();
            let pause = retry.map_or(wait, |retry| retry.saturating_duration_since(now).min(wait));
            tokio::time::sleep(pause).await;
            return Ok(false);
        }
        let limits = FetchLimits {
            max_wait: wait,
            min_bytes: self.config.fetch_min_bytes,
            max_bytes: self.config.fetch_max_bytes,
            isolation: self.config.isolation_level,
        };
        let answers = match fetch(&self.fetches, &targets, limits).await {
            Ok(answers) => answers,
            Err(error) => {
                self.wait_out(&error, None, wait).await?;
                return Ok(false);
            }
        };
        self.keep(answers, wait, stream).await
    }

    fn fetch_targets(&self, stream: Option<&BatchStream>) -> Vec<FetchTarget> {
        let now = Instant::now();
        let ends = stream.and_then(BatchStream::ends);
        let asked = self
            .assignment
            .fetchable(ends.as_deref())
            .filter(|assigned| !self.known_topics.rests(&assigned.partition, now));
        let targets = asked.filter_map(|assigned| {
            Some(FetchTarget {
                partition: assigned.partition.clone(),
                fetch_offset: assigned.fetch_offset()?,
                max_bytes: self.config.max_partition_fetch_bytes,
            })
        });
        targets.collect()
    }

    async fn keep(
        &mut self,
        answers: Vec<PartitionAnswer>,
        wait: Duration,
        stream: Option<&BatchStream>,
    ) -> Result<bool> {
        let mut any = false;
        let mut failed = Vec::new();
        let mut created_again = BTreeMap::new();
        for PartitionAnswer {
            partition,
            topic_id,
            fetch_offset,
            batches,
        } in answers
        {
            if let Some(id) = topic_id
                && self.known_topics.is_another(&partition.topic, id)
            {
                created_again.insert(partition.topic, id);
                continue;
            }
            match batches {
                Ok(batches) => {
                    self.known_topics.found(&partition);
                    match batches.whole(&partition, fetch_offset, None) {
                        Ok(Some(batches)) => {
                            any = true;
                            self.assignment.add(batches);
                        }
                        Ok(None) => {}
                        Err(error) => return Err(damaged(&partition, fetch_offset, error)),
                    }
                }
                Err(error) => failed.push((partition, error)),
            }
        }
        // Errors last: what came well is kept, whatever happens to the rest.
        for (topic, id) in created_again {
            self.start_over(&topic, id, stream).await?;
            any = true;
        }
        for (partition, error) in failed {
            if error.code() == ErrorCode::OffsetOutOfRange {
                self.reset(&partition, error).await?;
                any = true;
            } else if error.kind() == ErrorKind::UnknownTopicOrPartition {
                self.look_for(&partition, &error, stream).await?;
            } else {
                self.wait_out(&error, Some(&partition), wait).await?;
            }
        }
        Ok(any)
    }

    /// Prepares the next fetch after `error`, and pauses. Returns an error that a retry cannot help.
    async fn wait_out(
        &self,
        error: &Error,
        partition: Option<&TopicPartition>,
        wait: Duration,
    ) -> Result<()> {
        let topic = partition.map(|partition| &*partition.topic);
        match self.cluster.prepare_retry(error, topic).await {
            // The next fetch finds that the topic does not exist.
            Err(error) if error.kind() == ErrorKind::UnknownTopicOrPartition => {}
            prepared => prepared?,
        }
        tokio::time::sleep(self.cluster.config().retry.jittered_pause(1).min(wait)).await;
        Ok(())
    }
}
