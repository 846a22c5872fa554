//! Members of groups.

use headwater_protocol::Str;

use crate::RequestContext;
use crate::groups::context::IN_PROCESS_HOST;

/// The client host of a group member in Kafka's format.
pub(in crate::api) fn client_host(context: &RequestContext) -> Str {
    match context.client_host.as_deref() {
        Some(host) => format!("/{host}").into(),
        None => IN_PROCESS_HOST.into(),
    }
}
