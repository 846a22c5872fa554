//! The decision on metadata changes, by one broker or by several.

use std::fmt;
use std::sync::Arc;

use headwater_env::Env;
use headwater_log::ChangeError;
use headwater_metadata::{Image, MetadataRecord};
use headwater_record::Offset;
use parking_lot::Mutex;

use crate::metadata_log::{CommitError, MetadataLog};

/// A decided change.
#[derive(Debug, Clone)]
pub(crate) struct Decision {
    /// The image after the change.
    pub(crate) image: Arc<Image>,
    /// The end of the metadata log after the change (exclusive).
    pub(crate) log_end_offset: Offset,
}

/// Called once, with the decision or with the reason why the change is not made.
pub(crate) type OnDecision = Box<dyn FnOnce(Result<Decision, CommitError>) + Send>;

/// Decides on metadata changes: a decided change is durable and is never undone. An implementation may decide before
/// [`propose`](Self::propose) returns or later, in any thread.
pub(crate) trait Quorum: fmt::Debug + Send + Sync {
    /// The last decided change.
    fn decided(&self) -> Decision;

    /// The image after all changes that were proposed so far. The next change is planned on it.
    fn proposed_image(&self) -> Arc<Image>;

    /// Proposes `records` as one change of the [proposed image](Self::proposed_image). The decisions are reported in
    /// the order of the proposals. Callers propose one change at a time.
    fn propose(&self, records: Vec<MetadataRecord>, on_decision: OnDecision);

    /// Closes the metadata log cleanly.
    fn close(&self) -> Result<(), ChangeError>;
}

/// The quorum of a single broker: a change is decided when it is on this broker's disk, before `propose` returns.
#[derive(Debug)]
pub(crate) struct LocalQuorum<E: Env> {
    env: E,
    log: Arc<MetadataLog<E>>,
    image: Mutex<Arc<Image>>,
}

impl<E: Env> LocalQuorum<E> {
    /// A quorum over `log`, whose changes led to `image`.
    pub(crate) fn new(env: E, log: Arc<MetadataLog<E>>, image: Image) -> Self {
        Self {
            env,
            log,
            image: Mutex::new(Arc::new(image)),
        }
    }

    fn commit(&self, records: &[MetadataRecord]) -> Result<Decision, CommitError> {
        let mut image = self.image.lock();
        let mut next = (**image).clone();
        self.log
            .commit(&mut next, records, self.env.wall_clock_ms())?;
        *image = Arc::new(next);
        Ok(Decision {
            image: Arc::clone(&image),
            log_end_offset: self.log.log_end_offset(),
        })
    }
}

impl<E: Env> Quorum for LocalQuorum<E> {
    fn decided(&self) -> Decision {
        Decision {
            image: self.proposed_image(),
            log_end_offset: self.log.log_end_offset(),
        }
    }

    fn proposed_image(&self) -> Arc<Image> {
        Arc::clone(&self.image.lock())
    }

    fn propose(&self, records: Vec<MetadataRecord>, on_decision: OnDecision) {
        on_decision(self.commit(&records));
    }

    fn close(&self) -> Result<(), ChangeError> {
        self.log.close().map(drop)
    }
}
