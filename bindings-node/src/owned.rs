//! Values of the core that JavaScript's garbage collector frees.
//!
//! Dropping one may send records, flush files and join threads. None of that may happen on the event loop, so a
//! separate thread drops them.

use std::any::Any;
use std::ops::Deref;
use std::sync::OnceLock;
use std::sync::mpsc::{Sender, channel};
use std::thread;

type DropItem = Box<dyn Any + Send>;

/// A value of the core that is dropped in another thread.
#[derive(Debug)]
pub(crate) struct CoreValue<T: Send + 'static>(Option<T>);

impl<T: Send + 'static> CoreValue<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Some(value))
    }
}

impl<T: Send + 'static> Deref for CoreValue<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_ref().expect("the value is set until the drop")
    }
}

impl<T: Send + 'static> Drop for CoreValue<T> {
    fn drop(&mut self) {
        if let Some(value) = self.0.take() {
            drop_elsewhere(Box::new(value));
        }
    }
}

fn drop_elsewhere(value: DropItem) {
    static SENDER: OnceLock<Option<Sender<DropItem>>> = OnceLock::new();
    let sender = SENDER.get_or_init(|| {
        let (sender, values) = channel::<DropItem>();
        let work = move || values.into_iter().for_each(drop);
        let thread = thread::Builder::new().name("headwater-drop".to_owned());
        thread.spawn(work).ok().map(|_| sender)
    });
    // Without threads it is dropped here.
    if let Some(sender) = sender {
        let _ = sender.send(value);
    }
}
