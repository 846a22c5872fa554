//! What a consumer of either kind reads: the core's consumer, and the rest of a batch whose messages are being iterated.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use headwater::{Announce, BatchOptions, BatchStream, Finishing, Rebalance, WakeupHandle};
use pyo3::prelude::*;
use tokio::runtime::Handle;

use crate::convert::consuming::{Moves, Wait};
use crate::errors;
use crate::fetch_ahead::Source;
use crate::message::Message;
use crate::rest::Rest;

/// After a batch of so many records it is worth to fetch the next one meanwhile: more is likely to be there.
const AHEAD_RECORDS: usize = 4_096;

/// After so many messages a member of a group tells that it is alive, and commits what is due.
const KEEP_UP_MESSAGES: usize = 256;

/// A consumer of the core, and what was fetched from it and not handed out yet: the batch whose messages are being iterated, and the one
/// behind it, which is fetched meanwhile.
#[derive(Debug)]
pub(crate) struct Reading {
    source: Source,
    rest: VecDeque<Rest>,
    /// Iterating messages.
    messages: BatchStream,
    wakeup: WakeupHandle,
    runtime: Handle,
    member: Option<Progress>,
}

/// What a member of a group has handed out since its caller last asked for more: it is finished when the caller asks again.
#[derive(Debug, Default)]
struct Progress {
    handed_out: BTreeMap<headwater::TopicPartition, headwater::Offset>,
    messages: usize,
}

/// Whether the message that was handed out last is finished.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Last {
    Finished,
    InHand,
}

impl Reading {
    pub(crate) fn new(
        mut consumer: headwater::Consumer,
        runtime: Handle,
    ) -> headwater::Result<Self> {
        let messages = BatchStream::new(message_options())?;
        let member = consumer.config().group.is_some().then(Progress::default);
        if member.is_some() {
            consumer.finish_when(Finishing::WhenTold);
            consumer.announce(Announce::Rebalances);
        }
        Ok(Self {
            member,
            wakeup: consumer.wakeup_handle(),
            source: Source::new(consumer),
            rest: VecDeque::new(),
            messages,
            runtime,
        })
    }

    /// The core's consumer. Stops what fetches ahead; what it has fetched is kept.
    pub(crate) async fn consumer(&mut self) -> headwater::Result<&mut headwater::Consumer> {
        if let Some(batch) = self.source.come_back().await? {
            self.rest.push_back(Rest::new(batch));
        }
        self.source.here()
    }

    /// The next message that was fetched already.
    #[inline]
    pub(crate) fn next_message(&mut self, py: Python<'_>) -> PyResult<Option<Py<Message>>> {
        self.wakeup.check().map_err(errors::raise)?;
        if self.member.is_some() {
            self.keep_up().map_err(errors::raise)?;
        }
        while let Some(rest) = self.rest.front_mut() {
            if let Some(message) = rest.messages.next(py)? {
                return Ok(Some(message));
            }
            self.drop_first();
        }
        Ok(None)
    }

    /// Drops a batch whose messages were all handed out.
    fn drop_first(&mut self) {
        if let (Some(rest), Some(progress)) = (self.rest.pop_front(), &mut self.member) {
            progress.handed_out.extend(rest.batch.next_offsets);
        }
    }

    /// From time to time does what a member owes its group while its messages are iterated.
    fn keep_up(&mut self) -> headwater::Result<()> {
        let Some(progress) = &mut self.member else {
            return Ok(());
        };
        progress.messages += 1;
        if progress.messages.is_multiple_of(KEEP_UP_MESSAGES) {
            self.finish(Last::Finished)?;
            self.source.here()?.keep_up();
        }
        Ok(())
    }

    /// Tells the consumer what is finished.
    fn finish(&mut self, last: Last) -> headwater::Result<()> {
        let Some(progress) = &mut self.member else {
            return Ok(());
        };
        let mut finished = match last {
            Last::Finished => std::mem::take(&mut progress.handed_out),
            Last::InHand => BTreeMap::new(),
        };
        for rest in &mut self.rest {
            let position = rest.messages.position();
            let end = match last {
                Last::Finished => position,
                Last::InHand => position.saturating_sub(1),
            };
            let rows = (rest.finished..end).filter_map(|row| rest.place(row));
            for (partition, offset) in rows {
                finished.insert(partition, headwater::Offset::new(offset + 1));
            }
            rest.finished = end.max(rest.finished);
        }
        self.source.here()?.finish(&finished);
        Ok(())
    }

