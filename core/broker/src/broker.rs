//! The broker: one data directory and the requests that it answers.

use std::path::Path;
use std::sync::Arc;

use headwater_env::Env;
use headwater_metadata::{BrokerConfig, NodeId, ScramCredential, ScramMechanism};
use headwater_protocol::{ProduceRequest, ProduceResponse, Request, Response};

use crate::counters::DeletionCounts;
use crate::groups::alarm;
use crate::housekeeping::{self, Task};
use crate::listeners::{ListenerRegistration, OpenListener};
use crate::memory::Memory;
use crate::state::State;
use crate::{CloseError, DirectoryLost, OpenError, OpenReport, RequestContext, api, open};

/// A broker over one data directory. A clone is the same broker; all methods may be called from any thread at once.
///
/// Dropping the last clone without [`close`](Self::close) is like a crash: nothing acknowledged is lost, the next open recovers.
#[derive(Debug, Clone)]
pub struct Broker<E: Env> {
    state: Arc<State<E>>,
}

impl<E: Env> Broker<E> {
    /// Opens `data_dir`, making it if it does not exist, and recovers what a crash left. On an error no record in it was harmed.
    pub fn open(
        env: E,
        data_dir: &Path,
        config: BrokerConfig,
    ) -> Result<(Self, OpenReport), OpenError> {
        let (state, report) = open::open(env, data_dir, config)?;
        Ok((
            Self {
                state: Arc::new(state),
            },
            report,
        ))
    }

    /// Answers one request. Errors are Kafka's codes inside the response.
    ///
    /// All work is done in the thread that polls. Only a fetch that has to wait for records is pending after its first poll, and must then
    /// be polled inside a Tokio runtime with time, and a member that has to wait for the others of its group. A request of an API that this broker does not serve (see [`served`](Self::served)) is
    /// answered as Kafka does: with an `ApiVersions` response and `UNSUPPORTED_VERSION`.
    pub async fn handle(&self, context: &RequestContext, request: Request) -> Response {
        api::handle(&self.state, context, request).await
    }

    /// Answers Produce requests that a client sent one after the other, in their order: as [`handle`](Self::handle) would each of them,
    /// but what goes to one partition is written together where it can be.
    pub fn produce(
        &self,
        context: &RequestContext,
        requests: Vec<ProduceRequest>,
    ) -> Vec<ProduceResponse> {
        api::produce::handle_run(&self.state, context, requests)
    }

    /// The APIs that this broker answers.
    pub fn served() -> &'static [headwater_protocol::ApiKey] {
        api::SERVED
    }

    /// The number of this broker.
    pub fn node_id(&self) -> NodeId {
        self.state.node_id
    }

    /// The identity of the cluster: 22 letters, made with the directory.
    pub fn cluster_id(&self) -> &str {
        &self.state.cluster_id
    }

    /// What its owner gave it when it was opened.
    pub fn config(&self) -> &BrokerConfig {
        &self.state.static_config
    }

    /// The account of what the requests of all clients hold.
    pub fn memory(&self) -> &Arc<Memory> {
        &self.state.memory
    }

    /// Shows the listeners of a server in the broker's configuration, as long as the registration is kept.
    pub fn register_listeners(&self, listeners: Vec<OpenListener>) -> ListenerRegistration {
        self.state.listeners.register(listeners)
    }

    /// What proves the password of `user` with `mechanism`. `AlterUserScramCredentials` sets it.
    pub fn scram_credential(
        &self,
        user: &str,
        mechanism: ScramMechanism,
    ) -> Option<ScramCredential> {
        let image = self.state.image();
        image.scram_credential(user, mechanism).cloned()
    }

    /// What left the logs since the broker was opened.
    pub fn deletions(&self) -> DeletionCounts {
        self.state.counters.deletions()
    }

    /// Runs housekeeping (retention, compaction, flushing, delayed deletes, checkpoints, storage limits) and the time-outs of groups on `runtime` until the broker is closed or
    /// its last clone is dropped.
    pub fn spawn_housekeeping(&self, runtime: &tokio::runtime::Handle) {
        let state = Arc::downgrade(&self.state);
        runtime.spawn(housekeeping::run(state.clone(), runtime.clone()));
        runtime.spawn(housekeeping::cleaner::run(state.clone(), runtime.clone()));
        runtime.spawn(alarm::run(state, runtime.clone()));
    }

    /// One round of housekeeping, all of it, now. For tests and for owners without a runtime.
    pub fn housekeeping(&self) {
        self.state.run_tasks(&Task::ALL);
        self.state.clean_logs();
    }

    /// Whether the broker was given up, because its directory was removed or replaced.
    pub fn check_lost(&self) -> Result<(), DirectoryLost> {
        self.state.lost.get().cloned().map_or(Ok(()), Err)
    }

    /// Looks whether the path still leads to the directory that was opened. If not, the broker is given up: it refuses requests and writes
    /// nothing any more.
    pub fn check_directory(&self) -> Result<(), DirectoryLost> {
        self.state.check_directory()
    }

    /// As [`check_directory`](Self::check_directory), unless it was called a moment ago: for produces.
    pub fn check_directory_if_due(&self) -> Result<(), DirectoryLost> {
        self.state.check_directory_if_due()
    }

    /// As [`check_directory`](Self::check_directory), and looks whether the directory was emptied. Housekeeping does so every second.
    pub fn check_files(&self) -> Result<(), DirectoryLost> {
        self.state.check_files()
    }

    /// Flushes everything, leaves the directory clean for the next open, and gives up its lock. Requests after it are refused, fetches
    /// that wait return. A second call does nothing.
    pub fn close(&self) -> Result<(), CloseError> {
        self.state.close()
    }
}
