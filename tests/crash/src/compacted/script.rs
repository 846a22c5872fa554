//! The steps of a program with a compacted log.

use crate::chance::Chance;

/// A key, and a value or a tombstone.
pub type KeyedValue = (u8, Option<Vec<u8>>);

/// One call of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// One batch.
    Append {
        /// Its records, each value different from all others of the script.
        records: Vec<KeyedValue>,
        /// Whether it comes from an idempotent producer.
        idempotent: bool,
    },
    /// Makes all appended records durable.
    Flush,
    /// Rolls the active segment.
    Roll,
    /// Cleans the cleanable part.
    Clean,
    /// Cleans with memory for this many keys of the dirty part.
    CleanKeys(usize),
    /// Writes the checkpoints.
    Checkpoint,
    /// Advances the time by this many milliseconds.
    Wait(u64),
    /// Closes in order and starts again.
    Restart,
}

/// A script whose last cleaning drops two segments that it empties: the older has a value, the newer the tombstone of
/// its key.
///
/// The previous cleaning had memory only for the first key of the tombstone's batch. It set the delete horizon of the
/// whole batch, and left the value. So one cleaning removes both.
pub fn marker_and_value_in_emptied_segments() -> Vec<Step> {
    let put = |key, bytes| append_of(vec![(key, Some(vec![key; bytes]))]);
    let sealed = [Step::Roll, Step::Flush];
    let mut steps = vec![put(0, 680), Step::Roll, put(2, 250)];
    steps.extend(sealed.clone());
    steps.extend([
        Step::Clean,
        put(9, 500),
        put(9, 9),
        append_of(vec![(1, None), (2, None)]),
    ]);
    steps.extend(sealed.clone());
    steps.extend([Step::CleanKeys(2), Step::Wait(50), put(9, 600)]);
    steps.extend(sealed);
    steps.extend([Step::Clean, put(3, 9)]);
    steps
}

fn append_of(records: Vec<KeyedValue>) -> Step {
    Step::Append {
        records,
        idempotent: false,
    }
}

/// The number of keys.
const KEYS: u64 = 7;

/// Draws a script. Every script cleans more than once and has something to lose at its end.
pub fn draw(seed: u64, length: usize) -> Vec<Step> {
    let mut chance = Chance::new(seed ^ 0xc1ea);
    let mut steps: Vec<_> = (0..length)
        .map(|number| draw_step(&mut chance, number))
        .collect();
    for number in [1000, 1001] {
        let ending = [
            Step::Roll,
            Step::Flush,
            Step::Clean,
            append(&mut chance, number),
        ];
        steps.extend(ending);
    }
    steps
}

fn draw_step(chance: &mut Chance, number: usize) -> Step {
    match chance.below(100) {
        0..=51 => append(chance, number),
        52..=61 => Step::Flush,
        62..=73 => Step::Roll,
        74..=87 => Step::Clean,
        88..=91 => Step::Checkpoint,
        92..=97 => Step::Wait(1 + chance.below(40)),
        _ => Step::Restart,
    }
}

fn append(chance: &mut Chance, number: usize) -> Step {
    let mut record = |index| {
        let key = chance.below(KEYS) as u8;
        let is_tombstone = chance.below(4) == 0;
        let mut value = format!("{number}.{index}:").into_bytes();
        value.extend(chance.bytes(60));
        (key, (!is_tombstone).then_some(value))
    };
    let records = (0..=number % 4).map(&mut record).collect();
    Step::Append {
        records,
        idempotent: chance.below(3) > 0,
    }
}
