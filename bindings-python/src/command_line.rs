//! The program `headwater`, which pip installs.

use pyo3::prelude::*;

/// Runs the command line on `sys.argv` and returns its exit code.
#[pyfunction]
#[pyo3(name = "_main")]
pub(crate) fn main(py: Python<'_>) -> PyResult<u8> {
    let args: Vec<std::ffi::OsString> = py.import("sys")?.getattr("argv")?.extract()?;
    let signals = py.import("signal")?;
    // Python's handler only records a Ctrl-C until Python code runs, which is not before the end.
    signals.call_method1(
        "signal",
        (signals.getattr("SIGINT")?, signals.getattr("SIG_DFL")?),
    )?;
    Ok(py.detach(|| headwater::cli::run(args)).code())
}
