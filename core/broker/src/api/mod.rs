//! One file for each Kafka API that this broker answers: list this directory to see what is supported.
//!
//! A handler takes the typed request and returns the typed response, with Kafka's error codes inside. It maps and delegates; what is
//! allowed is decided below. All of them compute in the thread that polls them; only Fetch may wait.

#![allow(
    clippy::needless_pass_by_value,
    reason = "every handler has the same signature"
)]

mod alter_configs;
mod alter_user_scram_credentials;
mod api_versions;
mod create_partitions;
mod create_topics;
mod delete_records;
mod delete_topics;
mod describe_cluster;
mod describe_configs;
mod describe_log_dirs;
mod describe_user_scram_credentials;
mod errors;
mod fetch;
mod incremental_alter_configs;
mod init_producer_id;
mod list_offsets;
mod lookup;
mod metadata;
mod offset_for_leader_epoch;
mod produce;

use headwater_env::Env;
use headwater_protocol::{ApiKey, ApiVersionsResponse, ErrorCode, Request, Response};

use crate::RequestContext;
use crate::state::State;

macro_rules! handlers {
    ($($api:ident => $module:ident,)*) => {
        /// The APIs that this broker answers, by key: what `ApiVersions` advertises and what is dispatched are one list.
        pub(crate) const SERVED: &[ApiKey] = &[ApiKey::Fetch, $(ApiKey::$api,)*];

        /// Answers one request.
        pub(crate) async fn handle<E: Env>(state: &State<E>, context: &RequestContext, request: Request) -> Response {
            match request {
                Request::Fetch(request) => Response::Fetch(fetch::handle(state, request).await),
                $(Request::$api(request) => Response::$api($module::handle(state, context, request)),)*
                _ => not_served(),
            }
        }
    };
}

handlers! {
    Produce => produce,
    ListOffsets => list_offsets,
    Metadata => metadata,
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
    IncrementalAlterConfigs => incremental_alter_configs,
    DescribeUserScramCredentials => describe_user_scram_credentials,
    AlterUserScramCredentials => alter_user_scram_credentials,
    DescribeCluster => describe_cluster,
}

/// Kafka's answer to a request that it does not know.
fn not_served() -> Response {
    Response::ApiVersions(ApiVersionsResponse {
        error_code: ErrorCode::UnsupportedVersion.code(),
        ..ApiVersionsResponse::default()
    })
}
