//! Finished records: `enable.auto.commit` commits finished records and no others.
//!
//! A record is finished when the caller requests more. Until then the caller may still be working on the last table or
//! message, so a consumer that is closed before does not commit it.
//!
//! A caller that works on several partitions at once finishes records explicitly ([`Finishing::Explicit`]).

use headwater_record::Offset;

use super::super::Consumer;
use super::super::group::offsets::Offsets;
use crate::batch::TopicPartition;
use crate::mutants::{self, Mutant};

/// The event that finishes records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Finishing {
    /// A request for more records finishes those that were handed out before.
    #[default]
    NextCall,
    /// Only [`Consumer::finish`] and explicit commits do.
    Explicit,
}

impl Consumer {
    /// Sets the event that finishes later records.
    pub fn set_finishing(&mut self, finishing: Finishing) {
        self.finish_before_last();
        self.committing.finishing = finishing;
    }

    /// Finishes the records before these offsets: auto-commit may commit them. For [`Finishing::Explicit`]. Leaves out
    /// partitions that are no longer assigned, and offsets behind the position: those records were handed out before a
    /// seek, or by a topic that was recreated since.
    pub fn finish(&mut self, next_offsets: &Offsets) {
        let positions = self.assignment.positions();
        let was_handed_out = |(partition, next): &(&TopicPartition, &Offset)| {
            let position = positions.get(partition);
            position.is_some_and(|position| *next <= position)
                || mutants::is_active(Mutant::FinishOldTopic)
        };
        let finished = next_offsets.iter().filter(was_handed_out);
        let finished = finished.map(|(partition, next)| (partition.clone(), *next));
        self.committing.finished.finish(&finished.collect());
    }

    /// Finishes everything that was handed out, because the caller requests more.
    pub(super) fn finish_handed_out(&mut self) {
        self.finish_all();
        self.assignment.settle();
    }

    /// Finishes everything that was handed out, and leaves positions unchanged.
    pub(super) fn finish_all(&mut self) {
        let handed_out = self.assignment.handed_out();
        self.gauge.move_to(&handed_out);
        if self.committing.finishing == Finishing::NextCall {
            self.committing.finished.finish(&handed_out);
        }
    }

    /// Finishes everything that was handed out, except the last table or message.
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
