//! Polls and streams: waits for records, and hands out tables.

use std::time::Instant;

use headwater_columnar::{Column, DecodeOptions, Decoder};

use super::super::Consumer;
use super::super::following::Refresh;
use super::super::options::{BatchStream, Ends, require_positive};
use super::super::rebalancing::Rebalance;
use super::{DecodedTable, Event};
use crate::batch::Batch;
use crate::decode;
use crate::error::{Error, ErrorKind, Result};
use crate::position::Position;

/// The result of waiting for a table.
#[derive(Debug)]
pub(super) enum TableWait {
    /// There is a decoded table.
    Ready,
    Rebalance(Rebalance),
    /// The stream has ended.
    End,
}

impl Consumer {
    pub(super) async fn poll_event(
        &mut self,
        deadline: Option<Instant>,
        max_records: usize,
    ) -> Result<Event> {
        require_positive("max_records", max_records, "record")?;
        let max_bytes = self.config.fetch_max_bytes;
        loop {
            if let Some(rebalance) = self.run_due_work().await? {
                return Ok(Event::Rebalance(rebalance));
            }
            while self
                .decode_table(max_records, max_bytes, None, None)
                .await?
            {
                if let Some(batch) = self.hand_out(max_records) {
                    return Ok(Event::Batch(batch));
                }
            }
            if self.assignment.undecoded(None).offsets > 0 {
                // The decoded batches had no visible records, as after an aborted transaction.
                continue;
            }
            let remaining = deadline.map_or(self.config.fetch_max_wait, |deadline| {
                deadline.saturating_duration_since(Instant::now())
            });
            let fetched_any = self
                .fetch_or_group_change(remaining.min(self.config.fetch_max_wait), None)
                .await?;
            if !fetched_any && deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return self.empty_batch().map(Event::Batch);
            }
        }
    }

    pub(super) async fn batch_event(&mut self, stream: &BatchStream) -> Result<Event> {
        loop {
            match self.wait_for_table(stream).await? {
                TableWait::Ready => {}
                TableWait::Rebalance(rebalance) => return Ok(Event::Rebalance(rebalance)),
                TableWait::End => return Ok(Event::End),
            }
            // First, because fetched batches may change a position; then the table is decoded again.
            self.read_ahead(stream);
            if let Some(batch) = self.hand_out(stream.options().max_records) {
                return Ok(Event::Batch(batch));
            }
        }
    }

    /// Waits until there is a decoded table of the stream.
    pub(super) async fn wait_for_table(&mut self, stream: &BatchStream) -> Result<TableWait> {
        let options = *stream.options();
        if !stream.is_endless() && self.assignment.table().is_some() {
            // The table may exceed the end of this stream.
            self.assignment.forget_table();
        }
        let mut waits = 0;
        loop {
            if let Some(rebalance) = self.run_due_work().await? {
                return Ok(TableWait::Rebalance(rebalance));
            }
            if self.awaits_assignment() {
                self.fetch_or_group_change(self.config.fetch_max_wait, None)
                    .await?;
                continue;
            }
            if self.assignment.table().is_some() {
                return Ok(TableWait::Ready);
            }
            if !self.decodes_ahead(Some(stream)) {
                self.find_positions().await?;
                self.fix_ends(stream).await?;
                if self.fetch_for_table(stream).await? == TableFetch::GroupNeedsAction {
                    continue;
                }
            }
            let ends = stream.ends();
            let decoded = self.decode_table(
                options.max_records,
                options.max_bytes,
                ends.as_deref(),
                Some(stream),
            );
            if decoded.await? {
                return Ok(TableWait::Ready);
            }
            let more = self.assignment.undecoded(ends.as_deref()).offsets > 0
                || self.assignment.fetchable(ends.as_deref()).next().is_some();
            if more {
                continue;
            }
            if !stream.is_endless() {
                if !self.awaits_more_partitions().await {
                    return Ok(TableWait::End);
                }
                waits += 1;
                let pause = self.cluster.config().retry.jittered_pause(waits);
                self.fetch_or_group_change(pause, Some(stream)).await?;
                continue;
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
            let ahead = self.assignment.undecoded(ends.as_deref());
            if ahead.fills(options) || self.assignment.fetchable(ends.as_deref()).next().is_none() {
                return Ok(TableFetch::Enough);
            }
            let wait = if ahead.offsets == 0 {
                self.config.fetch_max_wait
            } else {
                let full_by = *full_by.get_or_insert_with(|| Instant::now() + options.max_wait);
                full_by.saturating_duration_since(Instant::now())
            };
            let fetched = self.fetch_or_group_change(wait, Some(stream)).await;
            let ends = stream.ends();
            if fetched.is_err() && self.assignment.undecoded(ends.as_deref()).offsets > 0 {
                // The records before the error come first; the next fetch returns it again.
                return Ok(TableFetch::Enough);
            }
            let fetched_any = fetched?;
            if !fetched_any && full_by.is_some_and(|full_by| Instant::now() >= full_by) {
                return Ok(TableFetch::Enough);
            }
        }
    }

    /// Decodes fetched batches, unless there is already a decoded table. Returns whether there is a decoded table.
    async fn decode_table(
        &mut self,
        max_records: usize,
        max_bytes: usize,
        ends: Option<&Ends>,
        stream: Option<&BatchStream>,
    ) -> Result<bool> {
        if self.assignment.table().is_some() {
            return Ok(true);
        }
        let batch = if let Some(batch) = self.decoded_ahead(stream).await {
            batch?
        } else {
            let mut fetched = self.assignment.next_batches(max_records, max_bytes, ends);
            if fetched.is_empty() {
                return Ok(false);
            }
            decode::decode(self.decoder()?, &mut fetched, max_records)?
        };
        if batch.skipped > 0 {
            self.gauge.skipped.add(batch.skipped);
            self.cluster.counters().count_skipped(batch.skipped);
        }
        if batch.is_empty() {
            self.assignment.pass(&batch.next_offsets);
            return Ok(false);
        }
        self.assignment.hold(DecodedTable::new(batch));
        Ok(true)
    }

    /// Hands out at most `max_records` records of the decoded table. `None` if they must be decoded again.
    fn hand_out(&mut self, max_records: usize) -> Option<Batch> {
        let batch = self.assignment.table()?.take(max_records);
        if batch.is_none() {
            self.assignment.forget_table();
        }
        batch
    }

    /// An empty table.
    fn empty_batch(&mut self) -> Result<Batch> {
        decode::empty(self.decoder()?)
    }

    fn decoder(&mut self) -> Result<&mut Decoder> {
        let decoder = self.take_decoder()?;
        Ok(self.decoder.insert(decoder))
    }

    pub(super) fn take_decoder(&mut self) -> Result<Decoder> {
        match self.decoder.take() {
            Some(decoder) => Ok(decoder),
            None => decode::decoder(self.columns_for_assignment()),
        }
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
    /// The table can be decoded.
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
