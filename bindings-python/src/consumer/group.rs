//! What a consumer does as a member of a group.

use headwater::Operation;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::Consumer;
use crate::convert::consuming::offsets;
use crate::convert::partitions;
use crate::errors;
use crate::rebalances::Callbacks;
use crate::runtime;

#[pymethods]
impl Consumer {
    /// Read what the group (`group_id`) assigns of these topics: a name, names, or a `re.compile(...)` that the whole name of a topic must
    /// match, now or later. The group assigns while the consumer is polled.
    ///
    /// `on_assign`, `on_revoke` and `on_lost` are called in the thread that polls, with the partitions concerned: after they came, before
    /// they go (they can still be committed), and when others have them already. Without `on_lost`, `on_revoke` is called instead.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open(group_initial_rebalance_delay_ms=0) as client, client.consumer(group_id="readers") as consumer:
    /// ...     _ = client.create_topic("flights")
    /// ...     consumer.subscribe("flights", on_assign=lambda partitions: print("assigned", partitions))
    /// ...     while not consumer.assignment():
    /// ...         _ = consumer.poll(0.1)
    /// assigned [TopicPartition(topic='flights', partition=0)]
    #[pyo3(signature = (topics, *, on_assign=None, on_revoke=None, on_lost=None))]
    fn subscribe(
        &self,
        topics: &Bound<'_, PyAny>,
        on_assign: Option<Py<PyAny>>,
        on_revoke: Option<Py<PyAny>>,
        on_lost: Option<Py<PyAny>>,
    ) -> PyResult<()> {
        let subscription = partitions::subscription(topics)?;
        let mut reading = self.lock()?;
        let consumer = &mut reading.get_mut()?.consumer;
        consumer.subscribe(subscription).map_err(errors::raise)?;
        self.set_callbacks(Callbacks::new(on_assign, on_revoke, on_lost));
        Ok(())
    }

    /// Leave the group and give all partitions up; what is finished is committed first, unless `enable_auto_commit` is false. `on_revoke` is
    /// called before they go, and may commit.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client, client.consumer("flights", group_id="readers") as consumer:
    /// ...     consumer.unsubscribe()
    /// ...     consumer.assignment()
    /// []
    fn unsubscribe(&self, py: Python<'_>) -> PyResult<()> {
        self.leave(py, &Operation::Unsubscribe, || self.lock())
    }

    /// Commit for the group how far it has read: everything handed out so far, a `Batch`, a `Message` or offsets by partition (the next
    /// ones to be read). The records before them are finished: auto-commit does not go back behind them. Topics that were deleted
    /// meanwhile are left out. With `wait=False` a failure is only logged.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client, client.producer() as producer, client.consumer(group_id="readers") as consumer:
    /// ...     _ = client.create_topic("flights")
    /// ...     _ = producer.send_batch("flights", [b"a", b"b"])
    /// ...     consumer.assign([("flights", 0)])
    /// ...     consumer.seek("earliest")
    /// ...     consumer.commit(consumer.poll())
    /// ...     consumer.committed()
    /// {TopicPartition(topic='flights', partition=0): 2}
    #[pyo3(signature = (what=None, *, wait=true))]
    fn commit(&self, py: Python<'_>, what: Option<&Bound<'_, PyAny>>, wait: bool) -> PyResult<()> {
        let what = offsets(what)?;
        let mut reading = self.lock()?;
        let commit = reading.get_mut()?.commit(what, wait.into());
        runtime::call(py, self.embedded.runtime(), commit)
    }

    /// What the group has committed for these partitions, or for all that are assigned. Those without a commit are left out.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client, client.consumer(group_id="readers") as consumer:
    /// ...     _ = client.create_topic("flights")
    /// ...     consumer.commit({("flights", 0): 0})
    /// ...     consumer.committed([("flights", 0)])
    /// {TopicPartition(topic='flights', partition=0): 0}
    #[pyo3(signature = (partitions=None))]
    fn committed<'py>(
        &self,
        py: Python<'py>,
        partitions: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let partitions = partitions::topic_partitions(partitions)?;
        let mut reading = self.lock()?;
        let committed = reading.get_mut()?.consumer.committed(&partitions);
        let committed = runtime::call(py, self.embedded.runtime(), committed)?;
        partitions::with_offsets(py, &committed)
    }
}
