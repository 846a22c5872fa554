//! Offloads long requests, so that they do not block other connections.

use std::time::{Duration, Instant};

use headwater_protocol::ApiKey;
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::block_in_place;

/// Requests that take longer are offloaded.
const LONG: Duration = Duration::from_millis(1);

/// APIs that usually wait for the disk.
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

/// Decides which requests of a connection run directly on its thread, and which are offloaded: the thread's other
/// connections then move to another thread first.
///
/// A small produce takes microseconds, less than a switch to another thread; a produce that waits for an fsync takes
/// milliseconds. The prediction is the duration of the connection's last request of the same API.
#[derive(Debug)]
pub(crate) struct Offload {
    can_step_aside: bool,
    long: Vec<ApiKey>,
}

impl Offload {
    /// For a connection on the current runtime.
    pub(crate) fn new() -> Self {
        Self {
            can_step_aside: Handle::current().runtime_flavor() == RuntimeFlavor::MultiThread,
            long: Vec::new(),
        }
    }

    /// Runs the work of a request of `api`.
    pub(crate) fn run<T>(&mut self, api: ApiKey, work: impl FnOnce() -> T) -> T {
        let is_long = DURABLE.contains(&api) || self.long.contains(&api);
        let started = Instant::now();
        let done = if is_long && self.can_step_aside {
            block_in_place(work)
        } else {
            work()
        };
        self.note(api, started.elapsed());
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
