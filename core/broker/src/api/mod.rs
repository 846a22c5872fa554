//! The Kafka APIs that this broker supports, one file for each: the directory listing is the support matrix.
//!
//! A handler converts the typed request, calls the layers below and builds the typed response with Kafka's error codes.
//! Handlers run in the thread that polls them; only those in the `waiting` section may wait.

#![allow(
    clippy::needless_pass_by_value,
    reason = "every handler has the same signature"
)]

mod alter_configs;
mod alter_user_scram_credentials;
mod api_versions;
mod authorized_operations;
mod consumer_group_describe;
mod consumer_group_heartbeat;
mod create_partitions;
mod create_topics;
mod delete_groups;
mod delete_records;
mod delete_topics;
mod describe_cluster;
mod describe_configs;
mod describe_groups;
mod describe_log_dirs;
mod describe_producers;
mod describe_topic_partitions;
mod describe_user_scram_credentials;
mod errors;
mod fetch;
mod find_coordinator;
mod heartbeat;
mod incremental_alter_configs;
mod init_producer_id;
mod join_group;
mod leave_group;
mod list_groups;
mod list_offsets;
mod lookup;
mod metadata;
mod offset_commit;
mod offset_delete;
mod offset_fetch;
mod offset_for_leader_epoch;
pub(crate) mod produce;
mod resources;
mod sync_group;
mod transactions;

use headwater_env::Env;
use headwater_protocol::{ApiKey, ApiVersionsResponse, ErrorCode, Request, Response, Str};

use crate::RequestContext;
use crate::groups::IN_PROCESS_HOST;
use crate::state::State;

macro_rules! handlers {
    (
        now { $($api:ident => $module:ident,)* }
        waiting { $($waiting_api:ident => $waiting_module:ident,)* }
    ) => {
        /// The supported APIs, by key. `ApiVersions` and the dispatch use the same list.
        pub(crate) const SERVED: &[ApiKey] = &[$(ApiKey::$api,)* $(ApiKey::$waiting_api,)*];

        /// Handles one request.
        pub(crate) async fn handle<E: Env>(state: &State<E>, context: &RequestContext, request: Request) -> Response {
            log_change(context, request.api_key());
            match request {
                $(Request::$api(request) => Response::$api($module::handle(state, context, request)),)*
                $(Request::$waiting_api(request) => Response::$waiting_api($waiting_module::handle(state, context, request).await),)*
                _ => unsupported(),
            }
        }
    };
}

handlers! {
    // Complete in the first poll.
    now {
        Produce => produce,
        ListOffsets => list_offsets,
        Metadata => metadata,
        OffsetCommit => offset_commit,
        OffsetFetch => offset_fetch,
        FindCoordinator => find_coordinator,
        Heartbeat => heartbeat,
        LeaveGroup => leave_group,
        DescribeGroups => describe_groups,
        ListGroups => list_groups,
        ApiVersions => api_versions,
        CreateTopics => create_topics,
        DeleteTopics => delete_topics,
        DeleteRecords => delete_records,
        InitProducerId => init_producer_id,
        OffsetForLeaderEpoch => offset_for_leader_epoch,
        DescribeConfigs => describe_configs,
        AlterConfigs => alter_configs,
        DescribeLogDirs => describe_log_dirs,
        CreatePartitions => create_partitions,
        DeleteGroups => delete_groups,
        IncrementalAlterConfigs => incremental_alter_configs,
        DescribeUserScramCredentials => describe_user_scram_credentials,
        AlterUserScramCredentials => alter_user_scram_credentials,
        OffsetDelete => offset_delete,
        DescribeCluster => describe_cluster,
        DescribeProducers => describe_producers,
        DescribeTopicPartitions => describe_topic_partitions,
        ConsumerGroupHeartbeat => consumer_group_heartbeat,
        ConsumerGroupDescribe => consumer_group_describe,
    }
    // May be pending: they wait for records or for other members.
    waiting {
        Fetch => fetch,
        JoinGroup => join_group,
        SyncGroup => sync_group,
    }
}

/// The APIs that change topics, configurations, users or groups.
const CHANGES: [ApiKey; 9] = [
    ApiKey::CreateTopics,
    ApiKey::DeleteTopics,
    ApiKey::DeleteRecords,
    ApiKey::CreatePartitions,
    ApiKey::AlterConfigs,
    ApiKey::IncrementalAlterConfigs,
    ApiKey::AlterUserScramCredentials,
    ApiKey::DeleteGroups,
    ApiKey::OffsetDelete,
];

/// Logs the client of a change.
fn log_change(context: &RequestContext, api: ApiKey) {
    if CHANGES.contains(&api) {
        let (principal, listener) = (&context.principal, &context.listener.name);
        let client = context.client_host.as_deref().unwrap_or("in process");
        tracing::debug!(%api, %principal, %listener, client, "a client requests a change");
    }
}

/// The client host of a group member in Kafka's format.
fn client_host(context: &RequestContext) -> Str {
    match context.client_host.as_deref() {
        Some(host) => format!("/{host}").into(),
        None => IN_PROCESS_HOST.into(),
    }
}

/// Kafka's response to an unsupported request.
fn unsupported() -> Response {
    Response::ApiVersions(ApiVersionsResponse {
        error_code: ErrorCode::UnsupportedVersion.code(),
        ..ApiVersionsResponse::default()
    })
}
