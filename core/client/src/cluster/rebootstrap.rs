//! Metadata requests whose client must start again from its bootstrap addresses (KIP-1102).

use headwater_protocol::{ErrorCode, MetadataRequest, MetadataResponse};

use super::Cluster;
use crate::error::{Error, ErrorKind, Result};
use crate::error_codes;
use crate::transport::Node;

impl Cluster {
    /// Sends a metadata request. If the broker requires a new start, the request is sent once more to any broker: the
    /// transport has returned to its bootstrap addresses, unless `metadata.recovery.strategy=none`.
    pub(super) async fn call_for_metadata(
        &self,
        node: Node,
        request: MetadataRequest,
    ) -> Result<MetadataResponse> {
        let response = self.call_admin(node, request.clone()).await?;
        if !requires_rebootstrap(&response) {
            return Ok(response);
        }
        let response = self.call_admin(Node::Any, request).await?;
        if requires_rebootstrap(&response) {
            return Err(unusable());
        }
        Ok(response)
    }
}

fn requires_rebootstrap(response: &MetadataResponse) -> bool {
    error_codes::code(response.error_code) == ErrorCode::RebootstrapRequired
}

/// As without a response, another attempt may help.
fn unusable() -> Error {
    let code = ErrorCode::RebootstrapRequired;
    let message = format!(
        "Cannot read the metadata of the cluster: {}",
        code.message()
    );
    Error::with_code(ErrorKind::Transport, code, message).retriable(true)
}
