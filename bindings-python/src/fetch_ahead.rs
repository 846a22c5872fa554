//! A consumer that fetches the next batch in the engine's runtime while Python works on the one before.

use std::sync::Arc;

use headwater::{Batch, BatchStream, Consumer, Error, ErrorKind, Result};
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// Where the consumer is.
#[derive(Debug)]
pub(crate) enum Source {
    /// With its reader.
    Here(Box<Consumer>),
    /// In a task that fetches one batch.
    Away(Errand),
    /// Nowhere: the task died.
    Lost,
}

/// A task that has the consumer, and brings it back.
#[derive(Debug)]
pub(crate) struct Errand {
    task: JoinHandle<(Box<Consumer>, FetchedBatches)>,
    stop: Arc<Notify>,
    stream: BatchStream,
}

/// What a task has fetched: `None` if it was stopped before there was anything.
type FetchedBatches = Option<Result<Option<Batch>>>;

impl Drop for Errand {
    /// Nobody waits for it any more.
    fn drop(&mut self) {
        self.stop.notify_one();
    }
}

impl Source {
    pub(crate) fn new(consumer: Consumer) -> Self {
        Self::Here(Box::new(consumer))
    }

    /// The consumer, which must not be away.
    pub(crate) fn here(&mut self) -> Result<&mut Consumer> {
        match self {
            Self::Here(consumer) => Ok(consumer),
            _ => Err(Error::new(
                ErrorKind::Closed,
                "The consumer failed while it fetched: make a new one to read on.",
            )),
        }
    }

    /// Whether a task fetches for this stream.
    pub(crate) fn fetches(&self, stream: &BatchStream) -> bool {
        matches!(self, Self::Away(errand) if errand.stream.is(stream))
    }

    /// The next batch, from the task if there is one.
    pub(crate) async fn next_batch(&mut self, stream: &BatchStream) -> Result<Option<Batch>> {
        if let Some(fetched) = self.arrive().await? {
            return fetched;
        }
        self.here()?.next_batch(stream).await
    }

    /// Stops the task, if there is one, and returns what it has fetched. An error that it met will be met again; a wake-up is
    /// kept for the next call that waits.
    pub(crate) async fn come_back(&mut self) -> Result<Option<Batch>> {
        if let Self::Away(errand) = self {
            errand.stop.notify_one();
        }
        match self.arrive().await? {
            Some(Err(error)) if error.kind() == ErrorKind::Wakeup => {
                self.here()?.wakeup_handle().wakeup();
                Ok(None)
            }
            fetched => Ok(fetched.and_then(Result::ok).flatten()),
        }
    }

    /// Waits until the consumer is here. Dropping the future loses nothing.
    async fn arrive(&mut self) -> Result<FetchedBatches> {
        let Self::Away(errand) = self else {
            return Ok(None);
        };
        let arrived = (&mut errand.task).await;
        let (source, fetched) = match arrived {
            Ok((consumer, fetched)) => (Self::Here(consumer), fetched),
            Err(_) => (Self::Lost, None),
        };
        *self = source;
        self.here()?;
        Ok(fetched)
    }

    /// Sends the consumer for the next batch of this stream.
    pub(crate) fn fetch_ahead(&mut self, runtime: &Handle, stream: &BatchStream) {
        let mut consumer = match std::mem::replace(self, Self::Lost) {
            Self::Here(consumer) => consumer,
            other => {
                *self = other;
                return;
            }
        };
        let stop = Arc::new(Notify::new());
        let stopped = Arc::clone(&stop);
        let stream = stream.clone();
        let asked = stream.clone();
        let task = runtime.spawn(async move {
            let fetched = tokio::select! {
                biased;
                batch = consumer.next_batch(&asked) => Some(batch),
                () = stopped.notified() => None,
            };
            (consumer, fetched)
        });
        *self = Self::Away(Errand { task, stop, stream });
    }
}
