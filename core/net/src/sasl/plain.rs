//! PLAIN (RFC 4616).

use bytes::Bytes;

/// The only message: user and password.
pub(super) fn token(username: &str, password: &str) -> Bytes {
    format!("\0{username}\0{password}").into()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_message_equals_the_rfcs() {
        assert_eq!(
            super::token("tim", "tanstaaftanstaaf"),
            "\0tim\0tanstaaftanstaaf"
        );
    }
}
