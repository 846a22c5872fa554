//! The broker: one data directory and the requests that it answers.

use std::path::Path;
use std::sync::Arc;

use headwater_env::Env;
use headwater_metadata::BrokerConfig;
use headwater_protocol::{Request, Response};

use crate::{OpenError, OpenReport, RequestContext};

/// A broker over one data directory. A clone is the same broker; all methods may be called from any thread at once.
#[derive(Debug, Clone)]
pub struct Broker<E: Env> {
    shared: Arc<Shared<E>>,
}

#[derive(Debug)]
struct Shared<E: Env> {
    env: E,
}

impl<E: Env> Broker<E> {
    /// Opens `data_dir`, making it if it does not exist, and recovers what a crash left. On an error nothing in it was changed.
    pub fn open(
        env: E,
        data_dir: &Path,
        config: BrokerConfig,
    ) -> Result<(Self, OpenReport), OpenError> {
        let _ = (env, data_dir, config);
        todo!()
    }

    /// Answers one request. Errors are Kafka's codes inside the response.
    pub async fn handle(&self, context: &RequestContext, request: Request) -> Response {
        let _ = (context, request);
        todo!()
    }

    /// Runs housekeeping (retention, flushing, delayed deletes, checkpoints, storage limits) on `runtime` until the broker is closed.
    pub fn spawn_housekeeping(&self, runtime: &tokio::runtime::Handle) {
        let _ = runtime;
        todo!()
    }

    /// One round of housekeeping, all of it, now. For tests and for owners without a runtime.
    pub fn housekeeping(&self) {
        todo!()
    }

    /// Flushes everything and leaves the directory clean for the next open. Requests after it are refused. A second call does nothing.
    pub fn close(&self) {
        todo!()
    }
}
