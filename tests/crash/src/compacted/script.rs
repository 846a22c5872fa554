//! What a program does to its compacted log.

use crate::chance::Chance;

/// A key, and a value or a tombstone.
pub type Keyed = (u8, Option<Vec<u8>>);

/// One call of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// One batch.
    Append {
        /// Its records, each value unlike all others of the script.
        records: Vec<Keyed>,
        /// Whether it comes from an idempotent producer.
        idempotent: bool,
    },
    /// Makes all that was appended durable.
    Flush,
    /// Closes the active segment.
    Roll,
    /// Cleans what may be cleaned.
    Clean,
    /// Cleans with memory for so many keys of the dirty part.
    CleanKeys(usize),
    /// Writes the checkpoints.
    Checkpoint,
    /// Lets so many milliseconds pass.
    Wait(u64),
    /// Ends in order and starts again.
    Restart,
}

/// A script whose last cleaning drops two segments that it empties: the older has a value, the newer the deletion marker of its key.
///
/// The marker is in a batch of which the cleaning before had memory for the first key only. That cleaning set the delete horizon of the whole
/// batch, and left the value. So both go in one cleaning.
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

fn append_of(records: Vec<Keyed>) -> Step {
    Step::Append {
        records,
        idempotent: false,
    }
}

/// How many keys there are.
const KEYS: u64 = 7;

/// Draws a script. Whatever is drawn, it cleans more than once and there is something to lose at its end.
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
