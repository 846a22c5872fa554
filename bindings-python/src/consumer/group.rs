//! A consumer as a member of a group.

use std::sync::Arc;

use headwater::GroupMetadata;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyType};

use super::Consumer;
use crate::convert::consuming::offsets;
use crate::convert::partitions;
use crate::face::{Answer, none};
use crate::foreign_names;
use crate::rebalances::Callbacks;

#[pymethods]
impl Consumer {
    /// Read the partitions of these topics that the group (`group_id`) assigns: a name, names, or a `re.compile(...)`
    /// that must match the whole name of a topic, now or later. The group assigns partitions while the consumer is
    /// polled.
    ///
    /// `on_assign`, `on_revoke` and `on_lost` are called with the partitions: after they were assigned, before they are
    /// revoked (they can still be committed), and when others may already own them. Without `on_lost`, `on_revoke` is
    /// called instead. They run in the thread that polls; in asyncio in the event loop, where they can be coroutine
    /// functions.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open(group_initial_rebalance_delay_ms=0) as client, client.consumer(group_id="readers") as consumer:
    /// ...     _ = client.create_topic("flights")
    /// ...     consumer.subscribe("flights", on_assign=lambda partitions: print("assigned", partitions))
    /// ...     while not consumer.assignment():
    /// ...         _ = consumer.poll(0.1)
    /// assigned [TopicPartition(topic='flights', partition=0)]
    #[pyo3(signature = (topics, *, on_assign=None, on_revoke=None, on_lost=None, **others),
        text_signature = "($self, topics, *, on_assign=None, on_revoke=None, on_lost=None)")]
    fn subscribe<'py>(
        &self,
        py: Python<'py>,
        topics: &Bound<'py, PyAny>,
        on_assign: Option<Py<PyAny>>,
        on_revoke: Option<Py<PyAny>>,
        on_lost: Option<Py<PyAny>>,
        others: Option<&Bound<'py, PyDict>>,
    ) -> Answer<'py> {
        foreign_names::refuse("Consumer.subscribe", others)?;
        let subscription = partitions::subscription(topics)?;
        let callbacks = Callbacks::new(on_assign, on_revoke, on_lost);
        let state = Arc::clone(self.state.get()?);
        let guard = self.take()?;
        let subscribe = async move {
            guard.await.consumer.subscribe(subscription.clone())?;
            state.set_topics(Some(subscription));
            state.set_callbacks(callbacks);
            Ok(())
        };
        self.access.call(py, subscribe, none)
    }

    /// Leave the group and release all partitions; finished records are committed first, unless `enable_auto_commit` is
    /// false. `on_revoke` is called before, and may commit.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client, client.consumer("flights", group_id="readers") as consumer:
    /// ...     consumer.unsubscribe()
    /// ...     consumer.assignment()
    /// []
    fn unsubscribe<'py>(&self, py: Python<'py>) -> Answer<'py> {
        let (guard, call) = (self.take()?, self.reporting()?);
        self.state.get()?.set_topics(None);
        let unsubscribe = |functions| call(functions).unsubscribe(guard);
        self.access.transfer_with(py, unsubscribe, none)
    }

    /// Commit offsets for the group: of all records returned so far, of a `Batch` or a `Message`, or by partition (the
    /// next offsets to read). The records before them are finished: auto-commit never goes back before them. Topics
    /// that were deleted meanwhile are left out. With `wait=False` a failure is only logged.
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
    #[pyo3(signature = (what=None, *, wait=true, **others), text_signature = "($self, what=None, *, wait=True)")]
    fn commit<'py>(
        &self,
        py: Python<'py>,
        what: Option<&Bound<'py, PyAny>>,
        wait: bool,
        others: Option<&Bound<'py, PyDict>>,
    ) -> Answer<'py> {
        foreign_names::refuse("Consumer.commit", others)?;
        let what = offsets(what)?;
        let guard = self.take()?;
        let commit = async move { guard.await.commit(what, wait.into()).await };
        self.access.call(py, commit, none)
    }

    /// The committed offsets of the group for these partitions, or for all assigned ones. Partitions without a commit
    /// are left out.
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
    ) -> Answer<'py> {
        let partitions = partitions::topic_partitions(partitions)?;
        let guard = self.take()?;
        let committed = async move {
            let mut reading = guard.await;
            reading.consumer.ready().await?;
            reading.consumer.committed(&partitions).await
        };
        self.access.call(py, committed, partitions::with_offsets)
    }
    /// The consumer's membership in its group as it is known now, or `None` without a group. Sends no request, and can
    /// be called while another call waits.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client, client.consumer(group_id="readers") as consumer:
    /// ...     member = consumer.group_metadata()
    /// ...     member.group_id, member.member_id, member.generation_id
    /// ('readers', '', -1)
    fn group_metadata(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        let member = self.state.get()?.gauge.group_metadata();
        member.map(|member| metadata(py, member)).transpose()
    }
}

/// Converts to a `headwater.GroupMetadata`.
fn metadata(py: Python<'_>, member: GroupMetadata) -> PyResult<Py<PyAny>> {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let class = CLASS.import(py, "headwater.types", "GroupMetadata")?;
    let fields = (
        member.group_id,
        member.member_id,
        member.generation_id,
        member.group_instance_id,
        member.leader_id,
        member.assignor,
    );
    class.call1(fields).map(Bound::unbind)
}
