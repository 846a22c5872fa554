//! Requests with retries.

use headwater_protocol::ApiRequest;

use crate::client::Client;
use crate::error::Result;
use crate::transport::Node;

pub(crate) async fn call_once<R: ApiRequest>(client: &Client, node: Node, request: R) -> Result<R::Response> {
    let _ = (client, node, request);
    todo!()
}
