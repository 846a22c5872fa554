//! Strangers at a listener that asks for passwords. They know the user's name and her password, say both as they should, and with everything
//! wrong that a generator finds; whoever did not say it right is not let in.

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
/// Few, so that a case takes little time; the broker asks for more of its users.
const ITERATIONS: u32 = 2;
/// The most connections of one stranger, and the most that it says on one.
const CONNECTIONS_MAX: usize = 4;
const WORDS_MAX: usize = 8;
/// What a request has that asks for what only a user gets.
const PROBE: i32 = 0x5EED_5EED;

/// A broker with one user.
#[derive(Clone)]
struct Guarded(Broker<SimEnv>);

impl Handler for Guarded {
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
        unreachable!("no server starts here")
    }

    fn register_listeners(&self, _: Vec<OpenListener>) -> Option<ListenerRegistration> {
        unreachable!("no server starts here")
    }

    fn memory(&self) -> Arc<Memory> {
        Handler::memory(&self.0)
    }

    fn scram_credential(&self, user: &str, mechanism: ScramMechanism) -> Option<ScramCredential> {
        let credential = || ScramCredential::from_password(mechanism, PASSWORD, SALT, ITERATIONS);
        (user == USER).then(credential)
    }
}

/// One stranger, and one user behind it.
pub(super) async fn try_user(random: &mut Random) -> Tally {
    let env = SimEnv::new(1);
    let guarded = Guarded(broker(&env));
    let target = Target::over(guarded, env, Some(Arc::from(Mechanism::ALL)));
    let mut tally = Tally::default();
    for _ in 0..=random.below(CONNECTIONS_MAX) {
        let mut stranger = Stranger::new(target.connect(false));
        for _ in 0..=random.below(WORDS_MAX) {
            let bytes = stranger.next_word(random);
            tally.sent += 1;
            target.send(&mut stranger.line, &bytes, TAKEN).await;
            stranger.listen();
            if stranger.line.is_over() {
                tally.ended += 1;
                break;
            }
        }
        tally.let_in += usize::from(stranger.is_let_in);
        tally.answered += stranger.line.leave().await;
    }
    lets_the_user_in(&target).await;
    target.serves_a_good_client().await;
    tally
}

async fn lets_the_user_in(target: &Target<Guarded>) {
    let mut user = Stranger::new(target.connect(false));
    user.chose(Mechanism::Plain, 1);
    let message = user.honest();
    user.says(&message);
    for word in [handshake("PLAIN", 1), authenticate(&message, 1), probe()] {
        user.line.send(&word).await;
    }
    user.listen();
    assert!(user.is_let_in, "a user is let in");
    user.line.leave().await;
}

/// One connection of a stranger.
struct Stranger {
    line: Line,
    /// What it chose last.
    chosen: Option<Mechanism>,
    is_bare: bool,
    /// The first message that it sent, if SCRAM was chosen, and what the server answered.
    first: Option<Vec<u8>>,
    challenge: Option<String>,
    /// Whether it has said what a user says.
    may_be_let_in: bool,
    is_let_in: bool,
}

impl Stranger {
    fn new(line: Line) -> Self {
        Self {
            line,
            chosen: None,
            is_bare: false,
            first: None,
            challenge: None,
            may_be_let_in: false,
            is_let_in: false,
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

    /// What a user says next.
    fn word_in_order(&mut self, random: &mut Random) -> Vec<u8> {
        if self.chosen.is_none() {
            let mechanism = Mechanism::ALL[random.below(Mechanism::ALL.len())];
            let version = random.below(2) as i16;
            self.chose(mechanism, version);
            return handshake(mechanism.name(), version);
        }
        if self.may_be_let_in {
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

    /// The next message: as a user would say it, or not.
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

    /// Keeps in mind what it says.
    fn says(&mut self, message: &[u8]) {
        let is_scram = matches!(self.chosen, Some(Mechanism::Scram(_)));
        if is_scram && self.challenge.is_none() {
            self.first = Some(message.to_vec());
            return;
        }
        let honest = self.honest();
        // Whoever names herself twice is herself too.
        let twice = [USER.as_bytes(), &honest].concat();
        self.may_be_let_in |= message == honest || message == twice;
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

    /// Takes what the server has answered.
    fn listen(&mut self) {
        for answer in self.line.answers() {
            if answer.starts_with(&PROBE.to_be_bytes()) {
                assert!(self.may_be_let_in, "a stranger is let in");
                self.is_let_in = true;
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

/// `r=...,s=...,i=...`, with whatever around it.
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

/// The message without a request around it.
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
