//! Starts alternatives one after the other with a delay, and returns the first success.

use std::future::Future;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;

/// Polls the first attempt; starts the next one when an attempt fails, or `stagger` after the last start. Returns the
/// first success, or all failures in the order of their arrival. Drops the attempts that are still running at the first
/// success.
pub(crate) async fn race<T, E, F: Future<Output = Result<T, E>>>(
    attempts: impl IntoIterator<Item = F>,
    stagger: Duration,
) -> Result<T, Vec<E>> {
    let mut attempts = attempts.into_iter().fuse();
    let mut running: FuturesUnordered<F> = attempts.next().into_iter().collect();
    let mut failures = Vec::new();
    loop {
        let finished = tokio::time::timeout(stagger, running.next()).await;
        match finished {
            Ok(Some(Ok(success))) => return Ok(success),
            Ok(Some(Err(failure))) => failures.push(failure),
            Ok(None) | Err(_) => {}
        }
        match attempts.next() {
            Some(attempt) => running.push(attempt),
            None if running.is_empty() => return Err(failures),
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};
    use std::pin::Pin;

    use tokio::time::Instant;

    use super::*;

    type Attempt = Pin<Box<dyn Future<Output = Result<u32, &'static str>>>>;

    const STAGGER: Duration = Duration::from_millis(250);

    #[tokio::test(start_paused = true)]
    async fn an_attempt_that_hangs_does_not_delay_the_next() {
        let started = Instant::now();
        let attempts: [Attempt; 3] = [
            Box::pin(pending()),
            Box::pin(ready(Err("refused"))),
            Box::pin(ready(Ok(3))),
        ];
        assert_eq!(race(attempts, STAGGER).await, Ok(3));
        assert_eq!(started.elapsed(), STAGGER);
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_attempt_may_still_win() {
        let slow = async {
            tokio::time::sleep(STAGGER * 10).await;
            Ok(1)
        };
        let attempts: [Attempt; 2] = [Box::pin(slow), Box::pin(ready(Err("refused")))];
        assert_eq!(race(attempts, STAGGER).await, Ok(1));
    }

    #[tokio::test(start_paused = true)]
    async fn all_failures_are_returned() {
        let attempts: [Attempt; 2] = [Box::pin(ready(Err("one"))), Box::pin(ready(Err("two")))];
        assert_eq!(race(attempts, STAGGER).await, Err(vec!["one", "two"]));
        let none: [Attempt; 0] = [];
        assert_eq!(race(none, STAGGER).await, Err(vec![]));
    }
}
