//! The callbacks of a subscription.

use headwater::{Rebalance, TopicPartition};
use pyo3::prelude::*;
use pyo3::{PyTraverseError, PyVisit};

use crate::convert::partitions;

/// `on_assign`, `on_revoke` and `on_lost` of a subscription.
#[derive(Debug, Default)]
pub(crate) struct Callbacks {
    assigned: Option<Py<PyAny>>,
    revoked: Option<Py<PyAny>>,
    lost: Option<Py<PyAny>>,
}

impl Callbacks {
    pub(crate) fn new(
        on_assign: Option<Py<PyAny>>,
        on_revoke: Option<Py<PyAny>>,
        on_lost: Option<Py<PyAny>>,
    ) -> Self {
        Self {
            assigned: on_assign,
            revoked: on_revoke,
            lost: on_lost,
        }
    }

    /// The function for this rebalance. Without `on_lost`, lost partitions are passed to `on_revoke`, as in Kafka.
    pub(crate) fn of(&self, rebalance: &Rebalance) -> Option<&Py<PyAny>> {
        match rebalance {
            Rebalance::Assigned(_) => self.assigned.as_ref(),
            Rebalance::Revoked(_) => self.revoked.as_ref(),
            Rebalance::Lost(_) => self.lost.as_ref().or(self.revoked.as_ref()),
        }
    }

    /// Reports the functions to the garbage collector: a method of an object that owns the consumer forms a cycle with
    /// it.
    pub(crate) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.assigned)?;
        visit.call(&self.revoked)?;
        visit.call(&self.lost)
    }
}

/// Calls a function with the partitions of a rebalance.
pub(crate) fn call<'py>(
    py: Python<'py>,
    function: &Py<PyAny>,
    rebalance: &Rebalance,
) -> PyResult<Bound<'py, PyAny>> {
    let partitions = partitions::list(py, concerned(rebalance).to_vec())?;
    function.bind(py).call1((partitions,))
}

fn concerned(rebalance: &Rebalance) -> &[TopicPartition] {
    match rebalance {
        Rebalance::Assigned(partitions)
        | Rebalance::Revoked(partitions)
        | Rebalance::Lost(partitions) => partitions,
    }
}
