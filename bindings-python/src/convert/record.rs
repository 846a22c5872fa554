//! Converts the arguments of `send()` to a record, borrowing where possible.

use std::borrow::Cow;

use headwater::{PartitionId, Record};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyDict, PyMemoryView, PyString};

use crate::convert::config::type_name;
use crate::convert::{partitions, time};

/// Names and values of headers.
type Headers<'a> = Vec<(Cow<'a, str>, Option<Cow<'a, [u8]>>)>;

/// A record whose parts are in Python objects, or in their own memory.
#[derive(Debug)]
pub(crate) struct Parts<'a> {
    topic: Cow<'a, str>,
    partition: Option<PartitionId>,
    timestamp_ms: Option<i64>,
    key: Option<Cow<'a, [u8]>>,
    value: Option<Cow<'a, [u8]>>,
    headers: Headers<'a>,
}

/// The arguments of `send()`.
pub(crate) struct Arguments<'a, 'py> {
    pub(crate) topic: &'a Bound<'py, PyString>,
    pub(crate) value: Option<&'a Bound<'py, PyAny>>,
    pub(crate) key: Option<&'a Bound<'py, PyAny>>,
    pub(crate) headers: Option<&'a Bound<'py, PyAny>>,
    pub(crate) partition: Option<&'a Bound<'py, PyAny>>,
    pub(crate) timestamp: Option<&'a Bound<'py, PyAny>>,
}

impl<'a> Arguments<'a, '_> {
    /// Inline, here and below: passing the parts of a record between functions costs more than copying its bytes.
    #[inline]
    pub(crate) fn parts(self) -> PyResult<Parts<'a>> {
        Ok(Parts {
            topic: Cow::Borrowed(self.topic.to_str()?),
            partition: self.partition.map(partitions::partition).transpose()?,
            timestamp_ms: self.timestamp.map_or(Ok(None), time::timestamp)?,
            key: self.key.map(|key| bytes(key, "key")).transpose()?,
            value: self.value.map(|value| bytes(value, "value")).transpose()?,
            headers: self
                .headers
                .map_or_else(|| Ok(Vec::new()), |given| headers(given))?,
        })
    }
}

impl Parts<'_> {
    /// Calls `send` with the record.
    #[inline]
    pub(crate) fn with<R>(&self, send: impl FnOnce(&Record<'_>) -> R) -> R {
        let record = Record {
            topic: &self.topic,
            partition: self.partition,
            timestamp_ms: self.timestamp_ms,
            key: self.key.as_deref(),
            value: self.value.as_deref(),
            headers: &[],
        };
        if self.headers.is_empty() {
            return send(&record);
        }
        let headers: Vec<_> = self
            .headers
            .iter()
            .map(|(name, value)| (name.as_ref(), value.as_deref()))
            .collect();
        send(&Record {
            headers: &headers,
            ..record
        })
    }

    /// Sends the record, and waits for space.
    pub(crate) async fn send(
        &self,
        producer: &headwater::Producer,
    ) -> headwater::Result<headwater::SendHandle> {
        let headers: Vec<_> = self
            .headers
            .iter()
            .map(|(name, value)| (name.as_ref(), value.as_deref()))
            .collect();
        let record = Record {
            topic: &self.topic,
            partition: self.partition,
            timestamp_ms: self.timestamp_ms,
            key: self.key.as_deref(),
            value: self.value.as_deref(),
            headers: &headers,
        };
        producer.send(&record).await
    }

    /// The same record in its own memory.
    pub(crate) fn into_owned(self) -> Parts<'static> {
        let own = |bytes: Cow<'_, [u8]>| Cow::Owned(bytes.into_owned());
        Parts {
            topic: Cow::Owned(self.topic.into_owned()),
            partition: self.partition,
            timestamp_ms: self.timestamp_ms,
            key: self.key.map(own),
            value: self.value.map(own),
            headers: owned(self.headers),
        }
    }
}

/// A key or a value: bytes, text (as UTF-8), or another object that contains bytes.
#[inline]
pub(crate) fn bytes<'a>(value: &'a Bound<'_, PyAny>, role: &str) -> PyResult<Cow<'a, [u8]>> {
    if let Ok(bytes) = value.cast::<PyBytes>() {
        return Ok(Cow::Borrowed(bytes.as_bytes()));
    }
    other_bytes(value, role)
}

/// Values of other types. A separate function, so that the usual case stays small enough to be inlined.
#[inline(never)]
fn other_bytes<'a>(value: &'a Bound<'_, PyAny>, role: &str) -> PyResult<Cow<'a, [u8]>> {
    if let Ok(text) = value.cast::<PyString>() {
        return Ok(Cow::Borrowed(text.to_str()?.as_bytes()));
    }
    if let Ok(bytes) = value.cast::<PyByteArray>() {
        return Ok(Cow::Owned(bytes.to_vec()));
    }
    if value.is_instance_of::<PyMemoryView>() {
        return Ok(Cow::Owned(
            value
                .call_method0("tobytes")?
                .cast::<PyBytes>()?
                .as_bytes()
                .to_vec(),
        ));
    }
    Err(PyTypeError::new_err(format!(
        "{role} must be bytes or str, not {}: encode it first, for example with json.dumps()",
        type_name(value)
    )))
}

/// Headers: pairs in order, or a dictionary.
pub(crate) fn headers(given: &Bound<'_, PyAny>) -> PyResult<Headers<'static>> {
    let pairs = match given.cast::<PyDict>() {
        Ok(pairs) => pairs.items().into_any(),
        Err(_) => given.clone(),
    };
    let pairs = pairs.try_iter().map_err(|_| {
        PyTypeError::new_err(format!(
            "headers must be a list of pairs (name, bytes) or a dict, not {}",
            type_name(given)
        ))
    })?;
    pairs
        .map(|pair| {
            let pair = pair?;
            let (name, value): (Bound<'_, PyAny>, Bound<'_, PyAny>) =
                pair.extract().map_err(|_| {
                    PyTypeError::new_err(format!(
                        "a header must be a pair (name, bytes), not {}",
                        type_name(&pair)
                    ))
                })?;
            let Ok(name) = name.cast::<PyString>() else {
                return Err(PyTypeError::new_err(format!(
                    "a header's name must be a str, not {}",
                    type_name(&name)
                )));
            };
            let value = if value.is_none() {
                None
            } else {
                Some(Cow::Owned(bytes(&value, "a header's value")?.into_owned()))
            };
            Ok((Cow::Owned(name.to_str()?.to_owned()), value))
        })
        .collect()
}

fn owned(headers: Headers<'_>) -> Headers<'static> {
    let own = |(name, value): (Cow<'_, str>, Option<Cow<'_, [u8]>>)| {
        (
            Cow::Owned(name.into_owned()),
            value.map(|value| Cow::Owned(value.into_owned())),
        )
    };
    headers.into_iter().map(own).collect()
}
