//! Counts the records that a closing producer could not send.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::completion::BatchOutcome;
use crate::error::{Error, ErrorKind, Result};

/// Records that were not written, by topic.
#[derive(Debug, Default)]
pub(crate) struct UnsentRecords {
    by_topic: BTreeMap<Arc<str>, u64>,
    /// The error of the first one.
    error: Option<Error>,
}

impl UnsentRecords {
    /// Adds the records of a batch that were not written. Without an outcome the broker has not answered in time.
    pub(super) fn add(&mut self, topic: &Arc<str>, records: u32, outcome: Option<&BatchOutcome>) {
        let (failed, error) = match outcome {
            Some(outcome) => outcome.failed(records),
            None => (records, None),
        };
        if failed > 0 {
            *self.by_topic.entry(Arc::clone(topic)).or_default() += u64::from(failed);
            self.error
                .get_or_insert_with(|| error.cloned().unwrap_or_else(unanswered));
        }
    }

    /// Adds the records of another producer.
    pub(super) fn merge(mut self, other: Self) -> Self {
        for (topic, records) in other.by_topic {
            *self.by_topic.entry(topic).or_default() += records;
        }
        self.error = self.error.or(other.error);
        self
    }

    /// An error with the number of records and their topics, if there are any. It has the kind and code of the first
    /// record's error.
    pub(super) fn into_result(self) -> Result<()> {
        let Some(error) = self.error else {
            return Ok(());
        };
        let topics = self.by_topic.iter();
        let topics: Vec<_> = topics
            .map(|(topic, records)| format!("{records} of topic \"{topic}\""))
            .collect();
        let records: u64 = self.by_topic.values().sum();
        let records = match records {
            1 => "1 record was".to_owned(),
            records => format!("{records} records were"),
        };
        let message = format!(
            "{records} not sent before the close: {}. The first error: {}",
            topics.join(", "),
            error.message()
        );
        Err(error.with_message(message))
    }
}

fn unanswered() -> Error {
    Error::new(
        ErrorKind::Timeout,
        "The broker did not answer within the time limit of the close: the record may or may not be written.",
    )
}
