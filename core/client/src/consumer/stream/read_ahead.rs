//! Decodes the next table in the runtime while the caller works on the one before.
//!
//! Only fetched bytes leave the consumer; its positions and its assignment do not. When partitions are revoked, or a
//! position changes, the decoded records are dropped
//! ([`Assignment::generation`](super::super::assignment::Assignment::generation)). So a member of a group reads ahead
//! like any other consumer.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use headwater_columnar::{Decoder, FetchedBatches};
use parking_lot::Mutex;
use tokio::task::JoinHandle;

use super::super::Consumer;
use super::super::options::BatchStream;
use crate::batch::Batch;
use crate::decode;
use crate::error::Result;
use crate::mutants::{self, Mutant};

/// The minimum number of records that is worth waking a thread of the runtime.
const AHEAD_RECORDS: usize = 4_096;

/// A table that is being decoded, or is queued for it.
#[derive(Debug)]
pub(in crate::consumer) struct DecodeAhead {
    /// The table, until a thread starts to decode it: one of the runtime, or the caller's if it needs the table first.
    table: Arc<Mutex<Option<UndecodedTable>>>,
    /// Returns `None` if the caller's thread has taken the table.
    task: JoinHandle<Option<(Decoder, Result<Batch>)>>,
    /// The end offsets of this stream limit the table.
    stream: BatchStream,
    generation: u64,
}

/// The bytes of a table, and their decoder.
#[derive(Debug)]
struct UndecodedTable {
    decoder: Decoder,
    fetched: Vec<FetchedBatches>,
    max_records: usize,
}

impl UndecodedTable {
    fn decode(mut self) -> (Decoder, Result<Batch>) {
        let batch = decode::decode(&mut self.decoder, &mut self.fetched, self.max_records);
        (self.decoder, batch)
    }
}

impl Consumer {
    /// Called before a large table is handed out: fetches available batches without waiting, and starts to decode the
    /// next table of the stream.
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
            // The next call returns the error again.
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
        let Ok(decoder) = self.take_decoder() else {
            return;
        };
        let ends = stream.ends();
        let max_records = options.max_records;
        let fetched = self
            .assignment
            .next_batches(max_records, options.max_bytes, ends.as_deref());
        let table = Arc::new(Mutex::new(Some(UndecodedTable {
            decoder,
            fetched,
            max_records,
        })));
        let shared = Arc::clone(&table);
        let task = self.cluster.runtime().spawn(async move {
            let table = shared.lock().take();
            table.map(UndecodedTable::decode)
        });
        self.decode_ahead = Some(DecodeAhead {
            table,
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

    /// The table that was decoded ahead, if it is the next one of the stream, or of a poll. Decodes it here if no
    /// thread of the runtime has started. Dropping the future loses nothing.
    pub(super) async fn decoded_ahead(
        &mut self,
        stream: Option<&BatchStream>,
    ) -> Option<Result<Batch>> {
        if !self.decodes_ahead(stream) {
            self.decode_ahead = None;
            return None;
        }
        let ahead = self.decode_ahead.as_mut()?;
        let untouched = ahead.table.lock().take();
        let result = match untouched {
            Some(table) => Some(table.decode()),
            // A task that panicked has decoded nothing; the caller's thread decodes the table again.
            None => (&mut ahead.task).await.ok().flatten(),
        };
        self.decode_ahead = None;
        let (decoder, batch) = result?;
        self.decoder = Some(decoder);
        Some(batch)
    }
}
