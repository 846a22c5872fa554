//! The server side of SCRAM (RFC 5802, RFC 7677).
//!
//! ```text
//! client  n,,n=user,r=nonce
//! server  r=nonce+nonce,s=salt,i=iterations
//! client  c=biws,r=nonce+nonce,p=proof
//! server  v=signature
//! ```

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use headwater_metadata::{ScramCredential, ScramMechanism};
use subtle::ConstantTimeEq as _;

use super::exchange::{Denial, ExchangeStep};
use super::{Credentials, Decoy};

/// The state after the client's first message.
#[derive(Debug)]
pub(super) struct ScramChallenge {
    mechanism: ScramMechanism,
    user: String,
    credential: ScramCredential,
    /// The header of the client's first message, which the last message must repeat.
    header: String,
    nonce: String,
    /// The messages so far, which both sides sign.
    signed: String,
}

/// The client's first message.
struct First<'a> {
    header: &'a str,
    bare: &'a str,
    user: String,
    nonce: &'a str,
}

/// Answers the client's first message with a challenge.
pub(super) fn challenge(
    mechanism: ScramMechanism,
    message: &[u8],
    server_nonce: &str,
    credentials: &impl Credentials,
    decoy: &Decoy,
) -> Result<(Bytes, ScramChallenge), Denial> {
    let first = first(message)?;
    let credential = credentials
        .find(&first.user, mechanism)
        .unwrap_or_else(|| decoy.credential(&first.user, mechanism));
    let nonce = format!("{}{server_nonce}", first.nonce);
    let challenge = format!(
        "r={nonce},s={},i={}",
        BASE64.encode(&credential.salt),
        credential.iterations
    );
    let challenged = ScramChallenge {
        mechanism,
        credential,
        header: first.header.to_owned(),
        signed: format!("{},{challenge}", first.bare),
        nonce,
        user: first.user,
    };
    Ok((challenge.into(), challenged))
}

fn first(message: &[u8]) -> Result<First<'_>, Denial> {
    let malformed = Denial::Malformed("the first message is not a SCRAM message");
    let message = text(message)?;
    let bare_at = message
        .match_indices(',')
        .nth(1)
        .map(|(at, _)| at + 1)
        .ok_or(malformed)?;
    let (header, bare) = message.split_at(bare_at);
    let mut parts = bare.split(',');
    let user = parts.next().and_then(|part| part.strip_prefix("n="));
    let nonce = parts.next().and_then(|part| part.strip_prefix("r="));
    let (Some(user), Some(nonce)) = (user, nonce) else {
        return Err(malformed);
    };
    let user = decoded_name(user)?;
    if user.is_empty() || nonce.is_empty() {
        return Err(malformed);
    }
    check_header(header, &user)?;
    Ok(First {
        header,
        bare,
        user,
        nonce,
    })
}

/// Checks `n,[a=name],` or `y,[a=name],`: channel binding and acting as another user are not supported.
fn check_header(header: &str, user: &str) -> Result<(), Denial> {
    let mut parts = header.split(',');
    if !matches!(parts.next(), Some("n" | "y")) {
        return Err(Denial::Malformed("channel binding is not supported"));
    }
    match parts.next().unwrap_or_default() {
        "" => Ok(()),
        other => match other.strip_prefix("a=").map(decoded_name) {
            Some(Ok(name)) if name == user => Ok(()),
            _ => Err(Denial::Malformed(
                "the authorization id differs from the user",
            )),
        },
    }
}

/// Decodes a name in which `,` and `=` are written as `=2C` and `=3D`.
fn decoded_name(name: &str) -> Result<String, Denial> {
    let mut parts = name.split('=');
    let mut decoded = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (sign, rest) = if let Some(rest) = part.strip_prefix("2C") {
            (',', rest)
        } else if let Some(rest) = part.strip_prefix("3D") {
            ('=', rest)
        } else {
            return Err(Denial::Malformed("the name has an invalid escape"));
        };
        decoded.push(sign);
        decoded.push_str(rest);
    }
    Ok(decoded)
}

fn text(message: &[u8]) -> Result<&str, Denial> {
    std::str::from_utf8(message).map_err(|_| Denial::Malformed("the message is not UTF-8"))
}

impl ScramChallenge {
    /// Verifies the client's proof, and returns the server's signature.
    pub(super) fn finish(self, message: &[u8]) -> ExchangeStep {
        match self.signature(message) {
            Ok(signature) => ExchangeStep::Done {
                last: format!("v={}", BASE64.encode(signature)).into(),
                user: self.user,
            },
            Err(denied) => ExchangeStep::Denied(denied),
        }
    }

