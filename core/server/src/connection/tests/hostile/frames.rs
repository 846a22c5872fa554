//! The frames of a hostile client.

use std::sync::LazyLock;

use headwater_broker::Broker;
use headwater_env::SimEnv;
use headwater_protocol::{ApiKey, Decoder, Request};

use super::plausible::make_plausible;
use super::schema::damage::{DAMAGES, damaged, mutate};
use super::schema::{self, Message, Random};
use super::{Bytes, BytesMut};

/// The requests that the broker supports.
static SERVED: LazyLock<Vec<(Message, ApiKey)>> = LazyLock::new(|| {
    let served = schema::messages().into_iter().filter_map(|message| {
        let api = ApiKey::from_code(message.key?)?;
        let is_served = message.kind == "request" && Broker::<SimEnv>::served().contains(&api);
        is_served.then_some((message, api))
    });
    served.collect()
});

/// A request of any supported API and version; half of them are damaged.
pub(super) fn damaged_request(random: &mut Random) -> Vec<u8> {
    let (message, api) = &SERVED[random.below(SERVED.len())];
    let versions = api.supported();
    let version = versions.lowest + random.below(versions.iter().count()) as i16;
    let header = header(*api, version);
    let mut body = message.random_bytes(version, random);
    if random.chance(2) {
        body = plausible(*api, version, body, random);
    }
    if random.chance(2) {
        body = damaged(body, random.below(DAMAGES), random);
    }
    framed([header, body].concat(), random)
}

fn header(api: ApiKey, version: i16) -> Vec<u8> {
    let mut header = api.code().to_be_bytes().to_vec();
    header.extend(version.to_be_bytes());
    header.extend([0, 0, 0, 1, 0xFF, 0xFF]);
    if api.is_flexible(version) {
        header.push(0);
    }
    header
}

fn plausible(api: ApiKey, version: i16, body: Vec<u8>, random: &mut Random) -> Vec<u8> {
    let mut decoder = Decoder::new(Bytes::from(body));
    let mut request = Request::decode(api, &mut decoder, version).unwrap();
    make_plausible(&mut request, version, random);
    let mut out = BytesMut::new();
    request.encode(&mut out, version).unwrap();
    out.to_vec()
}

/// The frame of `content`. One in eight has a damaged length or header.
pub(super) fn framed(content: Vec<u8>, random: &mut Random) -> Vec<u8> {
    let mut frame = (content.len() as i32).to_be_bytes().to_vec();
    let head = content.len().min(12);
    if random.chance(8) {
        frame.extend(&content[..head]);
        frame = mutate(frame, random);
        frame.extend(&content[head..]);
        return frame;
    }
    frame.extend(content);
    frame
}
