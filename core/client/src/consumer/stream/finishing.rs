//! When records are finished: `enable.auto.commit` commits finished records and no others.
//!
//! A record is finished when the caller asks for more. The last table or message is in the caller's hands until then, so that a consumer that
//! is closed in the middle of it does not commit it.
//!
//! A caller that works on several partitions at once finishes records itself ([`Finishing::Explicit`]).

use super::super::Consumer;
use super::super::group::offsets::Offsets;
use crate::mutants::{self, Mutant};

/// What finishes records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Finishing {
    /// Asking for more records finishes those that were handed out before.
    #[default]
    NextCall,
    /// Only [`Consumer::finish`] and explicit commits do.
    Explicit,
}

impl Consumer {
    /// Sets what finishes records from now on.
    pub fn set_finishing(&mut self, finishing: Finishing) {
        self.finish_before_last();
        self.committing.finishing = finishing;
    }

    /// Finishes the records before these offsets: auto-commit may commit them. For [`Finishing::Explicit`]. Partitions that are not assigned
    /// any more are left out.
    pub fn finish(&mut self, next_offsets: &Offsets) {
        self.committing.finished.finish(next_offsets);
    }

    /// The caller asks for more, so everything that was handed out is finished.
    pub(super) fn finish_handed_out(&mut self) {
        self.finish_all();
        self.assignment.settle();
    }

    /// Finishes what was handed out, and leaves positions as they are.
    pub(super) fn finish_all(&mut self) {
        let handed_out = self.assignment.handed_out();
        self.gauge.move_to(&handed_out);
        if self.committing.finishing == Finishing::NextCall {
            self.committing.finished.finish(&handed_out);
        }
    }

    /// Finishes what was handed out, without the last table or message.
    pub(in crate::consumer) fn finish_before_last(&mut self) {
        if self.committing.finishing == Finishing::Explicit {
            return;
        }
        let finished = if mutants::is_active(Mutant::CommitInHand) {
            self.assignment.handed_out()
        } else {
            self.assignment.before_last_hand_out()
        };
        self.committing.finished.finish(&finished);
    }
}
