//! The Kafka APIs that this broker supports, one file for each: the directory listing is the support matrix. Code
//! that several of them share is in `support/`.
//!
//! The first line of a handler's file names the API, its key and its versions; a test compares it with the table of
//! `ApiVersions`.
//!
//! A handler converts the typed request, calls the layers below and builds the typed response with Kafka's error codes.
//! Handlers run in the thread that polls them; only those in the `waiting` section may wait. The table below lists the
//! components that each handler takes.

#![allow(
    clippy::needless_pass_by_value,
    reason = "every handler has the same signature"
)]

mod alter_configs;
mod alter_user_scram_credentials;
mod api_versions;
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
mod fetch;
mod find_coordinator;
mod heartbeat;
mod incremental_alter_configs;
mod init_producer_id;
mod join_group;
mod leave_group;
mod list_groups;
mod list_offsets;
mod metadata;
mod offset_commit;
mod offset_delete;
mod offset_fetch;
mod offset_for_leader_epoch;
pub(crate) mod produce;
mod support;
mod sync_group;

use headwater_env::Env;
use headwater_protocol::{ApiKey, ApiVersionsResponse, ErrorCode, Request, Response};

use crate::RequestContext;
use crate::state::State;

macro_rules! handlers {
    (
        now { $($api:ident => $module:ident($($needs:ident),*),)* }
        waiting { $($waiting_api:ident => $waiting_module:ident($($waiting_needs:ident),*),)* }
    ) => {
        /// The supported APIs, by key. `ApiVersions` and the dispatch use the same list.
        pub(crate) const SERVED: &[ApiKey] = &[$(ApiKey::$api,)* $(ApiKey::$waiting_api,)*];

        /// Handles one request.
        pub(crate) async fn handle<E: Env>(state: &State<E>, context: &RequestContext, request: Request) -> Response {
            log_change(context, request.api_key());
            match request {
                $(Request::$api(request) => Response::$api($module::handle($(&state.$needs,)* context, request)),)*
                $(Request::$waiting_api(request) => Response::$waiting_api($waiting_module::handle($(&state.$waiting_needs,)* context, request).await),)*
                _ => unsupported(),
            }
        }

        /// The sources of the handlers.
        #[cfg(test)]
        const SOURCES: &[(ApiKey, &str)] = &[
            $((ApiKey::$api, include_str!(concat!("api/", stringify!($module), ".rs"))),)*
            $((ApiKey::$waiting_api, include_str!(concat!("api/", stringify!($waiting_module), ".rs"))),)*
        ];
    };
}

// Each handler with the components that it needs.
handlers! {
    // Complete at once.
    now {
        Produce => produce(partitions, storage, controller, memory, directory_watch),
        ListOffsets => list_offsets(partitions, memory),
        OffsetFetch => offset_fetch(controller, groups),
        Heartbeat => heartbeat(groups),
        LeaveGroup => leave_group(groups),
        DescribeGroups => describe_groups(groups),
        ListGroups => list_groups(groups),
        ApiVersions => api_versions(controller),
        DeleteRecords => delete_records(partitions),
        OffsetForLeaderEpoch => offset_for_leader_epoch(partitions),
        DescribeConfigs => describe_configs(controller),
        DescribeLogDirs => describe_log_dirs(partitions),
        DeleteGroups => delete_groups(groups),
        DescribeUserScramCredentials => describe_user_scram_credentials(controller),
        OffsetDelete => offset_delete(partitions, groups),
        DescribeCluster => describe_cluster(controller),
        DescribeProducers => describe_producers(partitions),
        DescribeTopicPartitions => describe_topic_partitions(controller),
        ConsumerGroupDescribe => consumer_group_describe(controller, groups),
    }
    // May be pending: they wait for records, for other members, or for the decision on a metadata change, which a
    // single broker makes at once.
    waiting {
        Metadata => metadata(controller),
        OffsetCommit => offset_commit(controller, partitions, groups),
        FindCoordinator => find_coordinator(controller, groups),
        CreateTopics => create_topics(controller),
        DeleteTopics => delete_topics(controller, partitions, groups),
        InitProducerId => init_producer_id(controller),
        AlterConfigs => alter_configs(controller),
        CreatePartitions => create_partitions(controller),
        IncrementalAlterConfigs => incremental_alter_configs(controller),
        AlterUserScramCredentials => alter_user_scram_credentials(controller),
        ConsumerGroupHeartbeat => consumer_group_heartbeat(groups),
        Fetch => fetch(partitions, controller, fetch_sessions),
        JoinGroup => join_group(controller, memory, groups),
        SyncGroup => sync_group(groups),
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

/// Kafka's response to an unsupported request.
fn unsupported() -> Response {
    Response::ApiVersions(ApiVersionsResponse {
        error_code: ErrorCode::UnsupportedVersion.code(),
        ..ApiVersionsResponse::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first line that the table of `ApiVersions` requires.
    fn header(api: ApiKey) -> String {
        let (supported, advertised) = (api.supported(), api.advertised());
        let versions = if supported.lowest == supported.highest {
            format!("version {}", supported.lowest)
        } else {
            format!("versions {}-{}", supported.lowest, supported.highest)
        };
        let rest = if advertised.lowest < supported.lowest {
            let last = supported.lowest - 1;
            format!(" ({}-{last} are advertised", advertised.lowest)
        } else {
            ".".to_owned()
        };
        format!("//! `{api}` (key {}), {versions}{rest}", api.code())
    }

    #[test]
    fn the_header_of_each_handler_has_the_key_and_the_versions_of_the_table() {
        for (api, source) in SOURCES {
            let line = source.lines().next().unwrap_or_default();
            let expected = header(*api);
            assert!(
                line.starts_with(&expected),
                "the file of {api} starts with\n{line}\nbut the table of ApiVersions requires\n{expected}"
            );
            assert_eq!(api.advertised().highest, api.supported().highest, "{api}");
        }
        assert_eq!(SOURCES.len(), SERVED.len());
    }
}
