//! How the calls of a consumer read, one after the other.

use std::sync::Arc;

use headwater::{Event, Operation, Rebalance};
use parking_lot::Mutex as SyncMutex;
use pyo3::prelude::*;
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::aio::telling::Teller;
use crate::reading::Reading;
use crate::rebalances::Callbacks;

/// What an operation has brought, and the reading that it came from.
pub(super) type Done = (OwnedMutexGuard<Reading>, Event);

/// Keeps records that nobody waited for any more for who comes next.
pub(super) fn take_back((mut reading, _): Done) {
    reading.consumer.take_back();
}

/// Reads for one call.
pub(super) struct Reader {
    pub(super) reading: Arc<Mutex<Reading>>,
    pub(super) callbacks: Arc<SyncMutex<Callbacks>>,
    pub(super) teller: Teller,
}

impl Reader {
    async fn lock(&self) -> OwnedMutexGuard<Reading> {
        Arc::clone(&self.reading).lock_owned().await
    }

    /// Runs an operation until it is done. The functions of the subscription hear of rebalances meanwhile, while nothing is locked: they may
    /// commit and seek.
    pub(super) async fn run(&self, operation: &Operation) -> headwater::Result<Done> {
        loop {
            let mut reading = self.lock().await;
            match reading.consumer.next_event(operation).await? {
                Event::Rebalance(rebalance) => {
                    drop(reading);
                    self.report(rebalance).await?;
                }
                event => return Ok((reading, event)),
            }
        }
    }

    /// [`Reader::run`] that gives the partitions up in any case, and fails afterwards if a function did.
    pub(super) async fn leave(&self, operation: &Operation) -> headwater::Result<()> {
        let mut reported = Ok(());
        loop {
            let event = self.lock().await.consumer.next_event(operation).await?;
            let Event::Rebalance(rebalance) = event else {
                return reported;
            };
            if reported.is_ok() {
                reported = self.report(rebalance).await;
            }
        }
    }

    async fn report(&self, rebalance: Rebalance) -> headwater::Result<()> {
        match Python::attach(|py| self.callbacks.lock().of(py, &rebalance)) {
            Some(function) => self.teller.tell(function, rebalance).await,
            None => Ok(()),
        }
    }
}
