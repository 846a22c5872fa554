//! Hostile clients at a listener with authentication. They have the user's name and password, send correct exchanges
//! and all kinds of damaged ones; only a correct exchange authenticates.

use std::future::Future;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use headwater_broker::Broker;
use headwater_env::SimEnv;
use headwater_protocol::{MetadataRequest, SaslAuthenticateRequest, SaslHandshakeRequest};

use super::line::Line;
use super::schema::damage::{DAMAGES, damaged};
use super::target::broker;
use super::*;
use crate::sasl::Mechanism;

const USER: &str = "alice";
const PASSWORD: &[u8] = b"secret";
const SALT: Bytes = Bytes::from_static(b"sixteen bytes of");
/// Few, to make a case fast; the broker requires more.
const ITERATIONS: u32 = 2;
/// The maximum number of connections of a client, and of messages on each.
const CONNECTIONS_MAX: usize = 4;
const WORDS_MAX: usize = 8;
/// The marker of requests that only a user may send.
const PROBE: i32 = 0x5EED_5EED;

/// A broker with one user.
#[derive(Clone)]
struct SaslBroker(Broker<SimEnv>);

impl Handler for SaslBroker {
    fn handle(
        &self,
        context: RequestContext,
        request: Request,
    ) -> impl Future<Output = Response> + Send + 'static {
        Handler::handle(&self.0, context, request)
    }

    fn produce(
        &self,
        context: &RequestContext,
        requests: Vec<ProduceRequest>,
    ) -> Vec<ProduceResponse> {
        Handler::produce(&self.0, context, requests)
    }

    fn served(&self) -> &'static [ApiKey] {
        Handler::served(&self.0)
    }

    fn limits(&self) -> BrokerLimits {
        unreachable!("there is no server")
    }

    fn register_listeners(&self, _: Vec<OpenListener>) -> Option<ListenerRegistration> {
        unreachable!("there is no server")
    }

    fn memory(&self) -> Arc<RequestMemory> {
        Handler::memory(&self.0)
    }

    fn scram_credential(&self, user: &str, mechanism: ScramMechanism) -> Option<ScramCredential> {
        let credential = || ScramCredential::from_password(mechanism, PASSWORD, SALT, ITERATIONS);
        (user == USER).then(credential)
    }
}

/// A hostile client, followed by a user.
pub(super) async fn try_user(random: &mut Random) -> Tally {
    let env = SimEnv::new(1);
    let guarded = SaslBroker(broker(&env));
    let target = Target::over(guarded, env, Some(Arc::from(Mechanism::ALL)));
    let mut tally = Tally::default();
    for _ in 0..=random.below(CONNECTIONS_MAX) {
        let mut client = HostileClient::new(target.connect(false));
        for _ in 0..=random.below(WORDS_MAX) {
            let bytes = client.next_word(random);
            tally.sent += 1;
            target.send(&mut client.line, &bytes, TAKEN).await;
            client.listen();
            if client.line.is_over() {
                tally.ended += 1;
                break;
            }
        }
        tally.authenticated += usize::from(client.is_authenticated);
        tally.answered += client.line.leave().await;
    }
    lets_the_user_in(&target).await;
    target.serves_a_good_client().await;
    tally
}

async fn lets_the_user_in(target: &Target<SaslBroker>) {
    let mut user = HostileClient::new(target.connect(false));
    user.chose(Mechanism::Plain, 1);
    let message = user.honest();
    user.says(&message);
    for word in [handshake("PLAIN", 1), authenticate(&message, 1), probe()] {
        user.line.send(&word).await;
    }
    user.listen();
    assert!(user.is_authenticated, "the user is authenticated");
    user.line.leave().await;
}

/// A connection of a hostile client.
struct HostileClient {
    line: Line,
    /// The mechanism that it selected last.
    chosen: Option<Mechanism>,
    is_bare: bool,
    /// Its first message and the server's challenge, if SCRAM was selected.
    first: Option<Vec<u8>>,
    challenge: Option<String>,
    /// Whether it has sent a correct exchange.
    may_authenticate: bool,
    is_authenticated: bool,
}

impl HostileClient {
    fn new(line: Line) -> Self {
        Self {
            line,
            chosen: None,
            is_bare: false,
            first: None,
            challenge: None,
            may_authenticate: false,
            is_authenticated: false,
        }
    }

    fn next_word(&mut self, random: &mut Random) -> Vec<u8> {
        if random.chance(2) {
            return self.word_in_order(random);
        }
        match random.below(6) {
            0 => self.choose(random),
            1..=3 => {
                let message = self.message(random);
                let message = if self.is_bare == random.chance(8) {
                    authenticate(&message, random.below(3) as i16)
                } else {
                    bare(&message)
                };
                frames::framed(message[4..].to_vec(), random)
            }
            4 => probe(),
            _ => frames::damaged_request(random),
        }
    }

    /// The next message of a correct exchange.
    fn word_in_order(&mut self, random: &mut Random) -> Vec<u8> {
        if self.chosen.is_none() {
            let mechanism = Mechanism::ALL[random.below(Mechanism::ALL.len())];
            let version = random.below(2) as i16;
            self.chose(mechanism, version);
            return handshake(mechanism.name(), version);
        }
        if self.may_authenticate {
            return probe();
        }
        let honest = self.honest();
        self.says(&honest);
        if self.is_bare {
            bare(&honest)
        } else {
            authenticate(&honest, random.below(3) as i16)
        }
    }

