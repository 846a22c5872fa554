//! The partitions of a consumer: which ones, and where in them, for asyncio.

use pyo3::IntoPyObjectExt as _;
use pyo3::prelude::*;

use super::AioConsumer;
use crate::aio::bridge;
use crate::convert::consuming::seeks;
use crate::convert::partitions;
use crate::reading::seek;

#[pymethods]
impl AioConsumer {
    /// See `headwater.Consumer.assign`.
    fn assign<'py>(
        &self,
        py: Python<'py>,
        partitions: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let partitions = partitions::topic_partitions(Some(partitions))?;
        let shared = self.lock()?;
        let work = async move {
            let mut shared = shared.await;
            shared.topics = None;
            shared.reading.put_back().await?.assign(partitions).await
        };
        bridge::quick(py, self.embedded.runtime(), work, bridge::none)
    }

    /// See `headwater.Consumer.assignment`.
    fn assignment<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let shared = self.lock()?;
        let work = async move {
            let mut shared = shared.await;
            Ok(shared.ready().await?.consumer().await?.assignment())
        };
        bridge::quick(py, self.embedded.runtime(), work, |py, assigned| {
            partitions::list(py, &assigned)?.into_py_any(py)
        })
    }

    /// See `headwater.Consumer.position`.
    fn position<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let shared = self.lock()?;
        let work = async move {
            let mut shared = shared.await;
            shared.ready().await?.position().await
        };
        bridge::quick(py, self.embedded.runtime(), work, |py, positions| {
            Ok(partitions::with_offsets(py, &positions)?
                .into_any()
                .unbind())
        })
    }

    /// See `headwater.Consumer.lag`.
    fn lag<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let shared = self.lock()?;
        let work = async move {
            let mut shared = shared.await;
            shared.ready().await?.lag().await
        };
        bridge::quick(py, self.embedded.runtime(), work, |py, lag| {
            Ok(partitions::numbered(py, lag)?.into_any().unbind())
        })
    }

    /// See `headwater.Consumer.seek`.
    #[pyo3(signature = (to, *, partitions=None))]
    fn seek<'py>(
        &self,
        py: Python<'py>,
        to: &Bound<'py, PyAny>,
        partitions: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let moves = seeks(to, partitions)?;
        let shared = self.lock()?;
        let work = async move {
            let mut shared = shared.await;
            seek(shared.ready().await?, moves).await
        };
        bridge::quick(py, self.embedded.runtime(), work, bridge::none)
    }

    /// See `headwater.Consumer.pause`.
    #[pyo3(signature = (partitions=None))]
    fn pause<'py>(
        &self,
        py: Python<'py>,
        partitions: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let partitions = partitions::topic_partitions(partitions)?;
        let shared = self.lock()?;
        let work = async move {
            let mut shared = shared.await;
            shared.ready().await?.put_back().await?.pause(&partitions)
        };
        bridge::quick(py, self.embedded.runtime(), work, bridge::none)
    }

    /// See `headwater.Consumer.resume`.
    #[pyo3(signature = (partitions=None))]
    fn resume<'py>(
        &self,
        py: Python<'py>,
        partitions: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let partitions = partitions::topic_partitions(partitions)?;
        let shared = self.lock()?;
        let work = async move {
            let mut shared = shared.await;
            shared.ready().await?.consumer().await?.resume(&partitions)
        };
        bridge::quick(py, self.embedded.runtime(), work, bridge::none)
    }

    /// See `headwater.Consumer.paused`.
    fn paused<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let shared = self.lock()?;
        let work = async move {
            let mut shared = shared.await;
            Ok(shared.ready().await?.consumer().await?.paused())
        };
        bridge::quick(py, self.embedded.runtime(), work, |py, paused| {
            partitions::list(py, &paused)?.into_py_any(py)
        })
    }
}
