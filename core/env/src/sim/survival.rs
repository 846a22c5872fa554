//! What a power cut leaves of the things that were not synced.
//!
//! Nothing promises an order between unsynced writes, so any subset of them may be on the disk, and any one may be there in part. Drawing
//! each by an even chance would almost never show the tidy cases, in which most mistakes hide; hence a mood is drawn first.

use super::contents::Pending;
use super::random::Random;

/// How a power cut treats what was not synced.
#[derive(Debug, Clone, Copy)]
enum Mood {
    /// The disk is as old as it may be.
    LosesAll,
    /// Everything happened to be written.
    KeepsAll,
    /// In the order of the calls up to some point, as in a journal.
    KeepsFirst,
    /// Each by itself, with this chance in percent.
    KeepsSome(usize),
}

/// The dice of one power cut.
#[derive(Debug)]
pub(super) struct Survival {
    mood: Mood,
    random: Random,
}

/// What becomes of one write.
enum Fate {
    Kept,
    Lost,
    Torn,
}

impl Survival {
    pub(super) fn new(mut random: Random) -> Survival {
        let mood = match random.below(10) {
            0 | 1 => Mood::LosesAll,
            2 => Mood::KeepsAll,
            3..=5 => Mood::KeepsFirst,
            6 => Mood::KeepsSome(20),
            7 | 8 => Mood::KeepsSome(50),
            _ => Mood::KeepsSome(85),
        };
        Survival { mood, random }
    }

    /// Which of `count` changes of names, in their order, are on the disk.
    pub(super) fn changes(&mut self, count: usize) -> Vec<bool> {
        let point = self.random.below(count + 1);
        (0..count)
            .map(|index| match self.mood {
                Mood::LosesAll => false,
                Mood::KeepsAll => true,
                Mood::KeepsFirst => index < point,
                Mood::KeepsSome(chance) => self.random.percent(chance),
            })
            .collect()
    }

    /// Applies to the durable bytes of a file what is left of its unsynced calls.
    pub(super) fn apply(&mut self, durable: &mut Vec<u8>, pending: &[Pending]) {
        let point = self.random.below(pending.len() + 1);
        for (index, call) in pending.iter().enumerate() {
            match self.fate(index, point) {
                Fate::Lost => {}
                Fate::Kept => call.apply(durable),
                Fate::Torn => self.tear(durable, call),
            }
        }
    }

    fn fate(&mut self, index: usize, point: usize) -> Fate {
        match self.mood {
            Mood::KeepsAll => Fate::Kept,
            Mood::KeepsFirst if index < point => Fate::Kept,
            Mood::KeepsFirst if index == point => Fate::Torn,
            Mood::KeepsFirst | Mood::LosesAll => Fate::Lost,
            Mood::KeepsSome(chance) if self.random.percent(chance) => Fate::Kept,
            Mood::KeepsSome(_) if self.random.percent(50) => Fate::Lost,
            Mood::KeepsSome(_) => Fate::Torn,
        }
    }

    /// A write that got to some byte; behind it nothing, zeros or garbage.
    fn tear(&mut self, durable: &mut Vec<u8>, call: &Pending) {
        let Pending::Write { position, bytes } = call else {
            if self.random.percent(50) {
                call.apply(durable);
            }
            return;
        };
        let cut = self.random.below(bytes.len() + 1);
        let mut torn = bytes.clone();
        match self.random.below(3) {
            0 => torn.truncate(cut),
            1 => torn[cut..].fill(0),
            _ => self.random.fill(&mut torn[cut..]),
        }
        Pending::Write {
            position: *position,
            bytes: torn,
        }
        .apply(durable);
    }
}