    /// A handshake.
    fn choose(&mut self, random: &mut Random) -> Vec<u8> {
        let version = i16::from(!random.chance(4));
        let name = match random.below(4) {
            3 => random.text(),
            at => {
                self.chose(Mechanism::ALL[at], version);
                Mechanism::ALL[at].name().to_owned()
            }
        };
        frames::framed(handshake(&name, version)[4..].to_vec(), random)
    }

    fn chose(&mut self, mechanism: Mechanism, version: i16) {
        self.chosen = Some(mechanism);
        self.is_bare = version == 0;
    }

    /// The next message, correct or not.
    fn message(&mut self, random: &mut Random) -> Vec<u8> {
        let honest = self.honest();
        let message = match random.below(8) {
            0..=3 => honest,
            4 => with_text(&honest, PASSWORD, b"guess"),
            5 => with_text(&honest, USER.as_bytes(), random.text().as_bytes()),
            6 => {
                let long = "x".repeat(random.below(60_000));
                with_text(&honest, b"r=", format!("r={long}").as_bytes())
            }
            _ => damaged(honest, random.below(DAMAGES), random),
        };
        self.says(&message);
        message
    }

    /// Records the message.
    fn says(&mut self, message: &[u8]) {
        let is_scram = matches!(self.chosen, Some(Mechanism::Scram(_)));
        if is_scram && self.challenge.is_none() {
            self.first = Some(message.to_vec());
            return;
        }
        let honest = self.honest();
        // The authorization id may repeat the user name.
        let twice = [USER.as_bytes(), &honest].concat();
        self.may_authenticate |= message == honest || message == twice;
    }

    fn honest(&self) -> Vec<u8> {
        let Some(Mechanism::Scram(mechanism)) = self.chosen else {
            return [b"\0", USER.as_bytes(), b"\0", PASSWORD].concat();
        };
        match (&self.first, &self.challenge) {
            (Some(first), Some(challenge)) => proof(mechanism, first, challenge).into_bytes(),
            _ => format!("n,,n={USER},r=nonce").into_bytes(),
        }
    }

    /// Processes the server's responses.
    fn listen(&mut self) {
        for answer in self.line.answers() {
            if answer.starts_with(&PROBE.to_be_bytes()) {
                assert!(self.may_authenticate, "a hostile client was authenticated");
                self.is_authenticated = true;
            } else if let Some(challenge) = challenge_in(&answer) {
                self.challenge = Some(challenge);
            }
        }
    }
}

fn with_text(message: &[u8], text: &[u8], other: &[u8]) -> Vec<u8> {
    let found = message.windows(text.len()).position(|part| part == text);
    let Some(at) = found else {
        return [message, other].concat();
    };
    [&message[..at], other, &message[at + text.len()..]].concat()
}

/// Finds `r=...,s=...,i=...` in a response.
fn challenge_in(answer: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(answer);
    let text = &text[text.find("r=")?..];
    let iterations = text.find(",i=")? + 3;
    let digits = text[iterations..]
        .chars()
        .take_while(char::is_ascii_digit)
        .count();
    Some(text[..iterations + digits].to_owned())
}

/// The client's last message.
fn proof(mechanism: ScramMechanism, first: &[u8], challenge: &str) -> String {
    let first = String::from_utf8_lossy(first);
    let bare_at = first.match_indices(',').nth(1).map_or(0, |(at, _)| at + 1);
    let (header, bare) = first.split_at(bare_at);
    let nonce = challenge.split(',').next().unwrap_or_default();
    let unproven = format!("c={},{nonce}", BASE64.encode(header));
    let signed = format!("{bare},{challenge},{unproven}");
    let salted = mechanism.salted_password(PASSWORD, &SALT, ITERATIONS);
    let client_key = mechanism.hmac(&salted, b"Client Key");
    let signature = mechanism.hmac(&mechanism.hash(&client_key), signed.as_bytes());
    let proof: Vec<u8> = client_key
        .iter()
        .zip(&signature)
        .map(|(key, signature)| key ^ signature)
        .collect();
    format!("{unproven},p={}", BASE64.encode(proof))
}

fn handshake(mechanism: &str, version: i16) -> Vec<u8> {
    let mechanism = mechanism.into();
    encoded(&SaslHandshakeRequest { mechanism }.into(), version, 1)
}

fn authenticate(message: &[u8], version: i16) -> Vec<u8> {
    let request = SaslAuthenticateRequest {
        auth_bytes: Bytes::copy_from_slice(message),
        ..Default::default()
    };
    encoded(&request.into(), version, 1)
}

/// The bare message.
fn bare(message: &[u8]) -> Vec<u8> {
    [&(message.len() as i32).to_be_bytes(), message].concat()
}

/// A request that only a user may send.
fn probe() -> Vec<u8> {
    encoded(&MetadataRequest::default().into(), 5, PROBE)
}

fn encoded(request: &Request, version: i16, correlation_id: i32) -> Vec<u8> {
    let mut out = BytesMut::new();
    encode_request(&mut out, request, version, correlation_id, None).unwrap();
    out.to_vec()
}
