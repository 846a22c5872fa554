//! SCRAM (RFC 5802, RFC 7677), the client's side. No side sends the password; each proves to the other that it has it.
//!
//! ```text
//!   client  n,,n=user,r=nonce
//!   server  r=nonce+nonce,s=salt,i=iterations
//!   client  c=biws,r=nonce+nonce,p=proof
//!   server  v=signature
//! ```

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD as BASE64, URL_SAFE_NO_PAD};
use bytes::Bytes;
use headwater_env::{Env as _, RealEnv};
use headwater_metadata::ScramMechanism;

use crate::error::ConnectionError;

/// More would keep the client busy. Kafka's brokers use 4,096 by default and at most 16,384.
const ITERATIONS_MAX: u32 = 100_000;
/// RFC 7677 requires this minimum; with fewer it is easy to find the password from a recorded exchange.
const ITERATIONS_MIN: u32 = 4_096;

/// The header: no channel binding, no separate authorization identity.
const HEADER: &str = "n,,";
const HEADER_BASE64: &str = "biws";

/// A random nonce.
pub(super) fn nonce() -> String {
    let mut random = [0; 24];
    RealEnv.fill_random(&mut random);
    URL_SAFE_NO_PAD.encode(random)
}

/// The state before the broker's challenge.
pub(super) struct ScramClient {
    mechanism: ScramMechanism,
    nonce: String,
    /// The first message without the header.
    first_bare: String,
}

/// The client's proof, and the signature that the broker must return.
pub(super) struct Proof {
    pub(super) message: Bytes,
    server_signature: Bytes,
}

impl ScramClient {
    pub(super) fn new(mechanism: ScramMechanism, username: &str, nonce: &str) -> Self {
        let escaped = username.replace('=', "=3D").replace(',', "=2C");
        Self {
            mechanism,
            nonce: nonce.to_owned(),
            first_bare: format!("n={escaped},r={nonce}"),
        }
    }

    pub(super) fn first_message(&self) -> Bytes {
        format!("{HEADER}{}", self.first_bare).into()
    }

    /// Answers the broker's challenge. `salted_password` salts the password with a salt and a number of iterations.
    pub(super) fn prove(
        &self,
        challenge: &[u8],
        salted_password: impl FnOnce(&[u8], u32) -> Bytes,
    ) -> Result<Proof, ConnectionError> {
        let challenge = std::str::from_utf8(challenge).map_err(|_| malformed())?;
        let Challenge {
            nonce,
            salt,
            iterations,
        } = parse_challenge(challenge)?;
        if !nonce.starts_with(&self.nonce) || nonce.len() == self.nonce.len() {
            return Err(malformed());
        }
        let mechanism = self.mechanism;
        let salted = salted_password(&salt, iterations);
        let client_key = mechanism.hmac(&salted, b"Client Key");
        let server_key = mechanism.hmac(&salted, b"Server Key");
        let without_proof = format!("c={HEADER_BASE64},r={nonce}");
        let signed = format!("{},{challenge},{without_proof}", self.first_bare);
        let signature = mechanism.hmac(&mechanism.hash(&client_key), signed.as_bytes());
        let proof: Vec<u8> = client_key
            .iter()
            .zip(&signature)
            .map(|(key, signature)| key ^ signature)
            .collect();
        Ok(Proof {
            message: format!("{without_proof},p={}", BASE64.encode(proof)).into(),
            server_signature: mechanism.hmac(&server_key, signed.as_bytes()),
        })
    }
}

impl Proof {
    /// Checks that the broker has the password too.
    pub(super) fn verify(&self, answer: &[u8]) -> Result<(), ConnectionError> {
        let answer = std::str::from_utf8(answer).map_err(|_| malformed())?;
        if let Some(reason) = answer.strip_prefix("e=") {
            return Err(ConnectionError::authentication(format!(
                "The broker refused the authentication ({reason}): check sasl.username and sasl.password"
            )));
        }
        let signature = answer.strip_prefix("v=").and_then(|rest| {
            let signature = rest.split(',').next()?;
            BASE64.decode(signature).ok()
        });
        if signature.as_deref() == Some(&*self.server_signature) {
            return Ok(());
        }
        Err(ConnectionError::authentication(
            "The broker could not prove that it has the user's password: the server may be an impostor; check the address",
        ))
    }
}

