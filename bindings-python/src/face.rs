//! The two faces of the package. A method of `headwater` waits for its result, and its twin in `headwater.aio` returns
//! an awaitable. Both are one method of a base class, which passes its work and the conversion of the result to
//! [`Access`].

use std::future::Future;
use std::ops::Deref;
use std::sync::{Arc, Weak};

use pyo3::IntoPyObjectExt as _;
use pyo3::exceptions::{PyStopAsyncIteration, PyStopIteration};
use pyo3::prelude::*;

use crate::aio::bridge;
use crate::aio::call::Start;
use crate::errors;
use crate::exclusive::{Exclusive, ExclusiveGuard};
use crate::functions::Functions;
use crate::runtime::{self, EngineHandle};

/// The way in which the methods of an object return their results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Face {
    /// `headwater`: a method waits for its result without the GIL, and returns it.
    Blocking,
    /// `headwater.aio`: a method returns an awaitable.
    Asyncio,
}

impl Face {
    /// The exception that ends an iteration.
    pub(crate) fn end_of_iteration(self) -> PyErr {
        match self {
            Self::Blocking => PyStopIteration::new_err(()),
            Self::Asyncio => PyStopAsyncIteration::new_err(()),
        }
    }
}

/// The result of a method of a base class, or an awaitable of it.
pub(crate) type Answer<'py> = PyResult<Bound<'py, PyAny>>;

/// The conversion of a result of the core to a value with a Python representation.
pub(crate) trait Convert<T, R>:
    FnOnce(Python<'_>, T) -> PyResult<R> + Send + 'static
{
}
impl<T, R, F: FnOnce(Python<'_>, T) -> PyResult<R> + Send + 'static> Convert<T, R> for F {}

/// A value that becomes a Python object.
pub(crate) trait Value: for<'py> IntoPyObject<'py> {}
impl<R: for<'py> IntoPyObject<'py>> Value for R {}

/// Converts the result of a method without a return value to `None`.
#[expect(clippy::unnecessary_wraps, reason = "it is a `Convert`")]
pub(crate) fn none(py: Python<'_>, (): ()) -> PyResult<Py<PyAny>> {
    Ok(py.None())
}

/// The engine of an object, and the object's face. Objects created from it get a clone.
#[derive(Debug, Clone)]
pub(crate) struct Access {
    embedded: Arc<EngineHandle>,
    face: Face,
}

impl Deref for Access {
    type Target = EngineHandle;

    fn deref(&self) -> &EngineHandle {
        &self.embedded
    }
}

impl Access {
    pub(crate) fn new(embedded: Arc<EngineHandle>, face: Face) -> Self {
        Self { embedded, face }
    }

    /// The engine, without keeping it open.
    pub(crate) fn downgrade(&self) -> Weak<EngineHandle> {
        Arc::downgrade(&self.embedded)
    }

    /// The same engine under another face.
    pub(crate) fn with_face(&self, face: Face) -> Self {
        Self::new(Arc::clone(&self.embedded), face)
    }

    pub(crate) fn face(&self) -> Face {
        self.face
    }

    /// Whether the other one is of the same engine under the same face.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.face == other.face && Arc::ptr_eq(&self.embedded, &other.embedded)
    }

    /// A call that is answered from memory, or by one request.
    pub(crate) fn call<'py, T: Send + 'static, R: Value>(
        &self,
        py: Python<'py>,
        work: impl Future<Output = headwater::Result<T>> + Send + 'static,
        convert: impl Convert<T, R>,
    ) -> Answer<'py> {
        match self.face {
            Face::Blocking => {
                let value = runtime::call(py, self.runtime(), work)?;
                convert(py, value)?.into_bound_py_any(py)
            }
            Face::Asyncio => bridge::quick(py, self.runtime(), work, convert),
        }
    }

    /// A call that reads or writes records, which takes time before its first wait: asyncio starts it in a thread of
    /// the engine.
    pub(crate) fn transfer<'py, T: Send + 'static, R: Value>(
        &self,
        py: Python<'py>,
        work: impl Future<Output = headwater::Result<T>> + Send + 'static,
        convert: impl Convert<T, R>,
    ) -> Answer<'py> {
        self.transfer_with(py, |_| work, convert)
    }

    /// [`Access::transfer`] whose work also calls functions of Python.
    pub(crate) fn transfer_with<'py, T, R, W>(
        &self,
        py: Python<'py>,
        work: impl FnOnce(Functions) -> W,
        convert: impl Convert<T, R>,
    ) -> Answer<'py>
    where
        T: Send + 'static,
        R: Value,
        W: Future<Output = headwater::Result<T>> + Send + 'static,
    {
        match self.face {
            Face::Blocking => {
                let value = runtime::call_with(py, self.runtime(), work)?;
                convert(py, value)?.into_bound_py_any(py)
            }
            Face::Asyncio => {
                let work = work(Functions::in_event_loop(py)?);
                bridge::background(py, self.runtime(), work, convert, drop)
            }
        }
    }

    /// [`Access::transfer_with`] for work that takes records from a value. It starts, and takes the value, when it is
    /// awaited. If it is cancelled when the records are already available, `take_back` gets them.
    pub(crate) fn take_with<'py, T, R, W, G>(
        &self,
        py: Python<'py>,
        take: impl FnOnce() -> PyResult<G> + Send + 'static,
        work: impl FnOnce(Functions, G) -> W + Send + 'static,
        convert: impl Convert<T, R>,
        take_back: impl FnOnce(T) + Send + 'static,
    ) -> Answer<'py>
    where
        T: Send + 'static,
        R: Value,
        W: Future<Output = headwater::Result<T>> + Send + 'static,
    {
        if self.face == Face::Blocking {
            let taken = take()?;
            return self.transfer_with(py, |functions| work(functions, taken), convert);
        }
        let functions = Functions::in_event_loop(py)?;
        let runtime = self.runtime().clone();
        bridge::later(py, move |py| {
            let work = work(functions, take()?);
            let call = bridge::background(py, &runtime, work, convert, take_back)?;
            Ok(Start::Call(call.unbind()))
        })
    }

    /// Work that blocks: without the GIL in this thread, or in its own thread.
    pub(crate) fn block<'py, T: Send + 'static, R: Value>(
        &self,
        py: Python<'py>,
        work: impl FnOnce() -> headwater::Result<T> + Send + 'static,
        convert: impl Convert<T, R>,
    ) -> Answer<'py> {
        match self.face {
            Face::Blocking => {
                let value = py.detach(work).map_err(errors::raise)?;
                convert(py, value)?.into_bound_py_any(py)
            }
            Face::Asyncio => bridge::blocking(py, work, convert),
        }
    }

    /// `None`, for a call without work.
    pub(crate) fn nothing<'py>(&self, py: Python<'py>) -> Answer<'py> {
        let none = py.None().into_bound(py);
        match self.face {
            Face::Blocking => Ok(none),
            Face::Asyncio => bridge::ready(py, Ok(none)),
        }
    }

    /// Takes a value for a call. A task waits for earlier calls; a thread gets an error with the message `in_use`.
    pub(crate) fn take<T: Send + 'static>(
        &self,
        value: &Arc<Exclusive<T>>,
        in_use: &str,
    ) -> PyResult<impl Future<Output = ExclusiveGuard<T>> + Send + use<T>> {
        let turn = match self.face {
            Face::Blocking => Ok(value.try_take().ok_or_else(|| errors::invalid(in_use))?),
            Face::Asyncio => Err(value.take()),
        };
        Ok(async move {
            match turn {
                Ok(taken) => taken,
                Err(turn) => turn.await,
            }
        })
    }
}

