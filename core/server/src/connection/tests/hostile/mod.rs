//! Strangers, against connections in front of a real broker. A stranger sends some requests: as they should be, mutated, cut off, with
//! lengths that lie, or no requests at all; from many connections, and on some of them it reads nothing.
//!
//! Nothing panics, hangs, or holds more memory than arrived; no stranger is taken for a user; a good client beside is served; and what was
//! appended is sound. `make fuzz` tries the same strangers for as long as one likes: a fuzzer writes the script of their decisions.

#[path = "../../../../../protocol/tests/it/memory/mod.rs"]
#[allow(dead_code, reason = "others measure calls")]
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
static ALLOCATOR: allocator::Counting = allocator::Counting;

/// How many requests the bounded test sends.
#[cfg(not(fuzzing))]
const REQUESTS: usize = 100_000;
/// The most that one stranger sends.
const REQUESTS_OF_ONE_MAX: usize = 24;
/// The most bytes of memory that a request may take, with its answer and what the broker remembers: for each byte that arrived, and
/// whatever arrived (a new partition's files, which are in memory here; the configuration of a broker with its documentation; records).
const TAKEN: (usize, usize) = (1024, 4 << 20);

/// What came of a stranger.
#[derive(Debug, Default)]
struct Tally {
    sent: usize,
    answered: usize,
    /// Connections that the server ended.
    ended: usize,
    /// Users that were let in.
    let_in: usize,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.sent += other.sent;
        self.answered += other.answered;
        self.ended += other.ended;
        self.let_in += other.let_in;
    }
}

/// One stranger at one broker.
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

/// Requests to a listener that lets everybody in.
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
fn strangers_end_or_are_answered_and_harm_nothing() {
    let mut all = Tally::default();
    for seed in 0.. {
        all += try_stranger(&mut Random::new(seed));
        if all.sent >= REQUESTS {
            break;
        }
    }
    assert!(all.answered > all.sent / 4, "too few are answered: {all:?}");
    assert!(all.ended > all.sent / 10, "too few are refused: {all:?}");
    assert!(all.let_in > 100, "too few users get in: {all:?}");
}

#[cfg(fuzzing)]
#[test]
fn strangers_end_or_are_answered_and_harm_nothing() {
    bolero::check!().for_each(|script: &[u8]| drop(try_stranger(&mut Random::scripted(script))));
}
