//! The senders of a producer: one for each broker.

use std::sync::Arc;

use hashbrown::HashMap;
use parking_lot::RwLock;

use super::sender::Sender;

/// The senders of a producer, by the id of their broker. May be used concurrently.
#[derive(Debug, Default)]
pub(super) struct Senders(RwLock<HashMap<i32, Arc<Sender>>>);

impl Senders {
    /// The sender of this broker.
    pub(super) fn of(&self, node: i32) -> Arc<Sender> {
        if let Some(sender) = self.0.read().get(&node) {
            return Arc::clone(sender);
        }
        let mut senders = self.0.write();
        let sender = senders
            .entry(node)
            .or_insert_with(|| Arc::new(Sender::new(node)));
        Arc::clone(sender)
    }
}
