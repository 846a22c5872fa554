//! `oauth_token`: a Python function that returns the tokens for OAUTHBEARER.

use std::thread;
use std::time::Duration;

use headwater::{OauthToken, TokenError, TokenFuture, TokenProvider};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDateTime, PyString, PyTuple};
use tokio::sync::oneshot;

use crate::convert::config::type_name;
use crate::convert::time;
use crate::face::Face;
use crate::runtime;

/// The time limit of a coroutine. The core gives up earlier, unless its timeout was raised.
const COROUTINE: Duration = Duration::from_mins(5);

/// Calls a Python function for each token, in its own thread: it may send a request and wait.
pub(crate) struct Tokens {
    function: Py<PyAny>,
    /// The event loop for coroutines.
    event_loop: Option<Py<PyAny>>,
}

impl Tokens {
    /// Must be called in the thread of the event loop, if there is one.
    pub(crate) fn new(function: &Bound<'_, PyAny>, face: Face) -> PyResult<Self> {
        let py = function.py();
        if !function.is_callable() {
            return Err(PyTypeError::new_err(format!(
                "oauth_token must be a function, not {}",
                type_name(function)
            )));
        }
        let event_loop = match face {
            Face::Blocking => None,
            Face::Asyncio => Some(py.import("asyncio")?.call_method0("get_running_loop")?),
        };
        Ok(Self {
            function: function.clone().unbind(),
            event_loop: event_loop.map(Bound::unbind),
        })
    }

    fn start(&self) -> Option<oneshot::Receiver<Result<OauthToken, TokenError>>> {
        let (function, event_loop) = Python::try_attach(|py| {
            let event_loop = self.event_loop.as_ref();
            (
                self.function.clone_ref(py),
                event_loop.map(|event_loop| event_loop.clone_ref(py)),
            )
        })?;
        let (reply, token) = oneshot::channel();
        let ask = move || {
            runtime::count_as_user();
            let asked = Python::try_attach(|py| {
                let event_loop = event_loop.as_ref().map(|event_loop| event_loop.bind(py));
                ask(function.bind(py), event_loop).map_err(|error| describe(py, &error))
            });
            if let Some(asked) = asked {
                // The core may have stopped waiting.
                let _ = reply.send(asked);
            }
        };
        let thread = thread::Builder::new().name("headwater-oauth-token".to_owned());
        thread.spawn(ask).ok()?;
        Some(token)
    }
}

impl TokenProvider for Tokens {
    fn token(&self) -> TokenFuture<'_> {
        Box::pin(async move {
            let token = match self.start() {
                Some(token) => token.await.ok(),
                None => None,
            };
            token.unwrap_or_else(|| {
                Err(TokenError::unavailable(
                    "oauth_token could not be called: the interpreter exits, or no thread could be started",
                ))
            })
        })
    }
}

/// Calls the function, and awaits the result if it is a coroutine.
fn ask(function: &Bound<'_, PyAny>, event_loop: Option<&Bound<'_, PyAny>>) -> PyResult<OauthToken> {
    let mut result = function.call0()?;
    if result.hasattr("__await__")? {
        let Some(event_loop) = event_loop else {
            result.call_method0("close").ok();
            return Err(PyTypeError::new_err(
                "a coroutine needs headwater.aio.connect; pass a plain function to headwater.connect",
            ));
        };
        let asyncio = function.py().import("asyncio")?;
        let running = asyncio.call_method1("run_coroutine_threadsafe", (result, event_loop))?;
        result = running.call_method1("result", (COROUTINE.as_secs(),))?;
    }
    convert(&result)
}

/// A token, or a token and its expiry.
fn convert(result: &Bound<'_, PyAny>) -> PyResult<OauthToken> {
    if let Ok(token) = result.cast::<PyString>() {
        return Ok(OauthToken::new(token.to_str()?));
    }
    if let Ok(pair) = result.cast::<PyTuple>()
        && pair.len() == 2
        && let Ok(token) = pair.get_item(0)?.cast::<PyString>()
    {
        let token = OauthToken::new(token.to_str()?);
        let expiry = pair.get_item(1)?;
        return Ok(if expiry.is_none() {
            token
        } else {
            token.expires_at_ms(milliseconds(&expiry)?)
        });
    }
    Err(PyTypeError::new_err(format!(
        "it must return a str, or a tuple of a str and its expiry, not {}",
        type_name(result)
    )))
}

/// The milliseconds of an aware datetime, or of seconds since the Unix epoch.
fn milliseconds(expiry: &Bound<'_, PyAny>) -> PyResult<i64> {
    if expiry.is_instance_of::<PyDateTime>()
        && let Some(milliseconds) = time::timestamp(expiry)?
    {
        return Ok(milliseconds);
    }
    match expiry.extract::<f64>() {
        Ok(seconds) if seconds.is_finite() => Ok((seconds * 1_000.0) as i64),
        _ => Err(PyTypeError::new_err(format!(
            "the expiry must be an aware datetime or seconds since 1970, not {}",
            type_name(expiry)
        ))),
    }
}

/// The exception of the function, as the reason for the missing token.
fn describe(py: Python<'_>, error: &PyErr) -> TokenError {
    let class = error.get_type(py).name().map(|name| name.to_string());
    let class = class.unwrap_or_else(|_| "an exception".to_owned());
    let text = error.value(py).str().map(|text| text.to_string());
    TokenError::unavailable(format!(
        "oauth_token raised {class}: {}",
        text.unwrap_or_default()
    ))
}
