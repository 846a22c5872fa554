//! Captures the broker's `tracing` events as text.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Dispatch, Event, Level, Metadata, Subscriber, dispatcher};

/// The events of the threads that report here. Clones share the list.
#[derive(Debug, Clone, Default)]
pub struct Events {
    seen: Arc<Mutex<Vec<(Level, String)>>>,
}

impl Events {
    /// Runs `work` in this thread and captures its events.
    pub fn of<T>(&self, work: impl FnOnce() -> T) -> T {
        dispatcher::with_default(&Dispatch::new(self.clone()), work)
    }

    /// Removes the events of a level and returns each as its message and its fields.
    pub fn take(&self, level: Level) -> Vec<String> {
        let mut seen = self.seen.lock().unwrap();
        let of_level = seen.extract_if(.., |(found, _)| *found == level);
        of_level.map(|(_, text)| text).collect()
    }
}

/// `message field=value field=value`
struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() == "message" {
            self.0.insert_str(0, &format!("{value:?}"));
        } else {
            write!(self.0, " {}={value:?}", field.name()).unwrap();
        }
    }
}

impl Subscriber for Events {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut text = Text(String::new());
        event.record(&mut text);
        let level = *event.metadata().level();
        self.seen.lock().unwrap().push((level, text.0));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}
