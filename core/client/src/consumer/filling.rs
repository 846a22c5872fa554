//! Fetching ahead: one round over the partitions that may be fetched, and what is done about their errors.

use std::time::Duration;

use headwater_protocol::ErrorCode;

use super::Consumer;
use super::assignment::Ends;
use crate::batch::TopicPartition;
use crate::chunk::Chunk;
use crate::config::consumer::OffsetReset;
use crate::decode::damaged;
use crate::error::{Error, Result};
use crate::error_codes::{Remedy, remedy};
use crate::fetch::{Brought, FetchLimits, Wanted, fetch};
use crate::position::Position;

impl Consumer {
    /// [`Consumer::fill`] that comes back as soon as the group may want something.
    pub(super) async fn fill_or_news(
        &mut self,
        wait: Duration,
        ends: Option<&Ends>,
    ) -> Result<bool> {
        let Some(group) = &self.group else {
            return self.fill(wait, ends).await;
        };
        let news = group.news();
        tokio::select! {
            biased;
            () = news => Ok(false),
            filled = self.fill(wait, ends) => filled,
        }
    }

    /// Fetches once, waiting at most `wait` for records to come. Whether it brought any. What passes by itself (a leader that moves) is
    /// waited out; other errors are the caller's.
    pub(super) async fn fill(&mut self, wait: Duration, ends: Option<&Ends>) -> Result<bool> {
        let config = &self.config;
        let wanted: Vec<_> = self
            .assignment
            .fetchable(ends)
            .map(|assigned| Wanted {
                partition: assigned.partition.clone(),
                from: assigned.fetch_offset(),
                max_bytes: config.max_partition_fetch_bytes,
            })
            .collect();
        if wanted.is_empty() {
            tokio::time::sleep(wait).await;
            return Ok(false);
        }
        let limits = FetchLimits {
            max_wait: wait,
            min_bytes: config.fetch_min_bytes,
            max_bytes: config.fetch_max_bytes,
            isolation: config.isolation_level,
        };
        let brought = match fetch(&self.client, &wanted, limits).await {
            Ok(brought) => brought,
            Err(error) => {
                self.wait_out(&error, None, wait).await?;
                return Ok(false);
            }
        };
        self.keep(brought, wait).await
    }

    async fn keep(&mut self, brought: Vec<Brought>, wait: Duration) -> Result<bool> {
        let mut any = false;
        let mut failed = Vec::new();
        for Brought {
            partition,
            from,
            records,
        } in brought
        {
            match records {
                Ok(bytes) => match Chunk::new(&bytes, from, None) {
                    Ok(Some(chunk)) => {
                        any = true;
                        self.assignment.add(&partition, chunk);
                    }
                    Ok(None) => {}
                    Err(error) => return Err(damaged(&partition, from, error)),
                },
                Err(error) => failed.push((partition, error)),
            }
        }
        // Errors last: what came well is kept, whatever happens to the rest.
        for (partition, error) in failed {
            if error.code() == ErrorCode::OffsetOutOfRange {
                self.reset(&partition, error).await?;
                any = true;
            } else {
                self.wait_out(&error, Some(&partition), wait).await?;
            }
        }
        Ok(any)
    }

    /// The position is not in the log: goes where `auto.offset.reset` says.
    async fn reset(&mut self, partition: &TopicPartition, error: Error) -> Result<()> {
        let to = match self.config.auto_offset_reset {
            OffsetReset::None => return Err(error),
            OffsetReset::Earliest => Position::Earliest,
            OffsetReset::Latest => Position::Latest,
            OffsetReset::ByDuration(age) => {
                Position::AgoMs(u64::try_from(age.as_millis()).unwrap_or(u64::MAX))
            }
        };
        let found = self.resolve(&to, std::slice::from_ref(partition)).await?;
        if let Some(offset) = found.get(partition) {
            tracing::info!(%partition, from = ?error.offset(), to = %offset, "position out of range: reset");
            self.assignment.seek(partition, *offset);
        }
        Ok(())
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
            self.client.look_again(topic).await?;
        }
        tokio::time::sleep(self.config.retry.backoff.min(wait)).await;
        Ok(())
    }
}
