//! The current view of a log: readers copy it, and a change replaces it.

use std::sync::atomic::{AtomicI64, Ordering};

use headwater_env::Env;
use headwater_record::Offset;
use parking_lot::RwLock;

use crate::error::ReadError;
use crate::view::LogView;

/// The current view, and the first unstable offset.
#[derive(Debug)]
pub(crate) struct PublishedView<E: Env> {
    view: RwLock<LogView<E>>,
    /// The result of [`first_unstable_offset`](Self::first_unstable_offset); `i64::MAX` for none.
    first_unstable_offset: AtomicI64,
}

/// The right to publish. A log has one, which its append lock guards.
#[derive(Debug)]
pub(crate) struct PublishToken(());

impl<E: Env> PublishedView<E> {
    /// Publishes the first view.
    pub(crate) fn new(view: LogView<E>) -> (Self, PublishToken) {
        view.assert_order();
        let published = Self {
            view: RwLock::new(view),
            first_unstable_offset: AtomicI64::new(i64::MAX),
        };
        (published, PublishToken(()))
    }

    /// The current view.
    pub(crate) fn now(&self) -> LogView<E> {
        self.view.read().clone()
    }

    pub(crate) fn log_start_offset(&self) -> Offset {
        self.view.read().log_start_offset()
    }

    pub(crate) fn log_end_offset(&self) -> Offset {
        self.view.read().log_end_offset()
    }

    /// The base offset of the oldest segment.
    pub(crate) fn first_base_offset(&self) -> Offset {
        self.view.read().segments().list()[0].base_offset()
    }

    /// Runs a read, and repeats it if segments were truncated or removed meanwhile.
    pub(crate) fn read<T>(
        &self,
        read: impl Fn(&LogView<E>) -> Result<T, ReadError>,
    ) -> Result<T, ReadError> {
        loop {
            let view = self.now();
            let result = read(&view);
            if view.is_valid_in(&self.view.read()) {
                return result;
            }
        }
    }

    /// Replaces the view by a changed one.
    pub(crate) fn publish(&self, _: &mut PublishToken, change: impl FnOnce(&mut LogView<E>)) {
        let mut view = self.view.write();
        let mut next = view.clone();
        change(&mut next);
        next.assert_follows(&view);
        *view = next;
    }

    /// The first offset of a transaction that is open, or whose end is not below the high watermark. The result is
    /// valid for a high watermark that was read before the call.
    pub(crate) fn first_unstable_offset(&self) -> Option<Offset> {
        let first = self.first_unstable_offset.load(Ordering::SeqCst);
        (first != i64::MAX).then(|| Offset::new(first))
    }

    /// Replaces the first unstable offset. Call it before publishing the records of new transactions.
    pub(crate) fn publish_first_unstable(&self, _: &mut PublishToken, first: Option<Offset>) {
        let first = first.map_or(i64::MAX, Offset::get);
        self.first_unstable_offset.store(first, Ordering::SeqCst);
    }
}
