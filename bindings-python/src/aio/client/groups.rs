//! The groups of a client, for asyncio.

use pyo3::IntoPyObjectExt as _;
use pyo3::prelude::*;

use super::AioClient;
use crate::aio::bridge;
use crate::client::groups::{infos, offsets};
use crate::client::topics::offsets_by_number;
use crate::convert::position;

#[pymethods]
impl AioClient {
    /// See `headwater.Client.groups`.
    fn groups<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let client = self.embedded.client()?.clone();
        bridge::quick(
            py,
            self.embedded.runtime(),
            async move { client.admin().list_groups().await },
            |py, groups| infos(py, groups)?.into_py_any(py),
        )
    }

    /// See `headwater.Client.group_offsets`.
    fn group_offsets<'py>(&self, py: Python<'py>, group_id: String) -> PyResult<Bound<'py, PyAny>> {
        let client = self.embedded.client()?.clone();
        bridge::quick(
            py,
            self.embedded.runtime(),
            async move { client.admin().group_offsets(&group_id).await },
            |py, committed| offsets(py, committed)?.into_py_any(py),
        )
    }

    /// See `headwater.Client.reset_group_offsets`.
    fn reset_group_offsets<'py>(
        &self,
        py: Python<'py>,
        group_id: String,
        topic: String,
        to: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let to = position::position(to)?;
        let client = self.embedded.client()?.clone();
        bridge::quick(
            py,
            self.embedded.runtime(),
            async move {
                client
                    .admin()
                    .reset_group_offsets(&group_id, &topic, &to)
                    .await
            },
            |py, committed| offsets_by_number(committed).into_py_any(py),
        )
    }

    /// See `headwater.Client.delete_group`.
    fn delete_group<'py>(&self, py: Python<'py>, group_id: String) -> PyResult<Bound<'py, PyAny>> {
        let client = self.embedded.client()?.clone();
        bridge::quick(
            py,
            self.embedded.runtime(),
            async move { client.admin().delete_group(&group_id).await },
            bridge::none,
        )
    }
}
