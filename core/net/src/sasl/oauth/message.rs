//! The messages of OAUTHBEARER.
//!
//! ```text
//!   client  n,,\x01auth=Bearer TOKEN\x01name=value\x01\x01
//!   server  empty, or the refusal as JSON; then the client sends \x01
//! ```

use bytes::Bytes;
use serde::Deserialize;

use super::Extensions;

/// The SASL name of the mechanism.
pub(crate) const MECHANISM: &str = "OAUTHBEARER";

/// The last message of a client after a refusal.
pub(crate) const END: Bytes = Bytes::from_static(b"\x01");

/// The client's first message.
pub(crate) fn first(token: &str, extensions: &Extensions) -> Bytes {
    let mut message = format!("n,,\u{1}auth=Bearer {token}\u{1}");
    for (name, value) in extensions.iter() {
        message.extend([name.as_str(), "=", value.as_str(), "\u{1}"]);
    }
    message.push('\u{1}');
    message.into()
}

/// The reason of a refusal, from the broker's answer.
pub(crate) fn status(answer: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Refusal {
        status: String,
    }
    let refusal: Refusal = serde_json::from_slice(answer).ok()?;
    Some(refusal.status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_message_equals_the_rfcs() {
        assert_eq!(
            first("vF9dft4qmT", &Extensions::default()),
            "n,,\u{1}auth=Bearer vF9dft4qmT\u{1}\u{1}"
        );
        let extensions = Extensions::parse("a=1,b=2").unwrap();
        assert_eq!(
            first("t", &extensions),
            "n,,\u{1}auth=Bearer t\u{1}a=1\u{1}b=2\u{1}\u{1}"
        );
    }

    #[test]
    fn the_status_of_a_refusal_is_read() {
        let refusal = br#"{"status":"invalid_token","scope":"x"}"#;
        assert_eq!(status(refusal).as_deref(), Some("invalid_token"));
        assert_eq!(status(b"no"), None);
    }
}
