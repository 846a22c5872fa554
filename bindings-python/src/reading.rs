//! A consumer of the core, and the objects of its messages.

use std::collections::BTreeMap;

use headwater::{Consumer, Offset, TopicPartition};
use pyo3::prelude::*;

use crate::convert::consuming::{Moves, Wait};
use crate::errors;
use crate::message::Message;
use crate::messages::ConsumerMessages;

/// The reading state of a consumer of either face.
#[derive(Debug)]
pub(crate) struct ReadState {
    pub(crate) consumer: Consumer,
    messages: ConsumerMessages,
}

impl ReadState {
    pub(crate) fn new(consumer: Consumer) -> Self {
        Self {
            consumer,
            messages: ConsumerMessages::default(),
        }
    }

    /// The next message, if one is already decoded.
    #[inline]
    pub(crate) fn ready_message(&mut self, py: Python<'_>) -> PyResult<Option<Py<Message>>> {
        let row = self.consumer.ready_message().map_err(errors::raise)?;
        self.messages.object(py, row)
    }

    /// Commits these offsets, or the positions.
    pub(crate) async fn commit(
        &mut self,
        what: Option<BTreeMap<TopicPartition, Offset>>,
        wait: Wait,
    ) -> headwater::Result<()> {
        match wait {
            Wait::ForAnswer => self.consumer.commit(what).await,
            Wait::No => self.consumer.commit_async(what).await,
        }
    }

    /// Carries out `seek()`.
    pub(crate) async fn seek(&mut self, moves: Moves) -> headwater::Result<()> {
        for (to, partitions) in moves {
            self.consumer.seek(&to, &partitions).await?;
        }
        Ok(())
    }
}