/// Creates a Python object of a base class, with the subclass of its face.
macro_rules! faces {
    ($base:ident: $blocking:ident, $asyncio:ident) => {
        impl $base {
            pub(crate) fn into_object(
                self,
                py: pyo3::Python<'_>,
            ) -> pyo3::PyResult<pyo3::Py<pyo3::PyAny>> {
                let face = self.access.face();
                let base = pyo3::PyClassInitializer::from(self);
                Ok(match face {
                    $crate::face::Face::Blocking => {
                        pyo3::Py::new(py, base.add_subclass($blocking))?.into_any()
                    }
                    $crate::face::Face::Asyncio => {
                        pyo3::Py::new(py, base.add_subclass($asyncio))?.into_any()
                    }
                })
            }
        }
    };
}

/// Adds `with` and `async with` to the subclasses of a base class: entering returns the object if `check` succeeds,
/// leaving closes it.
macro_rules! closing {
    ($base:ident: $blocking:ident, $asyncio:ident) => {
        $crate::face::closing!($base: $blocking, $asyncio, |_: &$base| Ok(()));
    };
    ($base:ident: $blocking:ident, $asyncio:ident, $check:expr) => {
        #[pymethods]
        impl $blocking {
            fn __enter__<'a, 'py>(slf: &'a Bound<'py, Self>) -> PyResult<&'a Bound<'py, Self>> {
                let check: fn(&$base) -> PyResult<()> = $check;
                check(slf.as_super().get())?;
                Ok(slf)
            }

            #[pyo3(signature = (*_exception))]
            fn __exit__<'py>(
                slf: &Bound<'py, Self>,
                _exception: &Bound<'py, PyAny>,
            ) -> $crate::face::Answer<'py> {
                slf.as_super().get().close(slf.py())
            }
        }

        #[pymethods]
        impl $asyncio {
            fn __aenter__<'py>(slf: &Bound<'py, Self>) -> $crate::face::Answer<'py> {
                let check: fn(&$base) -> PyResult<()> = $check;
                check(slf.as_super().get())?;
                $crate::aio::bridge::ready(slf.py(), Ok(slf.clone().into_any()))
            }

            #[pyo3(signature = (*_exception))]
            fn __aexit__<'py>(
                slf: &Bound<'py, Self>,
                _exception: &Bound<'py, PyAny>,
            ) -> $crate::face::Answer<'py> {
                slf.as_super().get().close(slf.py())
            }
        }
    };
}

pub(crate) use {closing, faces};
