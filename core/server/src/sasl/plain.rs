//! PLAIN (RFC 4616): `[authorization id] NUL user NUL password`.

use headwater_metadata::ScramMechanism;
use subtle::ConstantTimeEq as _;

use super::exchange::{Denial, ExchangeStep};
use super::{Credentials, Decoy};

/// Checks the client's only message.
pub(super) fn respond(
    message: &[u8],
    credentials: &impl Credentials,
    decoy: &Decoy,
) -> ExchangeStep {
    match check(message, credentials, decoy) {
        Ok(user) => ExchangeStep::Done {
            user,
            last: bytes::Bytes::new(),
        },
        Err(denied) => ExchangeStep::Denied(denied),
    }
}

fn check(message: &[u8], credentials: &impl Credentials, decoy: &Decoy) -> Result<String, Denial> {
    let mut parts = message.split(|byte| *byte == 0);
    let (Some(authorization), Some(user), Some(password), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(Denial::Malformed("the message does not have three parts"));
    };
    let user = std::str::from_utf8(user).map_err(|_| Denial::Malformed("the name is not UTF-8"))?;
    if user.is_empty() || password.is_empty() {
        return Err(Denial::Malformed("the name or the password is empty"));
    }
    if !authorization.is_empty() && authorization != user.as_bytes() {
        return Err(Denial::Malformed(
            "the authorization id differs from the user",
        ));
    }
    if is_password(user, password, credentials, decoy) {
        Ok(user.to_owned())
    } else {
        Err(Denial::Credentials)
    }
}

fn is_password(user: &str, password: &[u8], credentials: &impl Credentials, decoy: &Decoy) -> bool {
    let found = ScramMechanism::ALL
        .into_iter()
        .find_map(|mechanism| Some((mechanism, credentials.find(user, mechanism)?)));
    let (mechanism, credential) = found.unwrap_or_else(|| {
        let mechanism = ScramMechanism::Sha256;
        (mechanism, decoy.credential(user, mechanism))
    });
    let salted = mechanism.salted_password(password, &credential.salt, credential.iterations);
    let stored_key = mechanism.hash(&mechanism.hmac(&salted, b"Client Key"));
    stored_key.ct_eq(&credential.stored_key).into()
}
