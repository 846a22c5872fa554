//! The authentication state of a connection. Pure: takes the client's messages, returns the responses.

use std::sync::Arc;

use bytes::Bytes;
use headwater_broker::Principal;
use headwater_protocol::{
    ErrorCode, SaslAuthenticateRequest, SaslAuthenticateResponse, SaslHandshakeRequest,
    SaslHandshakeResponse,
};

use super::exchange::{Denial, Exchange, ExchangeStep};
use super::{Credentials, Decoy, Mechanism};

/// The authentication of one connection.
#[derive(Debug)]
pub(crate) struct Session {
    stage: Stage,
    principal: Principal,
    offered: Arc<[Mechanism]>,
    decoy: Arc<Decoy>,
}

#[derive(Debug)]
enum Stage {
    /// Authentication is not required.
    NotRequired,
    /// The client must select a mechanism.
    Required,
    /// The client and the server exchange messages.
    InProgress(Exchange, Framing),
    /// The client is authenticated.
    Authenticated,
    /// The client was denied, and the connection ends.
    Denied,
}

/// The framing of the mechanism's messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Framing {
    /// In `SaslAuthenticate` requests.
    Requests,
    /// In bare frames: after version 0 of the handshake.
    Bare,
}

/// A response, and whether the connection continues.
#[derive(Debug)]
pub(crate) enum SaslStep<T> {
    /// The connection continues.
    Continue(T),
    /// The connection ends after the response.
    Deny(T),
}

impl Session {
    /// For a listener without authentication.
    pub(crate) fn not_required(decoy: Arc<Decoy>) -> Self {
        Self {
            stage: Stage::NotRequired,
            principal: Principal::default(),
            offered: Arc::from([]),
            decoy,
        }
    }

    /// For a listener with these mechanisms.
    pub(crate) fn required(offered: Arc<[Mechanism]>, decoy: Arc<Decoy>) -> Self {
        Self {
            stage: Stage::Required,
            principal: Principal::default(),
            offered,
            decoy,
        }
    }

    /// Whether the client may send any request.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self.stage, Stage::NotRequired | Stage::Authenticated)
    }

    /// The authenticated client; anonymous until then.
    pub(crate) fn principal(&self) -> &Principal {
        &self.principal
    }

    /// Whether the next frame is a bare message of the mechanism.
    pub(crate) fn expects_bare(&self) -> bool {
        matches!(self.stage, Stage::InProgress(_, Framing::Bare))
    }

    /// Handles a handshake.
    pub(crate) fn handshake(
        &mut self,
        request: &SaslHandshakeRequest,
        version: i16,
    ) -> SaslStep<SaslHandshakeResponse> {
        let answer = |code: ErrorCode, offered: &[Mechanism]| SaslHandshakeResponse {
            error_code: code.code(),
            mechanisms: offered
                .iter()
                .map(|mechanism| mechanism.name().into())
                .collect(),
        };
        match self.stage {
            Stage::Required => {}
            Stage::NotRequired | Stage::Authenticated => {
                return SaslStep::Continue(answer(ErrorCode::IllegalSaslState, &[]));
            }
            Stage::InProgress(..) | Stage::Denied => {
                self.stage = Stage::Denied;
                return SaslStep::Deny(answer(ErrorCode::IllegalSaslState, &[]));
            }
        }
        let chosen = self
            .offered
            .iter()
            .find(|mechanism| mechanism.name() == &*request.mechanism);
        let Some(chosen) = chosen else {
            self.stage = Stage::Denied;
            return SaslStep::Deny(answer(ErrorCode::UnsupportedSaslMechanism, &self.offered));
        };
        let framing = if version == 0 {
            Framing::Bare
        } else {
            Framing::Requests
        };
        self.stage = Stage::InProgress(Exchange::new(*chosen), framing);
        SaslStep::Continue(answer(ErrorCode::None, &self.offered))
    }

    /// Handles a message of the mechanism in a request.
    pub(crate) fn authenticate(
        &mut self,
        request: &SaslAuthenticateRequest,
        credentials: &impl Credentials,
    ) -> SaslStep<SaslAuthenticateResponse> {
        if self.is_open() {
            let message = "This connection has nothing to authenticate.";
            return SaslStep::Continue(refusal(ErrorCode::IllegalSaslState, message));
        }
        if !matches!(self.stage, Stage::InProgress(_, Framing::Requests)) {
            self.stage = Stage::Denied;
            let message = "Choose a mechanism with SaslHandshake version 1 first.";
            return SaslStep::Deny(refusal(ErrorCode::IllegalSaslState, message));
        }
        match self.exchange(&request.auth_bytes, credentials) {
            Ok(auth_bytes) => SaslStep::Continue(SaslAuthenticateResponse {
                error_message: None,
                auth_bytes,
                ..SaslAuthenticateResponse::default()
            }),
            Err(_) => SaslStep::Deny(refusal(
                ErrorCode::SaslAuthenticationFailed,
                "Authentication failed: invalid user name or password.",
            )),
        }
    }

    /// Handles a bare message of the mechanism; `None` ends the connection, because this framing has no error response.
    pub(crate) fn bare(
        &mut self,
        message: &Bytes,
        credentials: &impl Credentials,
    ) -> Option<Bytes> {
        self.exchange(message, credentials).ok()
    }

    /// Continues the exchange with one message. The reason of a denial is only logged.
    fn exchange(
        &mut self,
        message: &[u8],
        credentials: &impl Credentials,
    ) -> Result<Bytes, Denial> {
        let stage = std::mem::replace(&mut self.stage, Stage::Denied);
        let Stage::InProgress(exchange, framing) = stage else {
            return Err(Denial::Malformed("there is no exchange"));
        };
        match exchange.respond(message, credentials, &self.decoy) {
            ExchangeStep::Challenge(challenge, next) => {
                self.stage = Stage::InProgress(next, framing);
                Ok(challenge)
            }
            ExchangeStep::Done { user, last } => {
                tracing::debug!(%user, "a client authenticated");
                self.stage = Stage::Authenticated;
                self.principal = Principal {
                    user: Arc::from(user),
                };
                Ok(last)
            }
            ExchangeStep::Denied(reason) => {
                tracing::info!(%reason, "a client failed to authenticate");
                Err(reason)
            }
        }
    }
}

fn refusal(code: ErrorCode, message: &'static str) -> SaslAuthenticateResponse {
    SaslAuthenticateResponse {
        error_code: code.code(),
        error_message: Some(message.into()),
        ..SaslAuthenticateResponse::default()
    }
}
