//! Keeping long work from holding up other connections.

use std::time::{Duration, Instant};

use headwater_protocol::ApiKey;
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::block_in_place;

/// What runs longer than this should not hold a thread on which other connections wait.
const LONG: Duration = Duration::from_millis(1);

/// These wait for a disk, always or nearly so.
const DURABLE: [ApiKey; 8] = [
    ApiKey::CreateTopics,
    ApiKey::DeleteTopics,
    ApiKey::DeleteRecords,
    ApiKey::CreatePartitions,
    ApiKey::AlterConfigs,
    ApiKey::IncrementalAlterConfigs,
    ApiKey::AlterUserScramCredentials,
    ApiKey::SaslAuthenticate,
];

/// Decides which requests of one connection run on its thread as they come, and for which the thread's other connections are first handed
/// to another thread.
///
/// A small produce takes microseconds, a hop to another thread more; one that waits for an fsync takes milliseconds. Which of them comes
/// next is best told by the last one of its API: a connection mostly does the same again.
#[derive(Debug)]
pub(crate) struct Pace {
    can_step_aside: bool,
    long: Vec<ApiKey>,
}

impl Pace {
    /// For a connection on the runtime that is entered.
    pub(crate) fn new() -> Self {
        Self {
            can_step_aside: Handle::current().runtime_flavor() == RuntimeFlavor::MultiThread,
            long: Vec::new(),
        }
    }

    /// Does the work of a request of `api`.
    pub(crate) fn run<T>(&mut self, api: ApiKey, work: impl FnOnce() -> T) -> T {
        let is_long = DURABLE.contains(&api) || self.long.contains(&api);
        let begun = Instant::now();
        let done = if is_long && self.can_step_aside {
            block_in_place(work)
        } else {
            work()
        };
        self.note(api, begun.elapsed());
        done
    }

    fn note(&mut self, api: ApiKey, took: Duration) {
        let known = self.long.iter().position(|long| *long == api);
        match known {
            Some(at) if took < LONG => {
                self.long.swap_remove(at);
            }
            None if took >= LONG => self.long.push(api),
            _ => {}
        }
    }
}
