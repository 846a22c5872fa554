//! How a call of a consumer reads, one after the other, and what it does with what nobody waits for any more.

use std::sync::Arc;

use parking_lot::Mutex as SyncMutex;
use pyo3::prelude::*;
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::aio::telling::Teller;
use crate::reading::Reading;
use crate::rebalances::Callbacks;

/// A reading whose topics are assigned at its first use.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) reading: Reading,
    pub(super) topics: Option<Vec<String>>,
}

impl Shared {
    pub(super) async fn ready(&mut self) -> headwater::Result<&mut Reading> {
        if let Some(topics) = &self.topics {
            let names: Vec<&str> = topics.iter().map(String::as_str).collect();
            self.reading.consumer().await?.assign_topics(&names).await?;
            self.topics = None;
        }
        Ok(&mut self.reading)
    }
}

/// A batch, and the reading that it came from.
pub(super) type FetchedBatches = (OwnedMutexGuard<Shared>, Option<headwater::Batch>);

/// Keeps a batch that nobody waited for any more for who comes next.
pub(super) fn take_back((mut shared, batch): FetchedBatches) {
    if let Some(batch) = batch {
        shared.reading.take_back(batch);
    }
}

/// Reads for one call.
pub(super) struct Reader {
    pub(super) shared: Arc<Mutex<Shared>>,
    pub(super) callbacks: Arc<SyncMutex<Callbacks>>,
    pub(super) teller: Teller,
}

impl Reader {
    pub(super) async fn lock(&self) -> OwnedMutexGuard<Shared> {
        Arc::clone(&self.shared).lock_owned().await
    }

    /// Tells all rebalances that are to be told. Nothing is locked meanwhile: who is told may commit and seek.
    pub(super) async fn tell(
        &self,
        mut shared: OwnedMutexGuard<Shared>,
    ) -> headwater::Result<OwnedMutexGuard<Shared>> {
        while let Some(rebalance) = shared.reading.next_rebalance()? {
            let function = Python::attach(|py| self.callbacks.lock().of(py, &rebalance));
            if let Some(function) = function {
                drop(shared);
                self.teller.tell(function, rebalance).await?;
                shared = self.lock().await;
            }
        }
        Ok(shared)
    }

    /// Tells that the partitions are given up, before they are. The second result is what a function raised.
    pub(super) async fn tell_leaving(
        &self,
        mut shared: OwnedMutexGuard<Shared>,
    ) -> headwater::Result<(OwnedMutexGuard<Shared>, headwater::Result<()>)> {
        shared.reading.prepare_leave().await?;
        match self.tell(shared).await {
            Ok(shared) => Ok((shared, Ok(()))),
            Err(error) => Ok((self.lock().await, Err(error))),
        }
    }
}
