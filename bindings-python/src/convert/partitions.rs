//! Partitions: numbers, and pairs of a topic and a number.

use std::collections::BTreeMap;

use headwater::{Offset, PartitionId, Subscription, TopicPartition};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyString, PyTuple, PyType};

use crate::convert::config::type_name;
use crate::convert::integer::is_integer;
use crate::errors;

/// A partition's number.
pub(crate) fn partition(value: &Bound<'_, PyAny>) -> PyResult<PartitionId> {
    if !is_integer(value)? {
        return Err(PyTypeError::new_err(format!(
            "a partition must be an int, not {}",
            type_name(value)
        )));
    }
    let number: i32 = value.extract()?;
    if number < 0 {
        return Err(errors::invalid(
            "The partition is negative: partitions are numbered from 0.",
        ));
    }
    Ok(PartitionId::new(number))
}

/// The number of a partition passed as an integer or as `TopicPartition`.
pub(crate) fn number_of(value: &Bound<'_, PyAny>) -> PyResult<PartitionId> {
    match value.cast::<PyTuple>() {
        Ok(pair) if pair.len() == 2 => partition(&pair.get_item(1)?),
        _ => partition(value),
    }
}

/// An optional list of partitions of one topic.
pub(crate) fn numbers(value: Option<&Bound<'_, PyAny>>) -> PyResult<Option<Vec<PartitionId>>> {
    value
        .map(|value| value.try_iter()?.map(|item| number_of(&item?)).collect())
        .transpose()
}

/// A topic and a partition: a `TopicPartition` or any other pair.
pub(crate) fn topic_partition(value: &Bound<'_, PyAny>) -> PyResult<TopicPartition> {
    if let Ok(pair) = value.cast::<PyTuple>()
        && pair.len() == 2
        && let Ok(topic) = pair.get_item(0)?.cast::<PyString>()
    {
        return Ok(TopicPartition::new(
            topic.to_str()?,
            partition(&pair.get_item(1)?)?,
        ));
    }
    Err(PyTypeError::new_err(format!(
        "a partition here is a pair (topic, number), not {}",
        type_name(value)
    )))
}

/// A list of pairs; `None` is an empty list.
pub(crate) fn topic_partitions(value: Option<&Bound<'_, PyAny>>) -> PyResult<Vec<TopicPartition>> {
    value.map_or_else(
        || Ok(Vec::new()),
        |value| {
            value
                .try_iter()?
                .map(|item| topic_partition(&item?))
                .collect()
        },
    )
}

/// One or more names.
pub(crate) fn topics(value: &Bound<'_, PyAny>) -> PyResult<Vec<String>> {
    if let Ok(name) = value.cast::<PyString>() {
        return Ok(vec![name.to_str()?.to_owned()]);
    }
    let names = value.try_iter().map_err(|_| {
        PyTypeError::new_err(format!(
            "topics must be a name or a list of names, not {}",
            type_name(value)
        ))
    })?;
    names
        .map(|name| {
            let name = name?;
            match name.cast::<PyString>() {
                Ok(name) => Ok(name.to_str()?.to_owned()),
                Err(_) => Err(PyTypeError::new_err(format!(
                    "a topic's name must be a str, not {}",
                    type_name(&name)
                ))),
            }
        })
        .collect()
}

/// The topics that a consumer subscribes to: one name, several, or a compiled pattern that whole names match.
pub(crate) fn subscription(value: &Bound<'_, PyAny>) -> PyResult<Subscription> {
    static PATTERN: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    if !value.is_instance(PATTERN.import(value.py(), "re", "Pattern")?)? {
        return Ok(Subscription::topics(topics(value)?));
    }
    let pattern = value.getattr("pattern")?;
    let pattern = pattern
        .cast::<PyString>()
        .map_err(|_| PyTypeError::new_err("the pattern must be one of str, not of bytes"))?;
    let flags: u32 = value.getattr("flags")?.extract()?;
    // The flags of Python's `re`.
    let letters: String = [(2, 'i'), (8, 'm'), (16, 's'), (64, 'x')]
        .into_iter()
        .filter(|(bit, _)| flags & bit != 0)
        .map(|(_, letter)| letter)
        .collect();
    let pattern = pattern.to_str()?;
    let pattern = if letters.is_empty() {
        pattern.to_owned()
    } else {
        format!("(?{letters}:{pattern})")
    };
    Subscription::pattern(&pattern).map_err(errors::raise)
}

/// Converts to `headwater.TopicPartition`.
pub(crate) fn to_python<'py>(
    py: Python<'py>,
    partition: &TopicPartition,
) -> PyResult<Bound<'py, PyAny>> {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    CLASS
        .import(py, "headwater.types", "TopicPartition")?
        .call1((partition.topic.as_ref(), partition.partition.get()))
}

/// Converts to a list of `headwater.TopicPartition`s.
pub(crate) fn list(py: Python<'_>, partitions: Vec<TopicPartition>) -> PyResult<Vec<Py<PyAny>>> {
    let partition = |partition| to_python(py, &partition).map(Bound::unbind);
    partitions.into_iter().map(partition).collect()
}

/// Converts to a dictionary of `headwater.TopicPartition`s and numbers.
pub(crate) fn numbered<V: for<'py> IntoPyObject<'py>>(
    py: Python<'_>,
    values: BTreeMap<TopicPartition, V>,
) -> PyResult<Py<PyDict>> {
    let all = PyDict::new(py);
    for (partition, value) in values {
        all.set_item(to_python(py, &partition)?, value)?;
    }
    Ok(all.unbind())
}

/// Converts to a dictionary of `headwater.TopicPartition`s and offsets.
pub(crate) fn with_offsets(
    py: Python<'_>,
    offsets: BTreeMap<TopicPartition, Offset>,
) -> PyResult<Py<PyDict>> {
    let offsets = offsets.into_iter();
    numbered(
        py,
        offsets
            .map(|(partition, offset)| (partition, offset.get()))
            .collect(),
    )
}
