//! The effect of a power cut on unsynced changes.
//!
//! Unsynced writes have no order, so any subset of them may be on the disk, and any of them may be partial. Independent
//! draws would almost never produce the simple cases, in which most bugs hide; so the behaviour of the disk is drawn
//! first.

use super::contents::PendingCall;
use super::random::Random;

/// The behaviour of the disk in a power cut.
#[derive(Debug, Clone, Copy)]
enum DiskBehaviour {
    /// No unsynced change survives.
    LosesAll,
    /// All unsynced changes survive.
    KeepsAll,
    /// The changes up to some point survive, as with a journal.
    KeepsFirst,
    /// Each change survives with this probability in percent.
    KeepsSome(usize),
}

/// The random choices of one power cut.
#[derive(Debug)]
pub(super) struct Survival {
    behaviour: DiskBehaviour,
    random: Random,
}

/// The result of one write.
enum Fate {
    Kept,
    Lost,
    Torn,
}

impl Survival {
    pub(super) fn new(mut random: Random) -> Survival {
        let behaviour = match random.below(10) {
            0 | 1 => DiskBehaviour::LosesAll,
            2 => DiskBehaviour::KeepsAll,
            3..=5 => DiskBehaviour::KeepsFirst,
            6 => DiskBehaviour::KeepsSome(20),
            7 | 8 => DiskBehaviour::KeepsSome(50),
            _ => DiskBehaviour::KeepsSome(85),
        };
        Survival { behaviour, random }
    }

    /// Which of `count` ordered changes of names survive.
    pub(super) fn changes(&mut self, count: usize) -> Vec<bool> {
        let point = self.random.below(count + 1);
        (0..count)
            .map(|index| match self.behaviour {
                DiskBehaviour::LosesAll => false,
                DiskBehaviour::KeepsAll => true,
                DiskBehaviour::KeepsFirst => index < point,
                DiskBehaviour::KeepsSome(chance) => self.random.percent(chance),
            })
            .collect()
    }

    /// Applies the surviving calls to the durable bytes of a file.
    pub(super) fn apply(&mut self, durable: &mut Vec<u8>, pending: &[PendingCall]) {
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
        match self.behaviour {
            DiskBehaviour::KeepsAll => Fate::Kept,
            DiskBehaviour::KeepsFirst if index < point => Fate::Kept,
            DiskBehaviour::KeepsFirst if index == point => Fate::Torn,
            DiskBehaviour::KeepsFirst | DiskBehaviour::LosesAll => Fate::Lost,
            DiskBehaviour::KeepsSome(chance) if self.random.percent(chance) => Fate::Kept,
            DiskBehaviour::KeepsSome(_) if self.random.percent(50) => Fate::Lost,
            DiskBehaviour::KeepsSome(_) => Fate::Torn,
        }
    }

    /// A write that was interrupted at some byte, followed by nothing, zeros or garbage.
    fn tear(&mut self, durable: &mut Vec<u8>, call: &PendingCall) {
        let PendingCall::Write { position, bytes } = call else {
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
        PendingCall::Write {
            position: *position,
            bytes: torn,
        }
        .apply(durable);
    }
}
