//! Decides whether a failed request is retried. All retries go through here.

use std::future::Future;
use std::time::Instant;

use super::Cluster;
use super::topic_metadata::TopicMetadata;
use crate::error::{Error, ErrorKind, Result};
use crate::error_codes::{Remedy, remedy};

/// Whether another attempt may help after this error, judged by the error alone.
pub(crate) fn can_retry(error: &Error) -> bool {
    let has_remedy = !matches!(remedy(error.code()), Remedy::RenewProducer | Remedy::None);
    error.is_retriable() && error.kind() != ErrorKind::Closed && has_remedy
}

/// Whether no broker has responded.
pub(super) fn is_unanswered(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Transport | ErrorKind::Timeout)
}

impl Cluster {
    /// Calls `attempt` until it succeeds, fails with an error that is not retriable, or `default.api.timeout.ms` has
    /// passed. Refreshes `topic` if its leaders have changed.
    pub(crate) async fn retried<T, F: Future<Output = Result<T>>>(
        &self,
        topic: Option<&str>,
        mut attempt: impl FnMut() -> F,
    ) -> Result<T> {
        let deadline = Instant::now() + self.config.api_timeout;
        let mut last = None;
        let mut attempts = 0;
        loop {
            let used = topic.and_then(|topic| self.metadata.known(topic));
            let error = match tokio::time::timeout_at(deadline.into(), attempt()).await {
                Ok(Ok(value)) => return Ok(value),
                Ok(Err(error)) => error,
                Err(_) => return Err(last.unwrap_or_else(|| self.api_timeout_error())),
            };
            if self.has_named_leader(&error, used.as_deref()) {
                last = Some(error);
                continue;
            }
            attempts += 1;
            let pause = self.config.retry.jittered_pause(attempts);
            if Instant::now() + pause >= deadline {
                return Err(self.located(error));
            }
            self.prepare_retry(&error, topic).await?;
            tokio::time::sleep(pause).await;
            last = Some(error);
        }
    }

    /// Calls `attempt` again while no broker responds or the topic has no leaders yet, until `deadline`. Returns the
    /// last error.
    pub(crate) async fn until_ready<T, F: Future<Output = Result<T>>>(
        &self,
        deadline: Instant,
        mut attempt: impl FnMut() -> F,
    ) -> Result<T> {
        let mut attempts = 0;
        loop {
            let error = match attempt().await {
                Err(error) if self.may_retry(&error) => error,
                ended => return ended,
            };
            attempts += 1;
            let pause = self.config.retry.jittered_pause(attempts);
            if Instant::now() + pause >= deadline {
                return Err(error);
            }
            tokio::time::sleep(pause).await;
        }
    }

    /// Whether the response with this error had a leader of a later epoch than that of `used`, the metadata before the
    /// attempt.
    fn has_named_leader(&self, error: &Error, used: Option<&TopicMetadata>) -> bool {
        let (Some(used), Some(partition)) = (used, error.partition()) else {
            return false;
        };
        remedy(error.code()) == Remedy::FindLeader && self.knows_later_leader(used, partition)
    }

    /// Fails if a retry after `error` cannot help. The caller refreshes the metadata, and backs off.
    pub(crate) fn check_retry(&self, error: &Error) -> Result<()> {
        if !self.may_retry(error) {
            return Err(self.located(error.clone()));
        }
        self.counters.count_retry();
        Ok(())
    }

    /// Prepares a retry after `error`: refreshes the leaders of `topic`, or the controller. Fails if a retry cannot
    /// help. The caller backs off.
    pub(crate) async fn prepare_retry(&self, error: &Error, topic: Option<&str>) -> Result<()> {
        self.prepare_retry_since(error, topic, Instant::now()).await
    }

    /// [`Cluster::prepare_retry`] after a failure at `failed_at`. Does not repeat a metadata request that was sent
    /// since then, so that the retries after one failed request share a refresh.
    pub(crate) async fn prepare_retry_since(
        &self,
        error: &Error,
        topic: Option<&str>,
        failed_at: Instant,
    ) -> Result<()> {
        let remedied = self.find_remedy(error, topic, failed_at).await;
        remedied.map_err(|error| self.located(error))?;
        self.counters.count_retry();
        Ok(())
    }

    async fn find_remedy(
        &self,
        error: &Error,
        topic: Option<&str>,
        failed_at: Instant,
    ) -> Result<()> {
        if !self.may_retry(error) {
            return Err(error.clone());
        }
        let topic = topic.or(error.topic());
        match remedy(error.code()) {
            Remedy::Retry => Ok(()),
            Remedy::FindLeader => match topic {
                Some(topic) => self.find_leader(topic, failed_at).await,
                // The controller, a coordinator or any broker: it may have moved.
                None => self.find_controller().await,
            },
            Remedy::FindAnotherLeader => {
                let before = self.known_leader(topic, error);
                if let Some(topic) = topic {
                    self.try_refresh_topic(topic).await?;
                }
                if self.known_leader(topic, error) == before {
                    return Err(error.clone());
                }
                Ok(())
            }
            Remedy::FindController => self.find_controller().await,
            Remedy::RenewProducer | Remedy::None => Err(error.clone()),
        }
    }

    /// Whether another attempt may help after this error. Not if it is about a topic that no broker has: such an error
    /// comes from a request to all brokers, or to the controller.
    fn may_retry(&self, error: &Error) -> bool {
        let is_nowhere = error.kind() == ErrorKind::UnknownTopicOrPartition
            && error.partition().is_none()
            && error
                .topic()
                .is_some_and(|topic| !self.expects_topic(topic));
        can_retry(error) && !is_nowhere
    }

    /// Refreshes the brokers and the controller. Without a response the next attempt uses the cached controller.
    async fn find_controller(&self) -> Result<()> {
        match self.refresh_brokers().await {
            Err(failure) if failure.kind() == ErrorKind::Closed => Err(failure),
            _ => Ok(()),
        }
    }

    /// Refreshes the leaders of a topic. Fails if the topic does not exist, unless it was recently created or known:
    /// then the broker may lag behind.
    async fn find_leader(&self, topic: &str, failed_at: Instant) -> Result<()> {
        match self.try_refresh_topic_since(topic, failed_at).await {
            Err(error)
                if error.kind() == ErrorKind::UnknownTopicOrPartition
                    && self.expects_topic(topic) =>
            {
                Ok(())
            }
            refreshed => refreshed.map(drop),
        }
    }

    /// The cached leader of the partition of `error`.
    fn known_leader(&self, topic: Option<&str>, error: &Error) -> Option<i32> {
        let topic = self.metadata.known(topic?)?;
        topic.leader(error.partition()?).ok().flatten()
    }

    fn api_timeout_error(&self) -> Error {
        Error::new(
            ErrorKind::Timeout,
            format!(
                "The call did not finish within {} ms: raise default.api.timeout.ms, or check the broker.",
                self.config.api_timeout.as_millis()
            ),
        )
    }
}
