//! The records that must be found after a fault, and those that may be.

use std::collections::{BTreeMap, BTreeSet};

use crate::session::StepResult;

/// Values by offset.
pub type Values = BTreeMap<i64, Vec<u8>>;

/// The state of a log according to the results that its user got.
#[derive(Debug, Clone, Default)]
pub struct Expectation {
    /// Acknowledged as durable, and neither deleted nor truncated since: must survive a power cut.
    pub durable: Values,
    /// Acknowledged, and neither deleted nor truncated since: must survive the death of the process.
    pub appended: Values,
    /// Every value that was ever written at an offset. No other value may be served there.
    pub written: BTreeMap<i64, BTreeSet<Vec<u8>>>,
    /// The checkpointed log start: the log must not start before it.
    pub durable_start: i64,
}

impl Expectation {
    /// The state after a successful step.
    #[must_use]
    pub fn after(&self, outcome: &StepResult) -> Expectation {
        let mut next = self.while_under_way(outcome);
        if let Some((base, values)) = &outcome.appended {
            next.appended.extend((*base..).zip(values.iter().cloned()));
        }
        if let Some(durable_to) = outcome.durable_to {
            next.durable = next
                .appended
                .range(..durable_to)
                .map(|(offset, value)| (*offset, value.clone()))
                .collect();
        }
        next.durable_start = next.durable_start.max(outcome.durable_start.unwrap_or(0));
        next
    }

    /// The state in the middle of a step that would have this outcome: removed values may be gone, new ones may exist.
    #[must_use]
    pub fn while_under_way(&self, outcome: &StepResult) -> Expectation {
        let mut next = self.clone();
        let kept = outcome.log_start..outcome.log_end;
        next.durable.retain(|offset, _| kept.contains(offset));
        next.appended.retain(|offset, _| kept.contains(offset));
        if let Some((base, values)) = &outcome.appended {
            for (offset, value) in (*base..).zip(values) {
                next.written
                    .entry(offset)
                    .or_default()
                    .insert(value.clone());
            }
        }
        next
    }
}
