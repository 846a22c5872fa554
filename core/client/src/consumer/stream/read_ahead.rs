//! Decodes the next table in the runtime while the caller works on the one before.
//!
//! Only bytes that were fetched leave the consumer. Its positions and its assignment do not: when partitions are revoked, or a position
//! changes, the decoded records are dropped ([`Assignment::generation`](super::super::assignment::Assignment::generation)). So a member of a
//! group reads ahead like any other consumer.

use std::time::Duration;

use futures_util::FutureExt as _;
use headwater_columnar::Decoder;
use tokio::task::JoinHandle;

use super::super::Consumer;
use super::super::options::BatchStream;
use crate::batch::Batch;
use crate::decode;
use crate::error::Result;
use crate::mutants::{self, Mutant};

/// The least records for which it pays to wake a thread of the runtime.
const AHEAD_RECORDS: usize = 4_096;

/// A table that is being decoded.
#[derive(Debug)]
pub(in crate::consumer) struct DecodeAhead {
    task: JoinHandle<(Decoder, Result<Batch>)>,
    /// Its end offsets bound the table.
    stream: BatchStream,
    generation: u64,
}

impl Consumer {
    /// Before a large table is handed out: fetches what is there without waiting, and starts to decode the next table of the stream.
    pub(super) fn read_ahead(&mut self, stream: &BatchStream) {
        let is_large = |rows| rows >= AHEAD_RECORDS;
        let table = self.assignment.table();
        if !table.is_some_and(|table| is_large(table.rows())) || self.decodes_ahead(Some(stream)) {
            return;
        }
        let options = *stream.options();
        let ends = stream.ends();
        while !self.assignment.undecoded(ends.as_deref()).fills(&options) {
            let fetched = self
                .fetch_ahead(Duration::ZERO, Some(stream))
                .now_or_never();
            // An error is met again by the next call.
            if !matches!(fetched, Some(Ok(true))) {
                break;
            }
        }
        let ahead = self.assignment.undecoded(ends.as_deref());
        let is_whole = ahead.fills(&options)
            || options.max_wait.is_zero()
            || self.assignment.fetchable(ends.as_deref()).next().is_none();
        if is_whole && is_large(usize::try_from(ahead.offsets).unwrap_or(usize::MAX)) {
            self.decode_in_runtime(stream);
        }
    }

    fn decode_in_runtime(&mut self, stream: &BatchStream) {
        let options = *stream.options();
        let Ok(mut decoder) = self.take_decoder() else {
            return;
        };
        let ends = stream.ends();
        let mut fetched =
            self.assignment
                .next_batches(options.max_records, options.max_bytes, ends.as_deref());
        let task = self.cluster.runtime().spawn(async move {
            let batch = decode::decode(&mut decoder, &mut fetched, options.max_records);
            (decoder, batch)
        });
        self.decode_ahead = Some(DecodeAhead {
            task,
            stream: stream.clone(),
            generation: self.assignment.generation(),
        });
    }

    /// Whether the next table of the stream, or of a poll, is being decoded.
    pub(super) fn decodes_ahead(&self, stream: Option<&BatchStream>) -> bool {
        self.decode_ahead.as_ref().is_some_and(|ahead| {
            let is_current = ahead.generation == self.assignment.generation();
            let may_reach_further = |stream: &BatchStream| !stream.is_endless();
            (is_current || mutants::is_active(Mutant::KeepDecodedAhead))
                && stream.is_none_or(|stream| !may_reach_further(stream) || ahead.stream.is(stream))
        })
    }

    /// The table that was decoded ahead, if it is the next one of the stream, or of a poll. Dropping the future loses nothing.
    pub(super) async fn decoded_ahead(
        &mut self,
        stream: Option<&BatchStream>,
    ) -> Option<Result<Batch>> {
        if !self.decodes_ahead(stream) {
            self.decode_ahead = None;
            return None;
        }
        let done = (&mut self.decode_ahead.as_mut()?.task).await;
        self.decode_ahead = None;
        // A task that panicked has decoded nothing; the caller's thread meets the same.
        let (decoder, batch) = done.ok()?;
        self.decoder = Some(decoder);
        Some(batch)
    }
}
