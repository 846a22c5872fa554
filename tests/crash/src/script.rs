//! The steps of a program with a log.

use crate::chance::Chance;

/// One call of a program, or a few related ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// One batch, or one for each value.
    Append {
        /// Its values, each different from all others of the script.
        values: Vec<Vec<u8>>,
        /// Whether it comes from an idempotent producer.
        idempotent: bool,
        /// Whether each value is a separate request, and all are appended together.
        together: bool,
    },
    /// Makes all appended records durable.
    Flush,
    /// Rolls the active segment.
    Roll,
    /// Moves the start of the log forward by this percentage of it.
    DeleteRecords(u64),
    /// Applies retention.
    ApplyRetention,
    /// Deletes the oldest segment, as for lack of space.
    DeleteOldest,
    /// Removes the files of segments that were deleted long enough ago.
    DeleteDueFiles,
    /// Truncates the last part of the log, this percentage.
    Truncate(u64),
    /// Writes recovery point and log start to the checkpoint files.
    Checkpoint,
    /// Advances the time by this many milliseconds.
    Wait(u64),
    /// Closes in order and starts again.
    Restart,
}

/// Steps, and the configuration of the log.
#[derive(Debug, Clone)]
pub struct Script {
    /// The seed from which it was drawn.
    pub seed: u64,
    /// Whether each append is acknowledged only after a flush (`flush.messages=1`).
    pub flush_each: bool,
    /// The steps, in order.
    pub steps: Vec<Step>,
}

impl Script {
    /// Draws a script. Odd seeds flush each append.
    pub fn draw(seed: u64, length: usize) -> Script {
        Script::draw_of(seed, length, draw_step)
    }

    /// Draws a script with many removals and truncations.
    pub fn draw_removals(seed: u64, length: usize) -> Script {
        Script::draw_of(seed, length, draw_removal)
    }

    fn draw_of(seed: u64, length: usize, draw: fn(&mut Chance, usize) -> Step) -> Script {
        let mut chance = Chance::new(seed);
        let mut steps: Vec<Step> = (0..length)
            .map(|number| draw(&mut chance, number))
            .collect();
        // Every script has something to lose at the start and at the end.
        steps[0] = append(&mut chance, 1000, true);
        steps.push(append(&mut chance, 1001, true));
        Script {
            seed,
            flush_each: seed % 2 == 1,
            steps,
        }
    }
}

fn draw_step(chance: &mut Chance, number: usize) -> Step {
    match chance.below(100) {
        0..=51 => {
            let idempotent = chance.below(3) > 0;
            append(chance, number, idempotent)
        }
        52..=63 => Step::Flush,
        64..=68 => Step::Roll,
        69..=73 => Step::DeleteRecords(5 + chance.below(30)),
        74..=78 => Step::ApplyRetention,
        79..=82 => Step::DeleteDueFiles,
        83..=88 => Step::Truncate(1 + chance.below(40)),
        89..=94 => Step::Checkpoint,
        95..=97 => Step::Wait(1 + chance.below(40)),
        _ => Step::Restart,
    }
}

fn draw_removal(chance: &mut Chance, number: usize) -> Step {
    match chance.below(100) {
        0..=44 => {
            let idempotent = chance.below(3) > 0;
            append(chance, number, idempotent)
        }
        45..=50 => Step::Truncate(1 + chance.below(40)),
        51..=53 => Step::Roll,
        54..=56 => Step::Flush,
        57..=65 => Step::DeleteRecords(5 + chance.below(40)),
        66..=77 => Step::ApplyRetention,
        78..=83 => Step::DeleteOldest,
        84..=89 => Step::DeleteDueFiles,
        90..=94 => Step::Checkpoint,
        95..=97 => Step::Wait(1 + chance.below(40)),
        _ => Step::Restart,
    }
}

fn append(chance: &mut Chance, number: usize, idempotent: bool) -> Step {
    let value = |index| {
        let mut value = format!("{number}.{index}:").into_bytes();
        value.extend(chance.bytes(120));
        value
    };
    Step::Append {
        values: (0..=number % 4).map(value).collect(),
        idempotent,
        together: number % 2 == 1,
    }
}
