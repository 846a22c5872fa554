//! The partitions of a consumer: which ones, and where in them, for asyncio.

use pyo3::IntoPyObjectExt as _;
use pyo3::prelude::*;

use super::AioConsumer;
use crate::aio::bridge;
use crate::convert::consuming::seeks;
use crate::convert::partitions;

#[pymethods]
impl AioConsumer {
    /// See `headwater.Consumer.assign`.
    fn assign<'py>(
        &self,
        py: Python<'py>,
        partitions: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let partitions = partitions::topic_partitions(Some(partitions))?;
        let reading = self.lock()?;
        let work = async move {
            let mut reading = reading.await;
            reading.consumer.assign(partitions).await
        };
        bridge::quick(py, self.embedded.runtime(), work, bridge::none)
    }

    /// See `headwater.Consumer.assignment`.
    fn assignment<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let reading = self.lock()?;
        let work = async move {
            let mut reading = reading.await;
            reading.consumer.ready().await?;
            Ok(reading.consumer.assignment())
        };
        bridge::quick(py, self.embedded.runtime(), work, |py, assigned| {
            partitions::list(py, &assigned)?.into_py_any(py)
        })
    }

    /// See `headwater.Consumer.position`.
    fn position<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let reading = self.lock()?;
        let work = async move {
            let mut reading = reading.await;
            reading.consumer.position().await
        };
        bridge::quick(py, self.embedded.runtime(), work, |py, positions| {
            Ok(partitions::with_offsets(py, &positions)?
                .into_any()
                .unbind())
        })
    }

    /// See `headwater.Consumer.lag`.
    fn lag<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let reading = self.lock()?;
        let work = async move {
            let mut reading = reading.await;
            reading.consumer.lag().await
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
        let reading = self.lock()?;
        let work = async move {
            let mut reading = reading.await;
            reading.seek(moves).await
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
        let reading = self.lock()?;
        let work = async move {
            let mut reading = reading.await;
            reading.consumer.ready().await?;
            reading.consumer.pause(&partitions)
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
        let reading = self.lock()?;
        let work = async move {
            let mut reading = reading.await;
            reading.consumer.ready().await?;
            reading.consumer.resume(&partitions)
        };
        bridge::quick(py, self.embedded.runtime(), work, bridge::none)
    }

    /// See `headwater.Consumer.paused`.
    fn paused<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let reading = self.lock()?;
        let work = async move {
            let mut reading = reading.await;
            reading.consumer.ready().await?;
            Ok(reading.consumer.paused())
        };
        bridge::quick(py, self.embedded.runtime(), work, |py, paused| {
            partitions::list(py, &paused)?.into_py_any(py)
        })
    }
}
