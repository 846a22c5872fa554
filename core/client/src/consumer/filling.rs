//! Fetching ahead: one round over the partitions that may be fetched, and what is done about their errors.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use headwater_protocol::ErrorCode;
use headwater_record::Offset;

use super::Consumer;
use super::options::{BatchStream, Ends};
use crate::batch::TopicPartition;
use crate::chunk::Chunk;
use crate::decode::damaged;
use crate::error::{Error, ErrorKind, Result};
use crate::error_codes::{Remedy, remedy};
use crate::fetch::{Brought, FetchLimits, Wanted, fetch, has_no_records};

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
        let wanted = self.wanted(stream);
        if wanted.is_empty() {
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
        let brought = match fetch(&self.client, &wanted, limits).await {
            Ok(brought) => brought,
            Err(error) => {
                self.wait_out(&error, None, wait).await?;
                return Ok(false);
            }
        };
        self.keep(brought, wait, stream).await
    }

    fn wanted(&self, stream: Option<&BatchStream>) -> Vec<Wanted> {
        let now = Instant::now();
        let ends = stream.and_then(BatchStream::ends);
        let asked = self
            .assignment
            .fetchable(ends.as_deref())
            .filter(|assigned| !self.known_topics.rests(&assigned.partition, now));
        let wanted = asked.filter_map(|assigned| {
            Some(Wanted {
                partition: assigned.partition.clone(),
                from: assigned.fetch_offset()?,
                max_bytes: self.config.max_partition_fetch_bytes,
            })
        });
        wanted.collect()
    }

    async fn keep(
        &mut self,
        brought: Vec<Brought>,
        wait: Duration,
        stream: Option<&BatchStream>,
    ) -> Result<bool> {
        let mut any = false;
        let ends = stream.and_then(BatchStream::ends);
        let mut empty = Vec::new();
        let mut failed = Vec::new();
        let mut created_again = BTreeMap::new();
        for brought in brought {
            let end = ends.as_ref().and_then(|ends| ends.get(&brought.partition));
            if let Some(end) = end.filter(|end| brought.is_empty_before(**end)) {
                empty.push((brought.partition.clone(), brought.from, *end));
            }
            let Brought {
                partition,
                topic_id,
                from,
                records,
                ..
            } = brought;
            if let Some(id) = topic_id
                && self.known_topics.is_another(&partition.topic, id)
            {
                created_again.insert(partition.topic, id);
                continue;
            }
            match records {
                Ok(bytes) => {
                    self.known_topics.found(&partition);
                    match Chunk::new(&bytes, from, None) {
                        Ok(Some(chunk)) => {
                            any = true;
                            self.assignment.add(&partition, chunk);
                        }
                        Ok(None) => {}
                        Err(error) => return Err(damaged(&partition, from, error)),
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
        if !any {
            self.end_before_holes(empty, stream).await;
        }
        Ok(any)
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
            if has_no_records(&self.client, &partition, from, end, isolation).await
                && let Some(stream) = stream
            {
                tracing::debug!(%partition, %from, %end, "the log has no record up to the end");
                stream.fix(Ends::from([(partition, from)]));
            }
        }
    }

    /// Pauses for an error that passes by itself, after asking who leads now; hands back any other.
    async fn wait_out(
        &self,
        error: &Error,
        partition: Option<&TopicPartition>,
        wait: Duration,
    ) -> Result<()> {
        let passes = error.is_retriable()
            && matches!(remedy(error.code()), Remedy::Retry | Remedy::NewLeader);
        if !passes
            || error.code() == ErrorCode::KafkaStorageError
            || error.code() == ErrorCode::CorruptMessage
        {
            return Err(error.clone());
        }
        if let Some(topic) = partition
            .map(|partition| &*partition.topic)
            .or(error.topic())
        {
            match self.client.look_again(topic).await {
                // The next fetch finds that it is gone.
                Err(error) if error.kind() == ErrorKind::UnknownTopicOrPartition => {}
                looked => drop(looked?),
            }
        }
        tokio::time::sleep(self.client.config().retry.backoff.min(wait)).await;
        Ok(())
    }
}
