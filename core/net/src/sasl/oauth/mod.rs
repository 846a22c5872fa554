//! OAUTHBEARER (RFC 7628, KIP-255, KIP-768): a token, from the application or from a token endpoint.

mod bearer;
mod client_credentials;
mod endpoint;
mod extensions;
pub(super) mod message;
mod provider;
mod token;

pub(crate) use bearer::Bearer;
pub(crate) use client_credentials::ClientCredentials;
pub(crate) use endpoint::TokenEndpoint;
pub(crate) use extensions::Extensions;
pub use provider::{TokenError, TokenFuture, TokenProvider};
pub use token::OauthToken;
