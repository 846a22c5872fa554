//! Passes events of the core to Python's `logging`, under `headwater.*`.
//!
//! An event may come from any thread, and while any lock of the core is held. So it is only added to a bounded queue;
//! the thread of callbacks, and calls that open an engine, pass the queue to Python.

use std::collections::VecDeque;
use std::fmt::{self, Write as _};
use std::sync::Once;
use std::time::{SystemTime, UNIX_EPOCH};

use headwater::PerProcess;
use parking_lot::Mutex;
use pyo3::prelude::*;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Level, Metadata, Subscriber};

use crate::callbacks;

/// The maximum number of events in the queue. Further ones are counted and dropped.
const QUEUE_MAX: usize = 1_000;

static QUEUE: PerProcess<Mutex<Queue>> = PerProcess::new(Mutex::default);

#[derive(Debug, Default)]
struct Queue {
    events: VecDeque<Event>,
    lost: usize,
    /// Whether the thread of callbacks is about to pass the queue to Python.
    is_asked: bool,
}

/// An event in the form that `headwater._logging` takes.
#[derive(Debug)]
struct Event {
    logger: String,
    level: u8,
    file: &'static str,
    line: u32,
    created: f64,
    message: String,
}

/// Starts to pass events of the core to Python, unless this process logs them already.
pub(crate) fn listen() {
    static LISTEN: Once = Once::new();
    LISTEN.call_once(|| {
        // The command line writes its own log.
        let _ = tracing::subscriber::set_global_default(Listener);
    });
}

/// Passes the queued events to Python. No lock of the core or of this module is held meanwhile.
pub(crate) fn hand_over(py: Python<'_>) {
    loop {
        let (events, lost) = {
            let mut queue = QUEUE.lock();
            queue.is_asked = false;
            (
                std::mem::take(&mut queue.events),
                std::mem::take(&mut queue.lost),
            )
        };
        if events.is_empty() && lost == 0 {
            return;
        }
        if let Err(error) = events
            .into_iter()
            .chain((lost > 0).then(|| Event::of_loss(lost)))
            .try_for_each(|event| event.log(py))
        {
            error.write_unraisable(py, None);
        }
    }
}

fn push(event: Event) {
    let asks = {
        let mut queue = QUEUE.lock();
        if queue.events.len() < QUEUE_MAX {
            queue.events.push_back(event);
        } else {
            queue.lost += 1;
        }
        !std::mem::replace(&mut queue.is_asked, true)
    };
    if asks {
        callbacks::run(Box::new(hand_over));
    }
}

impl Event {
    fn new(metadata: &'static Metadata<'static>, message: String) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        Self {
            logger: logger(metadata.target()),
            level: level(*metadata.level()),
            file: metadata.file().unwrap_or_default(),
            line: metadata.line().unwrap_or_default(),
            created: now.unwrap_or_default().as_secs_f64(),
            message,
        }
    }

    fn of_loss(lost: usize) -> Self {
        Self {
            logger: "headwater".to_owned(),
            level: level(Level::WARN),
            file: file!(),
            line: line!(),
            created: SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap_or_default()
                .as_secs_f64(),
            message: format!(
                "{lost} log events were lost, because they arrived faster than they could be logged"
            ),
        }
    }

    fn log(self, py: Python<'_>) -> PyResult<()> {
        let arguments = (
            self.logger,
            self.level,
            self.file,
            self.line,
            self.created,
            self.message,
        );
        py.import("headwater._logging")?
            .call_method1("log", arguments)
            .map(drop)
    }
}

/// `headwater_log::open` becomes `headwater.log.open`.
fn logger(target: &str) -> String {
    target
        .replacen("headwater_", "headwater.", 1)
        .replace("::", ".")
}

/// The number of a level in Python.
fn level(level: Level) -> u8 {
    match level {
        Level::ERROR => 40,
        Level::WARN => 30,
        Level::INFO => 20,
        Level::DEBUG | Level::TRACE => 10,
    }
}

/// Receives events of the core. There are no spans.
struct Listener;

impl Subscriber for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event()
            && *metadata.level() <= Level::DEBUG
            && metadata.target().starts_with("headwater")
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::DEBUG)
    }

    fn event(&self, event: &tracing::Event<'_>) {
        let mut text = Text::default();
        event.record(&mut text);
        push(Event::new(event.metadata(), text.message + &text.fields));
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// The message of an event, and its fields as ` name=value`.
#[derive(Debug, Default)]
struct Text {
    message: String,
    fields: String,
}

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing to a string cannot fail.
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.fields, " {name}={value:?}"),
        };
    }
}
