//! What a consumer does as a member of a group, for asyncio.

use std::sync::Arc;

use headwater::Operation;
use pyo3::prelude::*;

use super::AioConsumer;
use crate::aio::bridge;
use crate::convert::consuming::offsets;
use crate::convert::partitions;
use crate::rebalances::Callbacks;

#[pymethods]
impl AioConsumer {
    /// See `headwater.Consumer.subscribe`. The functions are called in the event loop, and may be coroutine functions.
    #[pyo3(signature = (topics, *, on_assign=None, on_revoke=None, on_lost=None))]
    fn subscribe<'py>(
        &self,
        py: Python<'py>,
        topics: &Bound<'py, PyAny>,
        on_assign: Option<Py<PyAny>>,
        on_revoke: Option<Py<PyAny>>,
        on_lost: Option<Py<PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let subscription = partitions::subscription(topics)?;
        let reading = self.lock()?;
        let new = Callbacks::new(on_assign, on_revoke, on_lost);
        let callbacks = Arc::clone(self.callbacks.get()?);
        let work = async move {
            let mut reading = reading.await;
            reading.consumer.subscribe(subscription)?;
            // Dropped behind the lock: that may run Python code.
            let before = std::mem::replace(&mut *callbacks.lock(), new);
            drop(before);
            Ok(())
        };
        bridge::quick(py, self.embedded.runtime(), work, bridge::none)
    }

    /// See `headwater.Consumer.unsubscribe`.
    fn unsubscribe<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let reader = self.reader(py)?;
        let work = async move { reader.leave(&Operation::Unsubscribe).await };
        bridge::quick(py, self.embedded.runtime(), work, bridge::none)
    }

    /// See `headwater.Consumer.commit`.
    #[pyo3(signature = (what=None, *, wait=true))]
    fn commit<'py>(
        &self,
        py: Python<'py>,
        what: Option<&Bound<'py, PyAny>>,
        wait: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let what = offsets(what)?;
        let reading = self.lock()?;
        let work = async move {
            let mut reading = reading.await;
            reading.commit(what, wait.into()).await
        };
        bridge::quick(py, self.embedded.runtime(), work, bridge::none)
    }

    /// See `headwater.Consumer.committed`.
    #[pyo3(signature = (partitions=None))]
    fn committed<'py>(
        &self,
        py: Python<'py>,
        partitions: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let partitions = partitions::topic_partitions(partitions)?;
        let reading = self.lock()?;
        let work = async move {
            let mut reading = reading.await;
            reading.consumer.ready().await?;
            reading.consumer.committed(&partitions).await
        };
        bridge::quick(py, self.embedded.runtime(), work, |py, committed| {
            Ok(partitions::with_offsets(py, &committed)?
                .into_any()
                .unbind())
        })
    }
}
