//! Collects the results of a table's batches.

use std::collections::VecDeque;
use std::sync::Arc;

use headwater_columnar::{BatchRows, EncodeError};

use super::BatchResult;
use super::batch::Ticket;
use super::completion::BatchOutcome;
use crate::error::{Error, ErrorKind};
use crate::error_codes;

/// A batch of a table that was queued.
pub(super) struct SentTableBatch {
    pub(super) ticket: Arc<Ticket>,
    pub(super) records: u32,
    pub(super) bytes: usize,
    pub(super) rows: BatchRows,
}

/// The reason why a table, or the rest of it, was not written.
pub(super) enum BulkFailure {
    /// It cannot be encoded.
    Encode(ErrorKind, EncodeError),
    /// The broker rejected these rows.
    Rows(Vec<usize>, Error),
    /// Another error.
    Other(Error),
}

impl From<Error> for BulkFailure {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}

impl BulkFailure {
    pub(super) fn refused(kind: ErrorKind, error: EncodeError) -> Self {
        Self::Encode(kind, error)
    }

    /// Converts the failure to an error. Rows are counted from `first`; `written` is the sentence of
    /// [`BatchResult::sentence`].
    pub(super) fn into_error(self, first: usize, topic: &str, written: &str) -> Error {
        match self {
            Self::Encode(kind, error) => {
                let error = error.behind(first);
                let text = format!("The table is not sent: {error}. {written}");
                Error::new(kind, text).in_topic(topic).caused_by(error)
            }
            Self::Rows(rows, error) => {
                let row = rows.first().map_or(first, |row| first + row);
                let others = match rows.len() {
                    0 | 1 => String::new(),
                    rows => format!(" (and {} more of its batch)", rows - 1),
                };
                let reason = error.message().to_owned();
                error.with_message(format!(
                    "Row {row} of the table{others}: {reason} {written}"
                ))
            }
            Self::Other(error) => {
                let reason = error.message().to_owned();
                error.with_message(format!("{reason} {written}"))
            }
        }
    }
}

/// The batches in flight of one table, and the results so far.
#[derive(Default)]
pub(super) struct TableAnswers {
    waiting: VecDeque<SentTableBatch>,
    pub(super) result: BatchResult,
}

impl TableAnswers {
    pub(super) fn expect(&mut self, sent: SentTableBatch) {
        self.waiting.push_back(sent);
    }

    /// Collects the results that have arrived, up to the first failure.
    pub(super) fn take_ready(&mut self) -> Result<(), BulkFailure> {
        while let Some(sent) = self
            .waiting
            .pop_front_if(|sent| sent.ticket.completion.outcome().is_some())
        {
            self.take(&sent)?;
        }
        Ok(())
    }

    /// Waits for all results. Returns the first failure.
    pub(super) async fn wait_for_all(&mut self) -> Result<(), BulkFailure> {
        let mut all = Ok(());
        while let Some(sent) = self.waiting.pop_front() {
            std::future::poll_fn(|context| sent.ticket.completion.poll_done(context)).await;
            let result = self.take(&sent);
            all = all.and(result);
        }
        all
    }

    /// Adds the result of a batch.
    fn take(&mut self, sent: &SentTableBatch) -> Result<(), BulkFailure> {
        let parts = match sent.ticket.completion.outcome() {
            Some(BatchOutcome::Written(written)) => &[(0, Ok(*written))][..],
            Some(BatchOutcome::Failed(error)) => &[(0, Err(error.clone()))][..],
            Some(BatchOutcome::Parts(parts)) => parts,
            None => unreachable!("a completed batch has an outcome"),
        };
        let ends = parts.iter().skip(1).map(|(first, _)| *first);
        let mut refused: Vec<(usize, &Error)> = Vec::new();
        let mut failed = None;
        let mut written = 0;
        for ((first, part), end) in parts.iter().zip(ends.chain([sent.records])) {
            let records = end - first;
            match part {
                Ok(part) => {
                    written += records;
                    self.result
                        .add_written(sent.ticket.queue.partition, part.base_offset, records);
                }
                Err(error) if records == 1 && !error_codes::is_bystander(error) => {
                    refused.extend(sent.rows.row(*first as usize).zip(Some(error)));
                }
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        self.result.bytes +=
            sent.bytes as u64 * u64::from(written) / u64::from(sent.records.max(1));
        if let Some((_, error)) = refused.first() {
            let error = Error::clone(error);
            let rows = refused.iter().map(|(row, _)| *row).collect();
            return Err(BulkFailure::Rows(rows, error));
        }
        failed.map_or(Ok(()), |error| Err(BulkFailure::Other(error.clone())))
    }
}
