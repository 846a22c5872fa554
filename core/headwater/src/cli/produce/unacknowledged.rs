//! The records that were sent and not yet acknowledged, by the numbers of their lines.

use std::collections::VecDeque;

use indicatif::HumanCount;

use crate::cli::exit::Failure;
use crate::{Error, SendHandle};

/// The maximum number of unacknowledged records.
const UNACKNOWLEDGED_MAX: usize = 100_000;

#[derive(Debug, Default)]
pub(super) struct UnacknowledgedLines {
    handles: VecDeque<(u64, SendHandle)>,
    /// The number of acknowledged records.
    pub(super) acknowledged: u64,
}

impl UnacknowledgedLines {
    /// Adds the record of a line, and waits while there are too many.
    pub(super) async fn push(&mut self, line: u64, handle: SendHandle) -> Result<(), Failure> {
        self.handles.push_back((line, handle));
        if self.handles.len() > UNACKNOWLEDGED_MAX {
            self.settle_first().await?;
        }
        Ok(())
    }

    /// Waits until all records are acknowledged.
    pub(super) async fn settle(&mut self) -> Result<(), Failure> {
        while !self.handles.is_empty() {
            self.settle_first().await?;
        }
        Ok(())
    }

    async fn settle_first(&mut self) -> Result<(), Failure> {
        let Some((line, handle)) = self.handles.front_mut() else {
            return Ok(());
        };
        let (line, result) = (*line, handle.await);
        self.handles.pop_front();
        match result {
            Ok(_) => {
                self.acknowledged += 1;
                Ok(())
            }
            Err(error) => Err(self.failure(line, error).await),
        }
    }

    /// The failure for a line whose record was not written, with the number of other such lines.
    async fn failure(&mut self, line: u64, error: Error) -> Failure {
        let (mut line, mut error, mut count) = (line, error, 1_u64);
        for (later, handle) in self.handles.drain(..) {
            match handle.await {
                Ok(_) => self.acknowledged += 1,
                Err(other) => {
                    count += 1;
                    // Another attempt would write a record that only shares the batch of an invalid one.
                    if error.is_retriable() && !other.is_retriable() {
                        (line, error) = (later, other);
                    }
                }
            }
        }
        let failure = Failure::from(error);
        if count == 1 {
            failure.prefixed(&format!("Line {line} is not written: "))
        } else {
            let count = HumanCount(count);
            failure.prefixed(&format!(
                "{count} lines are not written, such as line {line}: "
            ))
        }
    }
}
