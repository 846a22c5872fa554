//! Hostile clients on connections to a real broker. A client sends some requests: valid, mutated, truncated, with wrong
//! lengths, or no requests at all; on many connections, some of which it never reads.
//!
//! Requirements: no panic, no hang, memory bounded by the received bytes, no false authentication, correct service for
//! a good client, and intact records. `make fuzz` runs the same clients under a fuzzer, which chooses their actions.

#[path = "../../../../../protocol/tests/it/memory/mod.rs"]
#[allow(dead_code, reason = "other users of this file count calls")]
mod allocator;
mod frames;
mod guarded;
mod line;
#[path = "../../../../../broker/tests/it/hostile/plausible.rs"]
mod plausible;
#[path = "../../../../../protocol/tests/it/schema/mod.rs"]
mod schema;
mod target;
#[path = "../../../../../broker/tests/it/hostile/vocabulary.rs"]
mod vocabulary;

use std::ops::AddAssign;

use tokio::runtime::Builder;

use super::*;
use schema::Random;
use target::Target;

#[global_allocator]
static ALLOCATOR: allocator::CountingAllocator = allocator::CountingAllocator;

/// The number of requests of the bounded test.
#[cfg(not(fuzzing))]
const REQUESTS: usize = 100_000;
/// The maximum number of requests of one client.
const REQUESTS_OF_ONE_MAX: usize = 24;
/// The maximum memory of a request with its response and the broker's state: for each received byte, and a constant
/// (files of new partitions, which are in memory here; the configuration of a broker with its documentation; records).
const TAKEN: (usize, usize) = (1024, 4 << 20);

/// The results of a client.
#[derive(Debug, Default)]
struct Tally {
    sent: usize,
    answered: usize,
    /// Connections that the server ended.
    ended: usize,
    /// Users that were authenticated.
    authenticated: usize,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.sent += other.sent;
        self.answered += other.answered;
        self.ended += other.ended;
        self.authenticated += other.authenticated;
    }
}

/// Runs one client against one broker.
fn try_stranger(random: &mut Random) -> Tally {
    let runtime = Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        if random.chance(4) {
            guarded::try_user(random).await
        } else {
            try_requests(random).await
        }
    })
}

/// Sends requests to a listener without authentication.
async fn try_requests(random: &mut Random) -> Tally {
    let target = Target::new();
    random.know(vocabulary::vocabulary(target.topic_id().await));
    let mut tally = Tally::default();
    let mut line = target.connect(random.chance(8));
    for _ in 0..=random.below(REQUESTS_OF_ONE_MAX) {
        let bytes = frames::damaged_request(random);
        tally.sent += 1;
        target.send(&mut line, &bytes, TAKEN).await;
        if line.is_over() || random.chance(8) {
            tally.ended += usize::from(line.is_over());
            tally.answered += line.leave().await;
            line = target.connect(random.chance(8));
        }
        if random.chance(16) {
            target.wait(random);
        }
    }
    tally.answered += line.leave().await;
    target.is_unharmed().await;
    tally
}

#[cfg(not(fuzzing))]
#[test]
fn hostile_clients_are_answered_or_disconnected_without_harm() {
    let mut all = Tally::default();
    for seed in 0.. {
        all += try_stranger(&mut Random::new(seed));
        if all.sent >= REQUESTS {
            break;
        }
    }
    assert!(all.answered > all.sent / 4, "too few responses: {all:?}");
    assert!(all.ended > all.sent / 10, "too few disconnections: {all:?}");
    assert!(
        all.authenticated > 100,
        "too few users were authenticated: {all:?}"
    );
}

#[cfg(fuzzing)]
#[test]
fn hostile_clients_are_answered_or_disconnected_without_harm() {
    bolero::check!().for_each(|script: &[u8]| drop(try_stranger(&mut Random::scripted(script))));
}
