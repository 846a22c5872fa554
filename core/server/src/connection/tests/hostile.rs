//! Bytes that no client sends, against a connection in front of a real broker.

use std::path::Path;

use headwater_broker::{Broker, Listener};
use headwater_env::MemoryEnv;
use headwater_metadata::BrokerConfig;
use headwater_protocol::ApiKey;
use tokio::io::{AsyncReadExt as _, duplex};

use crate::connection::*;
use crate::sasl::{Decoy, Session};

#[path = "../../../../protocol/tests/schema/mod.rs"]
mod schema;

use schema::Random;

/// A fresh broker for each, because some requests are valid and make topics.
const ROUNDS: u64 = 100;
const CASES_PER_ROUND: u64 = 1_000;

/// A valid request of any API that is served and any version, with random fields.
fn request(apis: &[(schema::Message, ApiKey)], random: &mut Random) -> Vec<u8> {
    let (message, api) = &apis[random.below(apis.len())];
    let versions = api.supported();
    let version = versions.lowest + random.below(versions.iter().count()) as i16;
    let mut frame = vec![0; 4];
    frame.extend(api.code().to_be_bytes());
    frame.extend(version.to_be_bytes());
    frame.extend([0, 0, 0, 1, 0xFF, 0xFF]);
    if api.is_flexible(version) {
        frame.push(0);
    }
    frame.extend(message.random_bytes(version, random));
    set_length(&mut frame);
    frame
}

fn set_length(frame: &mut [u8]) {
    let length = frame.len() as i32 - 4;
    frame[..4].copy_from_slice(&length.to_be_bytes());
}

/// A frame with some of it wrong; now and then nothing.
fn mutated(mut bytes: Vec<u8>, random: &mut Random) -> Vec<u8> {
    for _ in 0..random.below(4) {
        let at = random.below(bytes.len());
        match random.below(6) {
            0 => bytes[at] = random.next() as u8,
            1 => bytes[at] ^= 1 << random.below(8),
            2 => bytes[at] = 0xFF,
            3 => bytes.truncate(at.max(4)),
            4 => {
                let more = random.below(32);
                bytes.extend(random.bytes(more));
            }
            _ => {
                let end = (at + 4).min(bytes.len());
                bytes[at..end].fill(0x7F);
            }
        }
    }
    // Most keep a true length, or nothing behind it would ever be read.
    if !random.chance(4) {
        set_length(&mut bytes);
    }
    bytes
}

fn served() -> Vec<(schema::Message, ApiKey)> {
    let served = schema::messages().into_iter().filter_map(|message| {
        let api = ApiKey::from_code(message.key?)?;
        let is_served = message.kind == "request" && Broker::<MemoryEnv>::served().contains(&api);
        is_served.then_some((message, api))
    });
    served.collect()
}

fn broker() -> Broker<MemoryEnv> {
    let config = BrokerConfig::default();
    Broker::open(MemoryEnv::new(), Path::new("/data"), config)
        .unwrap()
        .0
}

fn connection<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    broker: &Broker<MemoryEnv>,
    memory: &Arc<Memory>,
) -> Connection<S, Broker<MemoryEnv>> {
    let dispatch = Dispatch::new(
        broker.clone(),
        Arc::clone(memory),
        Listener::default(),
        Arc::from("test"),
        Session::not_asked(Arc::new(Decoy::new())),
    );
    Connection::new(
        stream,
        dispatch,
        Arc::new(Limits::default()),
        Arc::clone(memory),
        Box::pin(std::future::pending()),
    )
}

#[tokio::test(start_paused = true)]
async fn mutated_requests_end_or_are_answered_and_leave_nothing_behind() {
    let memory = Arc::new(Memory::new(1 << 20));
    let apis = served();
    assert_eq!(apis.len(), Broker::<MemoryEnv>::served().len());
    let mut answers = 0;
    for round in 0..ROUNDS {
        let broker = broker();
        for case in 0..CASES_PER_ROUND {
            let mut random = Random::new(round << 32 | case);
            let bytes = mutated(request(&apis, &mut random), &mut random);
            let (mut client, theirs) = duplex(4096);
            let serving = tokio::spawn(connection(theirs, &broker, &memory).run());
            // The connection may end before it has taken all.
            let _ = client.write_all(&bytes).await;
            let mut answer = [0; 4];
            let reading = timeout(Duration::from_millis(1), client.read_exact(&mut answer));
            answers += usize::from(reading.await.is_ok_and(|read| read.is_ok()));
            drop(client);
            let end = timeout(Duration::from_hours(1), serving).await;
            end.unwrap_or_else(|_| panic!("round {round} case {case} does not end: {bytes:?}"))
                .unwrap_or_else(|error| panic!("round {round} case {case}: {error}: {bytes:?}"));
            assert_eq!(memory.used(), 0, "round {round} case {case}");
        }
    }
    let cases = (ROUNDS * CASES_PER_ROUND) as usize;
    assert!(
        answers > cases / 4,
        "only {answers} of {cases} were answered"
    );
    assert!(answers < cases, "nothing was refused");
}
