//! The groups of a client: lists them, reads and resets their offsets, and deletes them.

use headwater::{GroupInfo, GroupOffset, Offset};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

use super::Client;
use super::topics::offsets_by_number;
use crate::convert::position;
use crate::face::{Answer, none};

#[pymethods]
impl Client {
    /// Every consumer group, by name: type ("classic" or "consumer"), protocol, and the state with Kafka's name.
    ///
    /// The rows are named tuples, so a data frame accepts them directly: `pl.DataFrame(client.groups())`.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client, client.consumer(group_id="readers") as consumer:
    /// ...     _ = client.create_topic("flights")
    /// ...     consumer.commit({("flights", 0): 0})
    /// ...     [(group.group_id, group.state) for group in client.groups()]
    /// [('readers', 'Empty')]
    fn groups<'py>(&self, py: Python<'py>) -> Answer<'py> {
        let admin = self.admin()?;
        let work = async move { admin.list_groups().await };
        self.access.call(py, work, infos)
    }

    /// The committed offsets of a group, by topic and partition, with the end of each partition and the lag, the number
    /// of offsets in between. Both are `None` for a partition that no longer exists. An unknown group has no committed
    /// offsets.
    ///
    /// The rows are named tuples, so a data frame accepts them directly:
    /// `pl.DataFrame(client.group_offsets("readers"))`.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client, client.producer() as producer, client.consumer(group_id="readers") as consumer:
    /// ...     _ = client.create_topic("flights")
    /// ...     _ = producer.send_batch("flights", [b"a", b"b", b"c"])
    /// ...     consumer.commit({("flights", 0): 1})
    /// ...     client.group_offsets("readers")
    /// [GroupOffset(topic='flights', partition=0, committed=1, end=3, lag=2)]
    fn group_offsets<'py>(&self, py: Python<'py>, group_id: String) -> Answer<'py> {
        let admin = self.admin()?;
        let work = async move { admin.group_offsets(&group_id).await };
        self.access.call(py, work, offsets)
    }

    /// Set the committed offsets of a group for a topic, and return them: the next offset to read, for each partition.
    ///
    /// `to` is a position: "earliest", "latest", an offset, `{partition: offset}` (other partitions do not change), an
    /// aware datetime (the first record at or after it), or an age such as "-15m". An offset outside the log becomes
    /// its start or its end. The group must have no members; an unknown group is created.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client, client.producer() as producer:
    /// ...     _ = client.create_topic("flights")
    /// ...     _ = producer.send_batch("flights", [b"a", b"b", b"c"])
    /// ...     client.reset_group_offsets("readers", "flights", "latest"), client.reset_group_offsets("readers", "flights", to=1)
    /// ({0: 3}, {0: 1})
    fn reset_group_offsets<'py>(
        &self,
        py: Python<'py>,
        group_id: String,
        topic: String,
        to: &Bound<'py, PyAny>,
    ) -> Answer<'py> {
        let to = position::position(to)?;
        let admin = self.admin()?;
        let work = async move { admin.reset_group_offsets(&group_id, &topic, &to).await };
        self.access
            .call(py, work, |_, committed| Ok(offsets_by_number(committed)))
    }

    /// Delete a group with its committed offsets. It must have no members.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client:
    /// ...     _ = client.create_topic("flights")
    /// ...     _ = client.reset_group_offsets("readers", "flights", "earliest")
    /// ...     client.delete_group("readers")
    /// ...     client.groups()
    /// []
    fn delete_group<'py>(&self, py: Python<'py>, group_id: String) -> Answer<'py> {
        let admin = self.admin()?;
        self.access
            .call(py, async move { admin.delete_group(&group_id).await }, none)
    }
}

/// Converts to a list of `headwater.GroupInfo`s.
fn infos(py: Python<'_>, groups: Vec<GroupInfo>) -> PyResult<Vec<Py<PyAny>>> {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let class = CLASS.import(py, "headwater.types", "GroupInfo")?;
    let line = |group: GroupInfo| {
        let line = class.call1((
            group.group_id,
            group.group_type,
            group.protocol_type,
            group.state,
        ));
        line.map(Bound::unbind)
    };
    groups.into_iter().map(line).collect()
}

/// Converts to a list of `headwater.GroupOffset`s.
fn offsets(py: Python<'_>, committed: Vec<GroupOffset>) -> PyResult<Vec<Py<PyAny>>> {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let class = CLASS.import(py, "headwater.types", "GroupOffset")?;
    let line = |offset: GroupOffset| {
        let line = class.call1((
            offset.partition.topic.as_ref(),
            offset.partition.partition.get(),
            offset.committed.get(),
            offset.end.map(Offset::get),
            offset.lag(),
        ));
        line.map(Bound::unbind)
    };
    committed.into_iter().map(line).collect()
}
