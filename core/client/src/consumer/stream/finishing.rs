//! When records are finished: `enable.auto.commit` commits finished records and no others.
//!
//! A record is finished when the caller asks for more. The last table or message is in the caller's hands until then, so that a consumer that
//! is closed in the middle of it does not commit it.

use super::super::Consumer;
use crate::mutants::{self, Mutant};

impl Consumer {
    /// The caller asks for more, so everything that was handed out is finished.
    pub(super) fn finish_handed_out(&mut self) {
        let handed_out = self.assignment.handed_out();
        self.gauge.move_to(&handed_out);
        self.committing.finished.finish(&handed_out);
        self.assignment.settle();
    }

    /// Finishes what was handed out, without the last table or message.
    pub(in crate::consumer) fn finish_before_last(&mut self) {
        let finished = if mutants::is_active(Mutant::CommitInHand) {
            self.assignment.handed_out()
        } else {
            self.assignment.before_last_hand_out()
        };
        self.committing.finished.finish(&finished);
    }
}