struct Challenge<'a> {
    nonce: &'a str,
    salt: Vec<u8>,
    iterations: u32,
}

fn parse_challenge(challenge: &str) -> Result<Challenge<'_>, ConnectionError> {
    let mut parts = challenge.split(',');
    let mut part = |prefix: &str| parts.next().and_then(|part| part.strip_prefix(prefix));
    let (Some(nonce), Some(salt), Some(iterations)) = (part("r="), part("s="), part("i=")) else {
        return Err(malformed());
    };
    let salt = BASE64.decode(salt).map_err(|_| malformed())?;
    let iterations: u32 = iterations.parse().map_err(|_| malformed())?;
    if !(ITERATIONS_MIN..=ITERATIONS_MAX).contains(&iterations) {
        return Err(ConnectionError::authentication(format!(
            "The broker requires {iterations} iterations of SCRAM; this client accepts {ITERATIONS_MIN} to {ITERATIONS_MAX}: set the user's password again with an allowed number"
        )));
    }
    Ok(Challenge {
        nonce,
        salt,
        iterations,
    })
}

fn malformed() -> ConnectionError {
    ConnectionError::protocol(
        "The broker's SCRAM message cannot be parsed: check that sasl.mechanism is one that the broker supports",
    )
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    /// The example of RFC 7677.
    const NONCE: &str = "rOprNGfwEbeRWgbNEkqO";
    const CHALLENGE: &str =
        "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
    const PROOF: &str = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
    const SIGNATURE: &str = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

    fn client() -> ScramClient {
        ScramClient::new(ScramMechanism::Sha256, "user", NONCE)
    }

    fn prove(challenge: &str) -> Result<Proof, ConnectionError> {
        client().prove(challenge.as_bytes(), |salt, iterations| {
            ScramMechanism::Sha256.salted_password(b"pencil", salt, iterations)
        })
    }

    #[test]
    fn the_exchange_of_rfc_7677_is_reproduced() {
        assert_eq!(client().first_message(), "n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
        let proof = prove(CHALLENGE).unwrap();
        assert_eq!(proof.message, PROOF);
        proof.verify(SIGNATURE.as_bytes()).unwrap();
        proof.verify(format!("{SIGNATURE},x=1").as_bytes()).unwrap();
    }

    #[test]
    fn a_wrong_signature_of_the_broker_is_refused() {
        let proof = prove(CHALLENGE).unwrap();
        for at in 0..SIGNATURE.len() - 1 {
            let mut signature = SIGNATURE.as_bytes().to_vec();
            signature[at] ^= 1;
            assert!(proof.verify(&signature).is_err(), "at {at}");
        }
        assert!(proof.verify(b"").is_err());
        assert!(proof.verify(b"e=invalid-proof").is_err());
    }

    #[test]
    fn names_are_escaped() {
        let client = ScramClient::new(ScramMechanism::Sha512, "a=b,c", "x");
        assert_eq!(client.first_message(), "n,,n=a=3Db=2Cc,r=x");
    }

    #[rstest]
    #[case::other_nonce("r=another,s=AAAA,i=4096")]
    #[case::nonce_not_extended("r=rOprNGfwEbeRWgbNEkqO,s=AAAA,i=4096")]
    #[case::few_iterations("r=rOprNGfwEbeRWgbNEkqOx,s=AAAA,i=1")]
    #[case::endless("r=rOprNGfwEbeRWgbNEkqOx,s=AAAA,i=4000000000")]
    #[case::no_number("r=rOprNGfwEbeRWgbNEkqOx,s=AAAA,i=many")]
    #[case::no_salt("r=rOprNGfwEbeRWgbNEkqOx,i=4096")]
    #[case::empty("")]
    fn wrong_challenges_are_refused(#[case] challenge: &str) {
        assert!(prove(challenge).is_err());
    }
}
