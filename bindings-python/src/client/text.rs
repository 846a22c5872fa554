//! A client as text.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use headwater::ErrorKind;
use pyo3::prelude::*;

use super::Client;
use crate::texts;

#[pymethods]
impl Client {
    /// The path or the addresses, and the number of topics of an embedded engine. Sends no request to a cluster.
    fn __repr__(&self, py: Python<'_>) -> String {
        let state = self.state(py);
        let properties = [self.access.origin().text()].into_iter().chain(state);
        texts::object(self.access.face(), "Client", properties)
    }
}

impl Client {
    /// The number of topics, or the reason why the client cannot be used.
    fn state(&self, py: Python<'_>) -> Option<String> {
        let Ok(engine) = self.access.engine() else {
            return Some("opened before a fork".to_owned());
        };
        match engine.check() {
            Ok(()) => {
                let topics = self.topic_count(py, engine)?;
                Some(texts::count(topics, "topic"))
            }
            Err(error) if error.kind() == ErrorKind::Closed => Some("closed".to_owned()),
            Err(_) => Some("unusable".to_owned()),
        }
    }

    /// The number of topics of an embedded engine, which answers at the first poll.
    fn topic_count(&self, py: Python<'_>, engine: &headwater::Engine) -> Option<usize> {
        let is_embedded = engine.deletions().is_some();
        let admin = is_embedded.then(|| engine.client().admin().clone())?;
        let first = py.detach(|| {
            let _context = self.access.runtime().enter();
            let mut topics = pin!(admin.topics(false));
            topics
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop()))
        });
        match first {
            Poll::Ready(topics) => Some(topics.ok()?.len()),
            Poll::Pending => None,
        }
    }
}
