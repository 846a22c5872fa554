//! A broker whose listener has SASL.

use bytes::Bytes;
use headwater_protocol::{ErrorCode, Request, SaslAuthenticateResponse, SaslHandshakeResponse};

use crate::support::Broker;

/// The broker's answer to a message of the client.
pub(crate) enum Answer {
    /// The exchange continues, or has succeeded.
    Message(Vec<u8>),
    /// The exchange has succeeded and has this lifetime.
    Accepted { lifetime_ms: i64 },
    /// The client is refused, with this text.
    Refused(String),
}

/// Handles a connection up to its last SASL message. `answer` answers each message. Returns the broker if the client
/// was accepted.
pub(crate) async fn authenticate(
    mut broker: Broker,
    mut answer: impl FnMut(&[u8]) -> Answer,
) -> Option<Broker> {
    broker.greet().await;
    let handshake = broker.next().await?;
    let Request::SaslHandshake(wanted) = &handshake.request else {
        panic!("no SASL: {:?}", handshake.request.api_key());
    };
    let accepted = SaslHandshakeResponse {
        mechanisms: vec![wanted.mechanism.clone()],
        ..SaslHandshakeResponse::default()
    };
    broker.reply(&handshake, accepted).await;
    loop {
        let request = broker.next().await?;
        let Request::SaslAuthenticate(message) = &request.request else {
            panic!("no SASL message: {:?}", request.request.api_key());
        };
        let mut response = SaslAuthenticateResponse::default();
        let mut is_accepted = false;
        match answer(&message.auth_bytes) {
            Answer::Message(bytes) => response.auth_bytes = Bytes::from(bytes),
            Answer::Accepted { lifetime_ms } => {
                response.session_lifetime_ms = lifetime_ms;
                is_accepted = true;
            }
            Answer::Refused(text) => {
                response.error_code = ErrorCode::SaslAuthenticationFailed.code();
                response.error_message = Some(text.as_str().into());
            }
        }
        let is_refused = response.error_code != 0;
        broker.reply(&request, response).await;
        if is_accepted {
            return Some(broker);
        }
        if is_refused {
            return None;
        }
    }
}
