//! Polls and streams: returns tables from the batches fetched ahead, and waits for more.

use std::time::{Duration, Instant};

use headwater_columnar::{Column, DecodeOptions, Decoder};

use super::Consumer;
use super::following::Refresh;
use super::options::{BatchStream, Ends, require_positive};
use crate::batch::Batch;
use crate::decode;
use crate::error::{Error, ErrorKind, Result};
use crate::position::Position;

impl Consumer {
    /// Returns at most `max_records` records (`None`: `max.poll.records`), or an empty table after `timeout`, or when there is a rebalance to
    /// report ([`Consumer::next_rebalance`]).
    ///
    /// Records of earlier polls count as finished, see [`Finishing`](super::Finishing).
    pub async fn poll(&mut self, timeout: Duration, max_records: Option<usize>) -> Result<Batch> {
        self.refuse_if_idle()?;
        let max_records = max_records.unwrap_or(self.config.max_poll_records);
        require_positive("max_records", max_records, "record")?;
        self.finish_delivered();
        let (wakeup, cluster) = (self.wakeup.clone(), self.cluster.clone());
        wakeup
            .interruptible(&cluster, self.poll_until(timeout, max_records))
            .await
    }

    async fn poll_until(&mut self, timeout: Duration, max_records: usize) -> Result<Batch> {
        let deadline = Instant::now().checked_add(timeout);
        loop {
            self.run_due_work().await?;
            if self.has_pending_rebalance() {
                return self.empty_batch();
            }
            let batch = self.hand_out(max_records, self.config.fetch_max_bytes, None)?;
            if !batch.is_empty() {
                return Ok(batch);
            }
            let remaining = deadline.map_or(Duration::MAX, |deadline| {
                deadline.saturating_duration_since(Instant::now())
            });
            let fetched_any = self
                .fetch_or_group_change(remaining.min(self.config.fetch_max_wait), None)
                .await?;
            if !fetched_any && deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return Ok(batch);
            }
        }
    }

    /// Returns the next table of a stream, or `None` at its end. The table is empty when there is a rebalance to report
    /// ([`Consumer::next_rebalance`]).
    ///
    /// Records of earlier tables count as finished, see [`Finishing`](super::Finishing).
    pub async fn next_batch(&mut self, stream: &BatchStream) -> Result<Option<Batch>> {
        self.refuse_if_idle()?;
        self.finish_delivered();
        let (wakeup, cluster) = (self.wakeup.clone(), self.cluster.clone());
        wakeup
            .interruptible(&cluster, self.next_stream_batch(stream))
            .await
    }

    async fn next_stream_batch(&mut self, stream: &BatchStream) -> Result<Option<Batch>> {
        let options = stream.options();
        loop {
            self.run_due_work().await?;
            if self.has_pending_rebalance() {
                return self.empty_batch().map(Some);
            }
            if self.awaits_assignment() {
                self.fetch_or_group_change(self.config.fetch_max_wait, None)
                    .await?;
                continue;
            }
            self.find_positions().await?;
            self.fix_ends(stream).await?;
            if self.fetch_for_table(stream).await? == TableFetch::GroupNeedsAction {
                continue;
            }
            let ends = stream.ends();
            let batch = self.hand_out(options.max_records, options.max_bytes, ends.as_deref())?;
            if !batch.is_empty() {
                return Ok(Some(batch));
            }
            let more = self.assignment.ahead(ends.as_deref()).offsets > 0
                || self.assignment.fetchable(ends.as_deref()).next().is_some();
            if more {
                continue;
            }
            if !stream.is_endless() {
                return Ok(None);
            }
            if self.assignment.is_paused() {
                return Err(all_paused());
            }
            self.fetch_or_group_change(self.config.fetch_max_wait, Some(stream))
                .await?;
        }
    }

    /// Fetches until a table is full, `max_wait` has passed since the first records, or there is nothing left to fetch.
    async fn fetch_for_table(&mut self, stream: &BatchStream) -> Result<TableFetch> {
        let options = stream.options();
        let mut full_by = None;
        loop {
            self.group_polled();
            if self.group_needs_action() {
                return Ok(TableFetch::GroupNeedsAction);
            }
            let ends = stream.ends();
            let ahead = self.assignment.ahead(ends.as_deref());
            if ahead.offsets >= options.max_records as u64 || ahead.bytes >= options.max_bytes {
                return Ok(TableFetch::Enough);
            }
            if self.assignment.fetchable(ends.as_deref()).next().is_none() {
                return Ok(TableFetch::Enough);
            }
            let wait = if ahead.offsets == 0 {
                self.config.fetch_max_wait
            } else {
                let full_by = *full_by.get_or_insert_with(|| Instant::now() + options.max_wait);
                full_by.saturating_duration_since(Instant::now())
            };
            let fetched_any = self.fetch_or_group_change(wait, Some(stream)).await?;
            if !fetched_any && full_by.is_some_and(|full_by| Instant::now() >= full_by) {
                return Ok(TableFetch::Enough);
            }
        }
    }

    /// Decodes batches fetched ahead and moves the positions.
    fn hand_out(
        &mut self,
        max_records: usize,
        max_bytes: usize,
        ends: Option<&Ends>,
    ) -> Result<Batch> {
        let mut fetched = self.assignment.next_batches(max_records, max_bytes, ends);
        if fetched.is_empty() {
            return self.empty_batch();
        }
        let decoder = self.decoder()?;
        let batch = decode::decode(decoder, &mut fetched, max_records)?;
        self.assignment.advance(&batch.next_offsets);
        Ok(batch)
    }

    /// An empty table.
    fn empty_batch(&mut self) -> Result<Batch> {
        decode::empty(self.decoder()?)
    }

    fn decoder(&mut self) -> Result<&mut Decoder> {
        let decoder = match self.decoder.take() {
            Some(decoder) => decoder,
            None => decode::decoder(self.columns_for_assignment())?,
        };
        Ok(self.decoder.insert(decoder))
    }

    /// Adds the topic column if the assignment has several topics.
    fn columns_for_assignment(&self) -> DecodeOptions {
        let mut decode = self.decode.clone();
        let partitions = self.assignment.partitions();
        let several = partitions
            .windows(2)
            .any(|pair| pair[0].topic != pair[1].topic);
        if several {
            decode.columns = decode.columns.with(Column::Topic);
        }
        decode
    }

    /// Sets the end offsets of partitions that are new to the stream. A missing partition ends at its position.
    async fn fix_ends(&mut self, stream: &BatchStream) -> Result<()> {
        let Some(fixed) = stream.ends() else {
            return Ok(());
        };
        if fixed.is_empty() {
            self.follow_topics(Refresh::Now).await?;
        }
        let mut new = self.assignment.partitions();
        new.retain(|partition| !fixed.contains_key(partition));
        if !new.is_empty() {
            let ends = self.resolve(&Position::Latest, &new).await?;
            self.end_stream_here(Some(stream), &new);
            stream.fix(ends);
        }
        Ok(())
    }
}

/// The result of [`Consumer::fetch_for_table`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TableFetch {
    /// The table can be returned.
    Enough,
    /// The group has a todo that comes first.
    GroupNeedsAction,
}

fn all_paused() -> Error {
    Error::new(
        ErrorKind::InvalidArgument,
        "All partitions of the consumer are paused: resume one to continue.",
    )
}