    /// Remembers what goes to the caller.
    fn note(&mut self, batch: &headwater::Batch) {
        if let Some(progress) = &mut self.member {
            progress.handed_out.extend(batch.next_offsets.clone());
        }
    }

    /// A rebalance that the caller is to hear of before it reads on.
    pub(crate) fn next_rebalance(&mut self) -> headwater::Result<Option<Rebalance>> {
        if self.member.is_none() {
            return Ok(None);
        }
        Ok(self.source.here()?.next_rebalance())
    }

    /// Commits offsets; without `what` those behind what was handed out.
    pub(crate) async fn commit(
        &mut self,
        what: Option<BTreeMap<headwater::TopicPartition, headwater::Offset>>,
        wait: Wait,
    ) -> headwater::Result<()> {
        let offsets = if let Some(offsets) = what {
            offsets
        } else {
            let consumed = self.consumer().await?.consumed();
            self.less_the_rest(consumed)
        };
        match wait {
            Wait::ForAnswer => self.source.here()?.commit(Some(offsets)).await,
            Wait::No => self.source.here()?.commit_async(Some(offsets)).await,
        }
    }

    /// Fetches what [`Reading::next_message`] hands out next. Returns whether there will be more.
    pub(crate) async fn fetch(&mut self) -> headwater::Result<bool> {
        // A call that nobody waited for any more may just have given its records back: they come first.
        if self.has_rest() {
            return Ok(true);
        }
        let messages = self.messages.clone();
        while let Some(batch) = self.ask(&messages).await? {
            if !batch.is_empty() {
                self.rest.push_back(Rest::new(batch));
                return Ok(true);
            }
            if self.member.is_some() {
                // There is a rebalance to be told first.
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether there are messages that were fetched and not handed out.
    pub(crate) fn has_rest(&self) -> bool {
        self.rest.iter().any(|rest| rest.messages.left() > 0)
    }

    /// Takes a batch back that nobody waited for any more, before what was fetched after it.
    pub(crate) fn take_back(&mut self, batch: headwater::Batch) {
        if let Some(progress) = &mut self.member {
            // It was all that had been handed out since somebody asked.
            progress.handed_out.clear();
        }
        self.rest.push_front(Rest::new(batch));
    }

    /// What was fetched and not handed out yet, at most `max_records`.
    pub(crate) async fn take_rest(
        &mut self,
        max_records: Option<usize>,
    ) -> headwater::Result<Option<headwater::Batch>> {
        self.consumer().await?;
        while let Some(mut rest) = self.rest.pop_front() {
            let left = rest.left();
            let taken = left.len().min(max_records.unwrap_or(usize::MAX).max(1));
            if taken == 0 {
                continue;
            }
            if taken == left.len() {
                let next_offsets = std::mem::take(&mut rest.batch.next_offsets);
                return Ok(Some(rest.batch.slice(left.start, taken, next_offsets)));
            }
            let places = left.clone().take(taken).filter_map(|row| rest.place(row));
            let next_offsets = places
                .map(|(partition, offset)| (partition, headwater::Offset::new(offset + 1)))
                .collect();
            let part = rest.batch.slice(left.start, taken, next_offsets);
            rest.messages.skip(taken);
            self.rest.push_front(rest);
            return Ok(Some(part));
        }
        Ok(None)
    }

    /// The next records, what was fetched before first.
    pub(crate) async fn poll(
        &mut self,
        timeout: Duration,
        max_records: Option<usize>,
    ) -> headwater::Result<headwater::Batch> {
        self.consumer().await?;
        self.finish(Last::Finished)?;
        let batch = match self.take_rest(max_records).await? {
            Some(rest) => rest,
            None => self.source.here()?.poll(timeout, max_records).await?,
        };
        self.note(&batch);
        Ok(batch)
    }

    /// The next batch, what was fetched before first. After a large one the next is fetched while the caller works on this one.
    pub(crate) async fn next_batch(
        &mut self,
        stream: &BatchStream,
    ) -> headwater::Result<Option<headwater::Batch>> {
        let batch = self.ask(stream).await?;
        if let Some(batch) = &batch {
            self.note(batch);
        }
        Ok(batch)
    }

    /// The next batch; what was handed out before is finished.
    async fn ask(&mut self, stream: &BatchStream) -> headwater::Result<Option<headwater::Batch>> {
        if self.member.is_some() {
            self.finish(Last::Finished)?;
        }
        let is_expected = self.rest.is_empty() && self.source.fetches(stream);
        if !is_expected && !stream.is_endless() {
            // What another stream has fetched may lie behind the end of this one.
            self.put_back().await?;
        } else if !is_expected
            && let Some(rest) = self.take_rest(Some(stream.options().max_records)).await?
        {
            return Ok(Some(rest));
        }
        let batch = self.source.next_batch(stream).await?;
        let is_large = batch
            .as_ref()
            .is_some_and(|batch| batch.len() >= AHEAD_RECORDS);
        // The partitions of a member may go while it fetches, so it fetches when it is asked.
        if is_large && self.member.is_none() {
            self.source.fetch_ahead(&self.runtime, stream);
        }
        Ok(batch)
    }

    /// Positions, less what was fetched and not handed out yet.
    pub(crate) async fn position(
        &mut self,
    ) -> headwater::Result<BTreeMap<headwater::TopicPartition, headwater::Offset>> {
        let positions = self.consumer().await?.position().await?;
        Ok(self.less_the_rest(positions))
    }

    /// Positions of the core's consumer, less what was fetched and not handed out yet.
    fn less_the_rest(
        &self,
        mut positions: BTreeMap<headwater::TopicPartition, headwater::Offset>,
    ) -> BTreeMap<headwater::TopicPartition, headwater::Offset> {
        for rest in self.rest.iter().rev() {
            for (partition, offset) in rest.left().rev().filter_map(|row| rest.place(row)) {
                positions.insert(partition, headwater::Offset::new(offset));
            }
        }
        positions
    }

    /// Records between the positions and the ends.
    pub(crate) async fn lag(
        &mut self,
    ) -> headwater::Result<BTreeMap<headwater::TopicPartition, u64>> {
        let ahead = self.consumer().await?.consumed();
        let positions = self.less_the_rest(ahead.clone());
        let mut lag = self.source.here()?.lag().await?;
        for (partition, records) in &mut lag {
            if let (Some(ahead), Some(position)) = (ahead.get(partition), positions.get(partition))
            {
                *records += u64::try_from(*ahead - *position).unwrap_or(0);
            }
        }
        Ok(lag)
    }

    /// The core's consumer at the first message that was not handed out, so that a change of the assignment loses none.
    pub(crate) async fn put_back(&mut self) -> headwater::Result<&mut headwater::Consumer> {
        self.consumer().await?;
        if !self.rest.is_empty() {
            let consumed = self.source.here()?.consumed();
            let positions = self.less_the_rest(consumed);
            self.finish(Last::InHand)?;
            self.rest.clear();
            self.source.here()?.hand_out_again(&positions);
        }
        self.source.here()
    }

    /// See [`headwater::Consumer::prepare_leave`].
    pub(crate) async fn prepare_leave(&mut self) -> headwater::Result<()> {
        self.consumer().await?;
        self.finish(Last::InHand)?;
        self.source.here()?.prepare_leave().await;
        Ok(())
    }

    /// Gives the assignment up.
    pub(crate) async fn close(&mut self) -> headwater::Result<()> {
        self.consumer().await?;
        self.finish(Last::InHand)?;
        self.rest.clear();
        self.source.here()?.close().await;
        Ok(())
    }

    /// Gives the assignment and the subscription up.
    pub(crate) async fn unsubscribe(&mut self) -> headwater::Result<()> {
        self.consumer().await?;
        self.finish(Last::InHand)?;
        self.rest.clear();
        self.source.here()?.unsubscribe().await
    }
}

/// How iterating messages fetches: whatever is there, at once.
fn message_options() -> BatchOptions {
    BatchOptions {
        max_wait: Duration::ZERO,
        ..BatchOptions::default()
    }
}

/// Carries `seek()` out.
pub(crate) async fn seek(reading: &mut Reading, moves: Moves) -> headwater::Result<()> {
    let consumer = reading.put_back().await?;
    for (to, partitions) in moves {
        consumer.seek(&to, &partitions).await?;
    }
    Ok(())
}
