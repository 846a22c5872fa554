//! The broker: serves Kafka's requests from one data directory.

use std::path::Path;
use std::sync::Arc;

use headwater_env::Env;
use headwater_metadata::{BrokerConfig, NodeId, ScramCredential, ScramMechanism};
use headwater_protocol::{ProduceRequest, ProduceResponse, Request, Response};

use crate::counters::DeletionCounts;
use crate::groups::alarm;
use crate::housekeeping::{self, Task};
use crate::listeners::{ListenerRegistration, OpenListener};
use crate::memory::RequestMemory;
use crate::state::State;
use crate::{CloseError, DirectoryLost, OpenError, OpenReport, RequestContext, api, close, open};

/// A broker over one data directory. Clones share the broker; all methods may be called from any thread concurrently.
///
/// Dropping the last clone without [`close`](Self::close) is like a crash: no acknowledged data is lost, and the next
/// open recovers.
#[derive(Debug, Clone)]
pub struct Broker<E: Env> {
    state: Arc<State<E>>,
}

impl<E: Env> Broker<E> {
    /// Opens `data_dir`, creates it if it does not exist, and recovers after a crash. An error leaves all records
    /// intact.
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

    /// Handles one request. Errors are Kafka's codes inside the response.
    ///
    /// The handler runs in the thread that polls it. Only a fetch that waits for records, or a group member that waits
    /// for others, is pending after its first poll; such a fetch must be polled in a Tokio runtime with time enabled. A
    /// request of an unsupported API (see [`served`](Self::served)) gets Kafka's response: an `ApiVersions` response
    /// with `UNSUPPORTED_VERSION`.
    pub async fn handle(&self, context: &RequestContext, request: Request) -> Response {
        api::handle(&self.state, context, request).await
    }

    /// Handles Produce requests of one client in their order. The responses are those of [`handle`](Self::handle);
    /// batches for one partition are written together where possible.
    pub fn produce(
        &self,
        context: &RequestContext,
        requests: Vec<ProduceRequest>,
    ) -> Vec<ProduceResponse> {
        let components = api::produce::Components {
            partitions: &self.state.partitions,
            storage: &self.state.storage,
            controller: &self.state.controller,
            memory: &self.state.memory,
            directory_watch: &self.state.directory_watch,
        };
        api::produce::handle_run(&components, context, requests)
    }

    /// The supported APIs.
    pub fn served() -> &'static [headwater_protocol::ApiKey] {
        api::SERVED
    }

    /// The id of this broker.
    pub fn node_id(&self) -> NodeId {
        self.state.controller.node.id
    }

    /// The cluster id: 22 characters, created with the data directory.
    pub fn cluster_id(&self) -> &str {
        &self.state.controller.node.cluster_id
    }

    /// The configuration that was passed to `open`.
    pub fn config(&self) -> &BrokerConfig {
        &self.state.controller.node.static_config
    }

    /// The memory of all clients' requests and responses.
    pub fn memory(&self) -> &Arc<RequestMemory> {
        &self.state.memory
    }

    /// Adds the listeners of a server to the broker's configuration until the registration is dropped.
    pub fn register_listeners(&self, listeners: Vec<OpenListener>) -> ListenerRegistration {
        self.state.controller.node.listeners.register(listeners)
    }

    /// The SCRAM credential of `user` for `mechanism`, as set by `AlterUserScramCredentials`.
    pub fn scram_credential(
        &self,
        user: &str,
        mechanism: ScramMechanism,
    ) -> Option<ScramCredential> {
        let image = self.state.controller.image();
        image.scram_credential(user, mechanism).cloned()
    }

    /// The segments deleted since the broker was opened.
    pub fn deletions(&self) -> DeletionCounts {
        self.state.partitions.counters.deletions()
    }

    /// Runs housekeeping (retention, compaction, flushing, delayed deletes, checkpoints, storage limits) and the
    /// time-outs of groups on `runtime` until the broker is closed or its last clone is dropped.
    pub fn spawn_housekeeping(&self, runtime: &tokio::runtime::Handle) {
        let state = Arc::downgrade(&self.state);
        runtime.spawn(housekeeping::run(state.clone(), runtime.clone()));
        runtime.spawn(housekeeping::cleaner::run(state, runtime.clone()));
        let groups = Arc::downgrade(&self.state.groups);
        runtime.spawn(alarm::run(groups, runtime.clone()));
    }

    /// Runs one complete round of housekeeping now. For tests and for owners without a runtime.
    pub fn housekeeping(&self) {
        housekeeping::run_tasks(&self.state, &Task::ALL);
        housekeeping::cleaner::clean_logs(&self.state.controller, &self.state.partitions);
    }

    /// Returns an error if the broker was closed because its directory was removed or replaced.
    pub fn check_lost(&self) -> Result<(), DirectoryLost> {
        self.state.directory_watch.check_lost()
    }

    /// Checks that the path still leads to the directory that was opened. If not, closes the broker: it refuses all
    /// requests and writes nothing.
    pub fn check_directory(&self) -> Result<(), DirectoryLost> {
        self.state.directory_watch.check_directory()
    }

    /// Like [`check_directory`](Self::check_directory), unless the last check was recent. Called before produce
    /// requests.
    pub fn check_directory_if_due(&self) -> Result<(), DirectoryLost> {
        self.state.directory_watch.check_directory_if_due()
    }

    /// Like [`check_directory`](Self::check_directory), and also checks that the files exist. Housekeeping calls it
    /// every second.
    pub fn check_files(&self) -> Result<(), DirectoryLost> {
        self.state.directory_watch.check_files()
    }

    /// Flushes all logs, writes the clean-shutdown marker and releases the lock. Later requests are refused, and
    /// waiting fetches return. A second call does nothing.
    pub fn close(&self) -> Result<(), CloseError> {
        close::close(&self.state)
    }
}
