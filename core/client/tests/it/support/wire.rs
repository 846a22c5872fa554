//! Passes requests and responses as bytes, in the versions that a node supports, so that fields outside of a version
//! are lost.

use bytes::BytesMut;
use headwater_client::{NodeVersions, ShapedRequest, TransportError};
use headwater_protocol::{Decoder, Request, Response, Str};
use uuid::Uuid;

use super::FakeCluster;
use super::connection::Connection;
use super::state::State;

impl FakeCluster {
    /// Encodes a request for a node, answers it there, and decodes the response.
    pub(super) async fn call_as_bytes(
        &self,
        node: i32,
        request: Request,
        connection: &Connection,
    ) -> Result<Response, TransportError> {
        let versions = self.state().versions.get(&node).cloned();
        let versions = versions.unwrap_or_else(NodeVersions::ours);
        let shaped = ShapedRequest::new(request, &versions)?;
        let (api, version) = (shaped.request.api_key(), shaped.version);
        let mut bytes = BytesMut::new();
        shaped
            .request
            .encode(&mut bytes, version)
            .map_err(|error| TransportError::unsupported(error.to_string()))?;
        let mut decoder = Decoder::new(bytes.freeze());
        let mut arrived = Request::decode(api, &mut decoder, version).unwrap();
        decoder.finish().unwrap();
        name_topics(&self.state(), &mut arrived);
        let mut response = self.answer(node, arrived, version, connection).await?;
        identify_topics(&self.state(), &mut response);
        self.throttle(&mut response);
        let mut bytes = BytesMut::new();
        response.encode(&mut bytes, version).unwrap();
        let mut decoder = Decoder::new(bytes.freeze());
        let response = Response::decode(api, &mut decoder, version).unwrap();
        decoder.finish().unwrap();
        Ok(shaped.restore(response))
    }
}

/// Adds the names of topics to a request that has only ids. The name of an unknown id stays empty.
fn name_topics(state: &State, request: &mut Request) {
    let name = |name: &mut Str, id: Uuid| {
        if name.is_empty()
            && let Some(found) = state.name_of(id)
        {
            *name = Str::from(found);
        }
    };
    match request {
        Request::Produce(request) => {
            for topic in &mut request.topic_data {
                name(&mut topic.name, topic.topic_id);
            }
        }
        Request::Fetch(request) => {
            for topic in &mut request.topics {
                name(&mut topic.topic, topic.topic_id);
            }
            for topic in &mut request.forgotten_topics_data {
                name(&mut topic.topic, topic.topic_id);
            }
        }
        _ => {}
    }
}

/// Adds the ids of topics to a response.
fn identify_topics(state: &State, response: &mut Response) {
    match response {
        Response::Produce(response) => {
            for topic in &mut response.responses {
                if topic.topic_id.is_nil() {
                    topic.topic_id = state.id_of(&topic.name);
                }
            }
        }
        Response::Fetch(response) => {
            for topic in &mut response.responses {
                if topic.topic_id.is_nil() {
                    topic.topic_id = state.id_of(&topic.topic);
                }
            }
        }
        _ => {}
    }
}
