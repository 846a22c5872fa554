//! How far a connection has come with its authentication. Pure: takes what the client sent, says what to answer.

use std::sync::Arc;

use bytes::Bytes;
use headwater_broker::Principal;
use headwater_protocol::{
    ErrorCode, SaslAuthenticateRequest, SaslAuthenticateResponse, SaslHandshakeRequest,
    SaslHandshakeResponse,
};

use super::exchange::{Denied, Exchange, Outcome};
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
    /// Nothing is asked of the client.
    NotAsked,
    /// The client must choose a mechanism.
    Expected,
    /// It exchanges messages.
    Exchanging(Exchange, Framing),
    /// It is a user.
    Authenticated,
    /// It is not, and the connection ends.
    Denied,
}

/// How the messages come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Framing {
    /// In `SaslAuthenticate` requests.
    Requests,
    /// In bare frames: after version 0 of the handshake.
    Bare,
}

/// An answer, and whether the connection goes on.
#[derive(Debug)]
pub(crate) enum SaslStep<T> {
    /// It goes on.
    Continue(T),
    /// It ends after the answer.
    Deny(T),
}

impl Session {
    /// For a listener that asks for nothing.
    pub(crate) fn not_asked(decoy: Arc<Decoy>) -> Self {
        Self {
            stage: Stage::NotAsked,
            principal: Principal::default(),
            offered: Arc::from([]),
            decoy,
        }
    }

    /// For a listener that offers these mechanisms.
    pub(crate) fn expected(offered: Arc<[Mechanism]>, decoy: Arc<Decoy>) -> Self {
        Self {
            stage: Stage::Expected,
            principal: Principal::default(),
            offered,
            decoy,
        }
    }

    /// Whether the client may ask what it likes.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self.stage, Stage::NotAsked | Stage::Authenticated)
    }

    /// Who the client is; anonymous until it has authenticated.
    pub(crate) fn principal(&self) -> &Principal {
        &self.principal
    }

    /// Whether the next frame is a message of the mechanism, without a request around it.
    pub(crate) fn expects_bare(&self) -> bool {
        matches!(self.stage, Stage::Exchanging(_, Framing::Bare))
    }

    /// The client chooses.
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
            Stage::Expected => {}
            Stage::NotAsked | Stage::Authenticated => {
                return SaslStep::Continue(answer(ErrorCode::IllegalSaslState, &[]));
            }
            Stage::Exchanging(..) | Stage::Denied => {
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
        self.stage = Stage::Exchanging(Exchange::new(*chosen), framing);
        SaslStep::Continue(answer(ErrorCode::None, &self.offered))
    }

    /// A message of the mechanism in a request.
    pub(crate) fn authenticate(
        &mut self,
        request: &SaslAuthenticateRequest,
        credentials: &impl Credentials,
    ) -> SaslStep<SaslAuthenticateResponse> {
        if self.is_open() {
            let message = "This connection has nothing to authenticate.";
            return SaslStep::Continue(refusal(ErrorCode::IllegalSaslState, message));
        }
        if !matches!(self.stage, Stage::Exchanging(_, Framing::Requests)) {
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

    /// A message of the mechanism in a bare frame; `None` ends the connection, which is all that a client of that time is told.
    pub(crate) fn bare(
        &mut self,
        message: &Bytes,
        credentials: &impl Credentials,
    ) -> Option<Bytes> {
        self.exchange(message, credentials).ok()
    }

    /// Takes the exchange one message further. The reason of a denial is for the log only.
    fn exchange(
        &mut self,
        message: &[u8],
        credentials: &impl Credentials,
    ) -> Result<Bytes, Denied> {
        let stage = std::mem::replace(&mut self.stage, Stage::Denied);
        let Stage::Exchanging(exchange, framing) = stage else {
            return Err(Denied::Malformed("no exchange was begun"));
        };
        match exchange.respond(message, credentials, &self.decoy) {
            Outcome::Challenge(challenge, next) => {
                self.stage = Stage::Exchanging(next, framing);
                Ok(challenge)
            }
            Outcome::Done { user, last } => {
                tracing::debug!(%user, "a client authenticated");
                self.stage = Stage::Authenticated;
                self.principal = Principal {
                    user: Arc::from(user),
                };
                Ok(last)
            }
            Outcome::Denied(reason) => {
                tracing::info!(%reason, "a client was not let in");
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
