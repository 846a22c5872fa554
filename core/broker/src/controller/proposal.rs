//! Plans and proposes metadata changes.

use std::sync::Arc;

use headwater_env::Env;
use headwater_metadata::{Image, MetadataRecord};
use parking_lot::MutexGuard;
use tokio::sync::oneshot;

use super::Controller;
use super::quorum::Decision;
use crate::metadata_log::CommitError;

/// The turn to change the metadata: changes are planned and proposed one after the other. It must not be held while a
/// proposal is awaited.
#[derive(Debug)]
pub(crate) struct Changes<'a, E: Env> {
    pub(super) controller: &'a Arc<Controller<E>>,
    _turn: MutexGuard<'a, ()>,
}

/// A proposed change.
#[derive(Debug)]
#[must_use = "a change is acknowledged when it is decided"]
pub(crate) struct Proposal {
    result: oneshot::Receiver<Result<(), CommitError>>,
}

impl<'a, E: Env> Changes<'a, E> {
    pub(super) fn new(controller: &'a Arc<Controller<E>>, turn: MutexGuard<'a, ()>) -> Self {
        Self {
            controller,
            _turn: turn,
        }
    }

    /// The image after all earlier changes.
    pub(crate) fn image(&self) -> Arc<Image> {
        self.controller.quorum.proposed_image()
    }

    /// Proposes `records` as one durable change. When it is decided, its image is published; then `then` gets the
    /// result, even if the proposal was dropped. After an error nothing is published.
    pub(crate) fn propose(
        &mut self,
        records: Vec<MetadataRecord>,
        then: impl FnOnce(&Result<(), CommitError>) + Send + 'static,
    ) -> Proposal {
        let (sender, receiver) = oneshot::channel();
        let finish = move |result: Result<(), CommitError>| {
            then(&result);
            // The proposer may be gone.
            let _ = sender.send(result);
        };
        if !self.controller.partitions.is_open() {
            finish(Err(CommitError::Closed));
        } else if records.is_empty() {
            finish(Ok(()));
        } else {
            let controller = Arc::clone(self.controller);
            let on_decision = move |decision: Result<Decision, CommitError>| {
                finish(decision.map(|decision| controller.publish(decision)));
            };
            self.controller
                .quorum
                .propose(records, Box::new(on_decision));
        }
        Proposal { result: receiver }
    }
}

impl Proposal {
    /// Returns when the change is decided.
    pub(crate) async fn decided(self) -> Result<(), CommitError> {
        // A quorum that ends without a decision drops the sender.
        self.result.await.unwrap_or(Err(CommitError::Closed))
    }
}
