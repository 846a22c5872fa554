//! `async with`: entering hands the object over, leaving closes it.

/// Gives `async with` to a class that has a `close`. Entering fails if the check does.
macro_rules! async_context {
    ($class:ident) => {
        async_context!($class, |_: &$class| Ok(()));
    };
    ($class:ident, $check:expr) => {
        #[pymethods]
        impl $class {
            fn __aenter__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
                let check: fn(&Self) -> PyResult<()> = $check;
                check(slf.get())?;
                $crate::aio::bridge::ready(slf.py(), Ok(slf.clone().into_any()))
            }

            #[pyo3(signature = (*_exception))]
            fn __aexit__<'py>(
                &self,
                py: Python<'py>,
                _exception: &Bound<'py, PyAny>,
            ) -> PyResult<Bound<'py, PyAny>> {
                self.close(py)
            }
        }
    };
}

pub(super) use async_context;
