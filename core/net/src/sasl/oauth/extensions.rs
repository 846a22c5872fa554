//! SASL extensions (KIP-342): values for the broker besides the token.

use headwater_client::Result;

use crate::config::config_error;

/// Names and values, in the configured order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Extensions(Vec<(String, String)>);

impl Extensions {
    /// Parses `key=value`, separated by commas.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let parts = text
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty());
        let extensions = parts.map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            if is_name(name) && is_value(value) {
                return Ok((name.to_owned(), value.to_owned()));
            }
            Err(config_error(
                "sasl.oauthbearer.extensions: write name=value, separated by commas; a name has letters only and is not auth, a value is printable ASCII.",
            ))
        });
        Ok(Self(extensions.collect::<Result<_>>()?))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &(String, String)> {
        self.0.iter()
    }
}

/// Whether it is a valid name. `auth` is reserved for the token.
fn is_name(name: &str) -> bool {
    !name.is_empty() && name != "auth" && name.bytes().all(|byte| byte.is_ascii_alphabetic())
}

fn is_value(value: &str) -> bool {
    !value.is_empty()
        && value
            .bytes()
            .all(|byte| matches!(byte, b' '..=b'~' | b'\t'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_read_and_anything_else_is_refused() {
        let read = Extensions::parse("logicalCluster=lkc-1, identityPoolId=a=b,").unwrap();
        let pairs: Vec<_> = read
            .iter()
            .map(|(name, value)| (&**name, &**value))
            .collect();
        assert_eq!(
            pairs,
            [("logicalCluster", "lkc-1"), ("identityPoolId", "a=b")]
        );
        assert_eq!(Extensions::parse("").unwrap(), Extensions::default());
        for wrong in ["a", "=b", "a=", "auth=x", "a1=b", "a=b\u{1}auth=x", "ä=b"] {
            assert!(Extensions::parse(wrong).is_err(), "{wrong}");
        }
    }
}
