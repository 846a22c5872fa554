//! An access token.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// An access token for OAUTHBEARER, and when it expires.
#[derive(Clone, PartialEq, Eq)]
pub struct OauthToken {
    value: String,
    expires_ms: Option<i64>,
}

impl OauthToken {
    /// A token that expires at its claim `exp`, if it is a JSON Web Token. Any other token is used for one connection
    /// only, unless [`OauthToken::expires_at_ms`] sets its expiry.
    pub fn new(value: impl Into<String>) -> Self {
        let value = value.into();
        Self {
            expires_ms: claimed_expiry_ms(&value),
            value,
        }
    }

    /// Sets the expiry, in milliseconds since the Unix epoch.
    #[must_use]
    pub fn expires_at_ms(mut self, expires_ms: i64) -> Self {
        self.expires_ms = Some(expires_ms);
        self
    }

    /// The expiry, in milliseconds since the Unix epoch; `None` if unknown.
    pub fn expiry_ms(&self) -> Option<i64> {
        self.expires_ms
    }

    pub(crate) fn value(&self) -> &str {
        &self.value
    }

    /// Whether it has the form that RFC 6750 allows.
    pub(super) fn is_well_formed(&self) -> bool {
        let core = self.value.trim_end_matches('=');
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
        !core.is_empty() && core.bytes().all(is_allowed)
    }
}

impl fmt::Debug for OauthToken {
    /// Omits the token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OauthToken")
            .field("expires_ms", &self.expires_ms)
            .finish_non_exhaustive()
    }
}

/// The claim `exp` of a JSON Web Token. The signature is not verified: that is the broker's task.
fn claimed_expiry_ms(token: &str) -> Option<i64> {
    let mut parts = token.split('.');
    let (_header, claims, _signature) = (parts.next()?, parts.next()?, parts.next()?);
    let claims = URL_SAFE_NO_PAD.decode(claims.trim_end_matches('=')).ok()?;
    let claims: serde_json::Value = serde_json::from_slice(&claims).ok()?;
    // Seconds since the Unix epoch.
    let expiry = claims.get("exp")?.as_f64()?;
    Some((expiry * 1_000.0) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jwt(claims: &str) -> String {
        format!(
            "{}.{}.",
            URL_SAFE_NO_PAD.encode("{\"alg\":\"none\"}"),
            URL_SAFE_NO_PAD.encode(claims)
        )
    }

    #[test]
    fn a_json_web_token_has_its_expiry() {
        let token = OauthToken::new(jwt(r#"{"sub":"ada","exp":1700000000.5}"#));
        assert_eq!(token.expiry_ms(), Some(1_700_000_000_500));
        assert_eq!(token.expires_at_ms(7).expiry_ms(), Some(7));
        for other in [
            "opaque",
            "a.b.c",
            &jwt("{}"),
            &jwt("[1]"),
            &jwt(r#"{"exp":"soon"}"#),
        ] {
            assert_eq!(OauthToken::new(other).expiry_ms(), None, "{other}");
        }
    }

    #[test]
    fn only_letters_of_rfc_6750_are_well_formed() {
        for good in ["abc", "a-._~+/b==", &jwt("{}")] {
            assert!(OauthToken::new(good).is_well_formed(), "{good}");
        }
        for wrong in ["", "=", "a b", "a\u{1}b", "a\nb", "a=b", "ä"] {
            assert!(!OauthToken::new(wrong).is_well_formed(), "{wrong}");
        }
    }

    #[test]
    fn debug_output_contains_no_token() {
        assert!(!format!("{:?}", OauthToken::new("topsecret")).contains("topsecret"));
    }
}