    fn signature(&self, message: &[u8]) -> Result<Bytes, Denial> {
        let malformed = Denial::Malformed("the last message is not a SCRAM message");
        let message = text(message)?;
        let (unproven, proof) = message.rsplit_once(",p=").ok_or(malformed)?;
        let proof = BASE64.decode(proof).map_err(|_| malformed)?;
        let mut parts = unproven.split(',');
        let header = parts.next().and_then(|part| part.strip_prefix("c="));
        let nonce = parts.next().and_then(|part| part.strip_prefix("r="));
        let header = header.and_then(|header| BASE64.decode(header).ok());
        if header.as_deref() != Some(self.header.as_bytes()) {
            return Err(Denial::Malformed(
                "the last message does not repeat the first",
            ));
        }
        if nonce != Some(self.nonce.as_str()) {
            return Err(Denial::Malformed("the nonce has changed"));
        }
        let signed = format!("{},{unproven}", self.signed);
        if !self.is_proof(&proof, signed.as_bytes()) {
            return Err(Denial::Credentials);
        }
        let key = &self.credential.server_key;
        Ok(self.mechanism.hmac(key, signed.as_bytes()))
    }

    fn is_proof(&self, proof: &[u8], signed: &[u8]) -> bool {
        let signature = self.mechanism.hmac(&self.credential.stored_key, signed);
        if proof.len() != signature.len() {
            return false;
        }
        let client_key: Vec<u8> = proof
            .iter()
            .zip(&signature)
            .map(|(proof, signature)| proof ^ signature)
            .collect();
        let stored_key = self.mechanism.hash(&client_key);
        stored_key.ct_eq(&self.credential.stored_key).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    /// The example of RFC 7677.
    const SALT: &str = "W22ZaJ0SNY7soEsUEjb6gQ==";
    const FIRST: &[u8] = b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO";
    const SERVER_NONCE: &str = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
    const CHALLENGE: &[u8] =
        b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
    const LAST: &[u8] = b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
    const SIGNATURE: &[u8] = b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

    fn pencil(user: &str, mechanism: ScramMechanism) -> Option<ScramCredential> {
        let salt = BASE64.decode(SALT).unwrap().into();
        (user == "user").then(|| ScramCredential::from_password(mechanism, b"pencil", salt, 4096))
    }

    fn begin(first: &[u8]) -> Result<(Bytes, ScramChallenge), Denial> {
        challenge(
            ScramMechanism::Sha256,
            first,
            SERVER_NONCE,
            &pencil,
            &Decoy::new(),
        )
    }

    #[test]
    fn the_exchange_of_rfc_7677_is_reproduced() {
        let (challenge, challenged) = begin(FIRST).unwrap();
        assert_eq!(challenge, CHALLENGE);
        let ExchangeStep::Done { user, last } = challenged.finish(LAST) else {
            panic!("the proof is valid")
        };
        assert_eq!((user.as_str(), &last[..]), ("user", SIGNATURE));
    }

    #[test]
    fn any_change_of_the_last_message_is_denied() {
        for at in 0..LAST.len() {
            let (_, challenged) = begin(FIRST).unwrap();
            let mut last = LAST.to_vec();
            last[at] ^= 1;
            let step = challenged.finish(&last);
            assert!(matches!(step, ExchangeStep::Denied(_)), "at {at}");
        }
    }

    #[test]
    fn an_unknown_user_gets_a_constant_challenge_and_is_denied_at_the_end() {
        let decoy = Decoy::new();
        let ask = || {
            let first = b"n,,n=nobody,r=abc";
            challenge(ScramMechanism::Sha256, first, "def", &pencil, &decoy).unwrap()
        };
        let ((first, challenged), (second, _)) = (ask(), ask());
        assert_eq!(first, second);
        let last = format!("c=biws,r=abcdef,p={}", BASE64.encode([0; 32]));
        let step = challenged.finish(last.as_bytes());
        assert!(matches!(step, ExchangeStep::Denied(Denial::Credentials)));
    }

    #[rstest]
    #[case::channel_binding(b"p=tls-unique,,n=user,r=abc")]
    #[case::other_user(b"n,a=admin,n=user,r=abc")]
    #[case::no_nonce(b"n,,n=user")]
    #[case::empty_name(b"n,,n=,r=abc")]
    #[case::extension(b"n,,m=ext,n=user,r=abc")]
    #[case::escape(b"n,,n=us=er,r=abc")]
    #[case::empty(b"")]
    #[case::not_text(b"n,,n=\xff,r=abc")]
    fn invalid_first_messages_are_denied(#[case] first: &[u8]) {
        assert!(matches!(begin(first), Err(Denial::Malformed(_))));
    }

    #[test]
    fn names_may_contain_commas_and_equal_signs() {
        assert_eq!(decoded_name("a=2Cb=3Dc").unwrap(), "a,b=c");
    }
}
