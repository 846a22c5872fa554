//! What a send returns: a receipt that becomes a result.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::error::Result;
use crate::producer::RecordMetadata;

/// The future of one record. Light: a pointer to its batch and a number.
///
/// Waiting for it, by `.await` or [`SendHandle::wait`], sends its batch at once: nobody waits for `linger.ms`. Dropping it is
/// allowed and does not stop the record.
#[derive(Debug)]
#[must_use = "the result of the record comes from its handle"]
pub struct SendHandle {}

impl SendHandle {
    /// The result, if it is there.
    pub fn try_result(&self) -> Option<Result<RecordMetadata>> {
        todo!()
    }

    /// Sends the batch and waits in this thread. Not for threads of a tokio runtime: there `.await` it.
    pub fn wait(self) -> Result<RecordMetadata> {
        todo!()
    }
}

impl Future for SendHandle {
    type Output = Result<RecordMetadata>;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        todo!()
    }
}
