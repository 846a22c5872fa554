//! API keys, and requests and responses of any API.

use std::fmt;

use crate::generated::apis::{ApiKey, Request, Response};
use crate::message::Message;

/// The request of an API, with its key and response.
pub trait ApiRequest: Message + Into<Request> {
    /// The response.
    type Response: Message + Into<Response> + TryFrom<Response, Error = WrongResponse>;
    /// The API key.
    const API: ApiKey;
}

/// A response of another API than the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a response to {expected} was expected, this is one to {found}")]
pub struct WrongResponse {
    /// The API of the request.
    pub expected: ApiKey,
    /// The API of the response.
    pub found: ApiKey,
}

impl fmt::Display for ApiKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl ApiKey {
    /// Whether `version` of the request and its response is flexible, see [`crate::codec`].
    pub fn is_flexible(self, version: i16) -> bool {
        self.flexible_since().is_some_and(|since| version >= since)
    }

    /// The version of the header of a request at `version`.
    pub fn request_header_version(self, version: i16) -> i16 {
        if self.is_flexible(version) { 2 } else { 1 }
    }

    /// The version of the header of a response at `version`. That of `ApiVersions` is constant: a client decodes it
    /// before the versions are negotiated.
    pub fn response_header_version(self, version: i16) -> i16 {
        i16::from(self != Self::ApiVersions && self.is_flexible(version))
    }
}

/// Defines [`ApiKey`], [`Request`] and [`Response`] from one table.
macro_rules! apis {
    (@flexible never) => { None };
    (@flexible $since:literal) => { Some($since) };
    ($($name:ident = $key:literal: $lowest:literal..=$highest:literal, $advertised_lowest:literal..=$advertised_highest:literal,
       $flexible:tt, $request:ident, $response:ident;)*) => {
        /// The key of an API in Kafka's protocol. Contains the supported APIs.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(i16)]
        pub enum ApiKey {
            $(#[doc = concat!("`", stringify!($name), "`, versions ", $lowest, " to ", $highest, ".")] $name = $key,)*
        }

        impl ApiKey {
            /// Every API key, in the order of their numbers.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The API key with this number; `None` if it is not supported.
            pub fn from_code(code: i16) -> Option<Self> {
                match code {
                    $($key => Some(Self::$name),)*
                    _ => None,
                }
            }

            /// Its number.
            pub const fn code(self) -> i16 {
                self as i16
            }

            /// Kafka's name of the API.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)* }
            }

            /// The supported versions.
            pub const fn supported(self) -> VersionRange {
                match self { $(Self::$name => VersionRange::new($lowest, $highest),)* }
            }

            /// The versions that `ApiVersions` advertises: the supported ones, but Produce from 0. Clients with support
            /// for 3 use no older one, and some clients stop compressing if 0 is missing.
            pub const fn advertised(self) -> VersionRange {
                match self { $(Self::$name => VersionRange::new($advertised_lowest, $advertised_highest),)* }
            }

            /// The first flexible version, see [`crate::codec`].
            pub const fn flexible_since(self) -> Option<i16> {
                match self { $(Self::$name => apis!(@flexible $flexible),)* }
            }
        }

        /// A request of any API.
        #[derive(Clone, Debug, PartialEq)]
        #[allow(clippy::large_enum_variant)]
        pub enum Request {
            $(#[doc = concat!("A [`", stringify!($request), "`].")] $name($request),)*
        }

        /// A response of any API.
        #[derive(Clone, Debug, PartialEq)]
        #[allow(clippy::large_enum_variant)]
        pub enum Response {
            $(#[doc = concat!("A [`", stringify!($response), "`].")] $name($response),)*
        }

        impl Request {
            /// The API of the request.
            pub fn api_key(&self) -> ApiKey {
                match self { $(Self::$name(_) => ApiKey::$name,)* }
            }

            /// Decodes a request; following bytes stay in the decoder.
            pub fn decode(api: ApiKey, decoder: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
                match api { $(ApiKey::$name => $request::decode(decoder, version).map(Self::$name),)* }
            }

            /// Appends the request to `out`. After an error `out` is unchanged.
            pub fn encode(&self, out: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
                match self { $(Self::$name(request) => request.encode(out, version),)* }
            }

            /// Appends the request to `out` and shares its long byte ranges. After an error `out` is unchanged.
            pub fn encode_sharing(&self, out: &mut $crate::codec::Rope, version: i16) -> Result<(), EncodeError> {
                match self { $(Self::$name(request) => request.encode_sharing(out, version),)* }
            }
        }

        impl Response {
            /// The API of the response.
            pub fn api_key(&self) -> ApiKey {
                match self { $(Self::$name(_) => ApiKey::$name,)* }
            }

            /// Decodes a response; following bytes stay in the decoder.
            pub fn decode(api: ApiKey, decoder: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
                match api { $(ApiKey::$name => $response::decode(decoder, version).map(Self::$name),)* }
            }

            /// Appends the response to `out`. After an error `out` is unchanged.
            pub fn encode(&self, out: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
                match self { $(Self::$name(response) => response.encode(out, version),)* }
            }

            /// Appends the response to `out` and shares its long byte ranges. After an error `out` is unchanged.
            pub fn encode_sharing(&self, out: &mut $crate::codec::Rope, version: i16) -> Result<(), EncodeError> {
                match self { $(Self::$name(response) => response.encode_sharing(out, version),)* }
            }
        }

        $(
            impl ApiRequest for $request {
                type Response = $response;
                const API: ApiKey = ApiKey::$name;
            }

            impl From<$request> for Request {
                fn from(request: $request) -> Self {
                    Self::$name(request)
                }
            }

            impl From<$response> for Response {
                fn from(response: $response) -> Self {
                    Self::$name(response)
                }
            }

            impl TryFrom<Response> for $response {
                type Error = WrongResponse;

                fn try_from(response: Response) -> Result<Self, WrongResponse> {
                    match response {
                        Response::$name(response) => Ok(response),
                        other => Err(WrongResponse { expected: ApiKey::$name, found: other.api_key() }),
                    }
                }
            }
        )*
    };
}
pub(crate) use apis;
