//! Encodes the response of a request.

use std::time::Duration;

use headwater_protocol::api_versions_response::ApiVersion;
use headwater_protocol::codec::Rope;
use headwater_protocol::frame::{RequestHeader, encode_response_sharing};
use headwater_protocol::{ApiKey, ApiVersionsResponse, EncodeError, ErrorCode, Request, Response};

use crate::connection::pipeline::{Answer, Size, Work};
use crate::dispatch::{StartedRequest, Step};
use crate::sasl::SaslStep;

/// The delay of the response to a failed authentication (`connection.failed.authentication.delay.ms`); it slows down
/// guessing.
const DENIAL_DELAY: Duration = Duration::from_millis(100);

/// The APIs that the server handles itself.
pub(crate) const SASL_APIS: [ApiKey; 2] = [ApiKey::SaslHandshake, ApiKey::SaslAuthenticate];

pub(crate) fn advertised(api: ApiKey) -> ApiVersion {
    let range = api.advertised();
    ApiVersion {
        api_key: api.code(),
        min_version: range.lowest,
        max_version: range.highest,
        ..ApiVersion::default()
    }
}

/// Adds the APIs of the server to those of the broker.
pub(crate) fn advertise_sasl(response: &mut ApiVersionsResponse) {
    response.api_keys.extend(SASL_APIS.map(advertised));
    response.api_keys.sort_by_key(|api| api.api_key);
}

/// The format of a request's response.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reply {
    pub(crate) version: i16,
    correlation_id: i32,
    is_expected: bool,
}

impl Reply {
    /// In another version than the request.
    pub(crate) fn in_version(version: i16, header: &RequestHeader) -> Self {
        Self {
            version,
            correlation_id: header.correlation_id,
            is_expected: true,
        }
    }

    pub(crate) fn to(header: &RequestHeader, request: &Request) -> Self {
        Self {
            version: header.api_version,
            correlation_id: header.correlation_id,
            is_expected: !matches!(request, Request::Produce(produce) if produce.acks == 0),
        }
    }

    /// Encodes `response`.
    pub(crate) fn answer(self, mut response: Response) -> Answer {
        if let Response::ApiVersions(response) = &mut response {
            advertise_sasl(response);
        }
        if !self.is_expected {
            return without_acknowledgement(&response);
        }
        match self.encode(&response) {
            Ok(rope) => Answer::Send(rope),
            Err(error) => {
                tracing::error!(api = %response.api_key(), version = self.version, %error, "a connection ends: its response cannot be encoded");
                Answer::Close
            }
        }
    }

    fn encode(self, response: &Response) -> Result<Rope, EncodeError> {
        encode_response_sharing(response, self.version, self.correlation_id)
    }

    /// The response to an authentication request.
    pub(crate) fn sasl<T: Into<Response>>(self, api: ApiKey, step: SaslStep<T>) -> Step {
        let size = Size::Small;
        match step {
            SaslStep::Continue(response) => Step::Begin(StartedRequest {
                api,
                work: self.ready(&response.into()),
                size,
            }),
            SaslStep::Deny(response) => {
                let response = response.into();
                let work = Box::pin(async move {
                    tokio::time::sleep(DENIAL_DELAY).await;
                    self.answer(response)
                });
                Step::Last(StartedRequest { api, work, size })
            }
        }
    }

    /// A response that is complete.
    pub(crate) fn ready(self, response: &Response) -> Work {
        let answer = match self.encode(response) {
            Ok(rope) => Answer::Send(rope),
            Err(_) => Answer::Close,
        };
        Box::pin(std::future::ready(answer))
    }
}

/// A producer without acknowledgements notices errors by the end of its connection, as in Kafka.
fn without_acknowledgement(response: &Response) -> Answer {
    let Response::Produce(response) = response else {
        return Answer::Nothing;
    };
    let mut partitions = response
        .responses
        .iter()
        .flat_map(|topic| &topic.partition_responses);
    match partitions.find(|partition| partition.error_code != 0) {
        None => Answer::Nothing,
        Some(failed) => {
            let code = ErrorCode::from_code(failed.error_code);
            tracing::info!(
                ?code,
                "a connection ends: a produce without acknowledgement failed"
            );
            Answer::Close
        }
    }
}
