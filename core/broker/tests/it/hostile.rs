//! Hostile requests to the handlers: every supported API and version, valid, mutated, truncated, and with wrong
//! lengths. Requirements: no panic, no wait beyond the requested time, memory bounded by the size of the request, and a
//! response that its version can encode.
//!
//! Each run tries the same requests, by seed. The generator is the one of the protocol's own tests.

mod plausible;
mod vocabulary;

use std::pin::pin;
use std::time::Duration;

use crate::schema::damage::{DAMAGES, damaged};
use crate::schema::{self, Random};
use crate::support::*;
use bytes::{Bytes, BytesMut};
use headwater_broker::{Broker, RequestContext};
use headwater_env::{MemoryEnv, SimEnv};
use headwater_protocol::{ApiKey, Decoder, Request, Response};
use plausible::make_plausible;
use tokio::runtime::{Builder, Runtime};
use vocabulary::vocabulary;

#[global_allocator]
static MEMORY: crate::memory::CountingAllocator = crate::memory::CountingAllocator;

/// How many requests are decoded, and how many of them are handled, at each version of each API.
const DECODED: usize = 1200;
const HANDLED: usize = 300;
/// The number of requests per broker; a fresh broker keeps the created state small.
const HANDLED_BY_ONE: usize = 50;
/// The maximum memory for decoding: per byte of the request, and a constant for errors and empty messages.
const DECODING: (usize, usize) = (64, 1024);
/// The same for handling: the response, the state of the broker and its reads. The constant covers responses of a fixed
/// size (the configuration of a broker with its documentation) and the files of new partitions, which are in memory
/// here.
const HANDLING: (usize, usize) = (1024, 1 << 20);
/// The longest wait that a request can contain, plus a day.
const PATIENCE: Duration = Duration::from_secs(i32::MAX as u64 / 1000 + 86_400);

/// A broker with the topics of the requests, and the id of one of them.
fn broker_with_topics() -> (Target, [u8; 16]) {
    let env = SimEnv::new(1);
    let broker = open(&env, &[("offsets.topic.num.partitions", "2")]);
    let id = try_create(&broker, creatable("t", 3, &[])).topic_id;
    create(&broker, "compacted", 1, &[("cleanup.policy", "compact")]);
    append(&broker, "t", 0, batch(&["a", "b"]));
    append(&broker, "t", 1, batch_of((7, 0, 0), &["c"]));
    (Target { broker, env }, id.into_bytes())
}

/// Decodes. Valid requests must be decoded, and the memory is limited.
fn decode(api: ApiKey, version: i16, bytes: &Bytes, damage: usize) -> Option<Request> {
    let mut request = None;
    let peak = crate::memory::peak(|| {
        request = Some(Request::decode(
            api,
            &mut Decoder::new(bytes.clone()),
            version,
        ));
    });
    let allowed = DECODING.0 * bytes.len() + DECODING.1;
    assert!(
        peak <= allowed,
        "{api} {version}: {peak} bytes to read {bytes:?}"
    );
    let request = request.unwrap();
    assert!(
        damage != 0 || request.is_ok(),
        "{api} {version}: {request:?}"
    );
    request.ok()
}

/// A broker and its clock.
struct Target {
    broker: Broker<SimEnv>,
    env: SimEnv,
}

/// Handles a request. While it waits, the clock advances in growing steps and housekeeping runs.
async fn handle(target: &Target, version: i16, request: Request) -> Response {
    let context = RequestContext {
        api_version: Some(version),
        ..RequestContext::default()
    };
    let api = request.api_key();
    let asked = format!("{request:?}");
    let mut answer = pin!(target.broker.handle(&context, request));
    let mut waited = Duration::from_secs(1);
    while waited < PATIENCE {
        if let Ok(response) = tokio::time::timeout(waited, &mut answer).await {
            return response;
        }
        target.env.advance(waited);
        target.broker.housekeeping();
        waited *= 2;
    }
    panic!("{api} {version} is never answered: {asked}")
}

fn handle_within_bounds(
    runtime: &Runtime,
    target: &Target,
    version: i16,
    request: Request,
    len: usize,
) {
    let api = request.api_key();
    let asked = format!("{request:?}");
    let mut response = None;
    let peak =
        crate::memory::peak(|| response = Some(runtime.block_on(handle(target, version, request))));
    let allowed = HANDLING.0 * len + HANDLING.1;
    assert!(
        peak <= allowed,
        "{api} {version}: {peak} bytes to handle {asked}"
    );
    let response = response.unwrap();
    assert_eq!(response.api_key(), api);
    let mut out = BytesMut::new();
    response
        .encode(&mut out, version)
        .unwrap_or_else(|error| panic!("{error}, in the answer to {asked}: {response:?}"));
    Response::decode(api, &mut Decoder::new(out.freeze()), version).unwrap();
}

fn try_version(api: ApiKey, version: i16) {
    let message = schema::messages()
        .into_iter()
        .find(|message| message.kind == "request" && message.key == Some(api.code()));
    let message = message.unwrap();
    // Time advances when all tasks wait.
    let runtime = Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    let (mut target, id) = broker_with_topics();
    let mut random = Random::new((api.code() as u64) << 16 | version as u64);
    random.know(vocabulary(id));
    let mut handled = 0;
    for case in 0..DECODED {
        let damage = case % DAMAGES;
        let original = message.random_bytes(version, &mut random);
        let bytes = Bytes::from(damaged(original, damage, &mut random));
        let Some(mut request) = decode(api, version, &bytes, damage) else {
            continue;
        };
        if handled == HANDLED {
            continue;
        }
        handled += 1;
        if handled % 2 == 0 {
            make_plausible(&mut request, version, &mut random);
        }
        handle_within_bounds(&runtime, &target, version, request, bytes.len());
        if handled % HANDLED_BY_ONE == 0 {
            let (next, id) = broker_with_topics();
            target = next;
            random.know(vocabulary(id));
        }
    }
    assert_eq!(
        handled, HANDLED,
        "{api} {version}: too few requests could be read"
    );
}

#[test]
fn no_request_harms_the_broker() {
    for &api in Broker::<MemoryEnv>::served() {
        for version in api.supported().iter() {
            try_version(api, version);
        }
    }
}
