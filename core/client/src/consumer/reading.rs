//! Handing out tables: what was fetched ahead, and what must be waited for.

use std::time::{Duration, Instant};

use headwater_columnar::{Column, DecodeOptions, Decoder};

use super::Consumer;
use super::following::Look;
use super::options::{BatchStream, Ends, refuse_none};
use crate::batch::Batch;
use crate::decode;
use crate::error::{Error, ErrorKind, Result};
use crate::position::Position;

impl Consumer {
    /// The next records, at most `max_records` (`None`: `max.poll.records`); an empty table when `timeout` passes first, or when there is a
    /// rebalance to be told ([`Consumer::next_rebalance`]).
    ///
    /// What was handed out before counts as finished, see [`Finishing`](super::Finishing).
    pub async fn poll(&mut self, timeout: Duration, max_records: Option<usize>) -> Result<Batch> {
        self.refuse_if_idle()?;
        let max_records = max_records.unwrap_or(self.config.max_poll_records);
        refuse_none("max_records", max_records, "record")?;
        self.finish_what_was_handed_out();
        let (wakeup, cluster) = (self.wakeup.clone(), self.cluster.clone());
        wakeup
            .end(&cluster, self.poll_until(timeout, max_records))
            .await
    }

    async fn poll_until(&mut self, timeout: Duration, max_records: usize) -> Result<Batch> {
        let deadline = Instant::now().checked_add(timeout);
        loop {
            self.tend().await?;
            if self.has_news() {
                return self.nothing();
            }
            let batch = self.hand_out(max_records, self.config.fetch_max_bytes, None)?;
            if !batch.is_empty() {
                return Ok(batch);
            }
            let left = deadline.map_or(Duration::MAX, |deadline| {
                deadline.saturating_duration_since(Instant::now())
            });
            let brought = self
                .fill_or_news(left.min(self.config.fetch_max_wait), None)
                .await?;
            if !brought && deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return Ok(batch);
            }
        }
    }

    /// The next table of a stream, or `None` at its end; an empty one when there is a rebalance to be told
    /// ([`Consumer::next_rebalance`]).
    ///
    /// What was handed out before counts as finished, see [`Finishing`](super::Finishing).
    pub async fn next_batch(&mut self, stream: &BatchStream) -> Result<Option<Batch>> {
        self.refuse_if_idle()?;
        self.finish_what_was_handed_out();
        let (wakeup, cluster) = (self.wakeup.clone(), self.cluster.clone());
        wakeup.end(&cluster, self.next_of(stream)).await
    }

    async fn next_of(&mut self, stream: &BatchStream) -> Result<Option<Batch>> {
        let options = stream.options();
        loop {
            self.tend().await?;
            if self.has_news() {
                return self.nothing().map(Some);
            }
            if self.waits_for_partitions() {
                self.fill_or_news(self.config.fetch_max_wait, None).await?;
                continue;
            }
            self.locate().await?;
            self.fix_ends(stream).await?;
            if self.gather(stream).await? == GatherEnd::Interrupted {
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
            self.fill_or_news(self.config.fetch_max_wait, Some(stream))
                .await?;
        }
    }

    /// Fetches until a table is full, until `max_wait` has passed since there was something, or until there is nothing more to fetch.
    async fn gather(&mut self, stream: &BatchStream) -> Result<GatherEnd> {
        let options = stream.options();
        let mut full_by = None;
        loop {
            self.group_polled();
            if self.has_todo() {
                return Ok(GatherEnd::Interrupted);
            }
            let ends = stream.ends();
            let ahead = self.assignment.ahead(ends.as_deref());
            if ahead.offsets >= options.max_records as u64 || ahead.bytes >= options.max_bytes {
                return Ok(GatherEnd::Enough);
            }
            if self.assignment.fetchable(ends.as_deref()).next().is_none() {
                return Ok(GatherEnd::Enough);
            }
            let wait = if ahead.offsets == 0 {
                self.config.fetch_max_wait
            } else {
                let full_by = *full_by.get_or_insert_with(|| Instant::now() + options.max_wait);
                full_by.saturating_duration_since(Instant::now())
            };
            let brought = self.fill_or_news(wait, Some(stream)).await?;
            if !brought && full_by.is_some_and(|full_by| Instant::now() >= full_by) {
                return Ok(GatherEnd::Enough);
            }
        }
    }

    /// Decodes what lies ahead and moves the positions.
    fn hand_out(
        &mut self,
        max_records: usize,
        max_bytes: usize,
        ends: Option<&Ends>,
    ) -> Result<Batch> {
        let mut fetched = self.assignment.take(max_records, max_bytes, ends);
        if fetched.is_empty() {
            return self.nothing();
        }
        let decoder = self.decoder()?;
        let batch = decode::decode(decoder, &mut fetched, max_records)?;
        self.assignment.passed(&batch.next_offsets);
        Ok(batch)
    }

    /// A table without records.
    fn nothing(&mut self) -> Result<Batch> {
        decode::empty(self.decoder()?)
    }

    fn decoder(&mut self) -> Result<&mut Decoder> {
        let decoder = match self.decoder.take() {
            Some(decoder) => decoder,
            None => decode::decoder(self.columns_for_assignment())?,
        };
        Ok(self.decoder.insert(decoder))
    }

    /// With several topics the table says which one a record is from.
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

    /// Fixes the ends of the partitions that the stream has not met yet, as they are now. One that is not there ends where it was read.
    async fn fix_ends(&mut self, stream: &BatchStream) -> Result<()> {
        let Some(fixed) = stream.ends() else {
            return Ok(());
        };
        if fixed.is_empty() {
            self.follow_topics(Look::Now).await?;
        }
        let mut new = self.assignment.partitions();
        new.retain(|partition| !fixed.contains_key(partition));
        if !new.is_empty() {
            let ends = self.resolve(&Position::Latest, &new).await?;
            self.end_here(Some(stream), &new);
            stream.fix(ends);
        }
        Ok(())
    }
}

/// Why [`Consumer::gather`] came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum GatherEnd {
    /// There is as much as there will be.
    Enough,
    /// The group wants something first.
    Interrupted,
}

fn all_paused() -> Error {
    Error::new(
        ErrorKind::InvalidArgument,
        "All partitions of the consumer are paused: resume one to read on.",
    )
}
