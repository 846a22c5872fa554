//! Topics that are assigned on the first use of the consumer.

use super::super::Consumer;
use crate::error::Result;

impl Consumer {
    /// Assigns all partitions of these topics on the first use, for callers that cannot wait yet. An unknown topic
    /// fails then. [`Consumer::assign`], [`Consumer::unsubscribe`] and [`Consumer::close`] cancel it.
    pub fn assign_topics_at_first_use(&mut self, topics: Vec<String>) {
        self.deferred_topics = Some(topics);
    }

    /// Carries out [`Consumer::assign_topics_at_first_use`]. Calls that wait do so themselves; before other calls, such
    /// as [`Consumer::assignment`], the caller must call this.
    pub async fn ready(&mut self) -> Result<()> {
        let Some(topics) = self.deferred_topics.clone() else {
            return Ok(());
        };
        let names: Vec<&str> = topics.iter().map(String::as_str).collect();
        self.assign_topics(&names).await
    }
}
