//! A consumer as text.

use std::collections::BTreeSet;

use headwater::Subscription;
use pyo3::prelude::*;

use super::Consumer;
use crate::reading::ReadState;
use crate::texts;

#[pymethods]
impl Consumer {
    /// The group, the topics, and the number of assigned partitions.
    fn __repr__(&self) -> String {
        texts::object(self.access.face(), "Consumer", self.properties())
    }
}

impl Consumer {
    fn properties(&self) -> Vec<String> {
        let Some(state) = self.state.if_ours() else {
            return vec!["opened before a fork".to_owned()];
        };
        let mut properties = Vec::new();
        if let Some(group_id) = &state.group_id {
            properties.push(format!("group {}", texts::quoted(group_id)));
        }
        let topics = state.topics();
        properties.extend(topics.as_ref().map(subscribed));
        if self.access.check().is_err() {
            properties.push("closed".to_owned());
            return properties;
        }
        let read = state
            .reading
            .use_in_place(|reading| assigned(reading, topics.is_none()));
        properties.extend(read.unwrap_or_else(|| vec!["in use by a call".to_owned()]));
        properties
    }
}

/// The number of assigned partitions, and their topics if nothing else names them.
fn assigned(reading: &ReadState, with_topics: bool) -> Vec<String> {
    if reading.consumer.is_closed() {
        return vec!["closed".to_owned()];
    }
    let partitions = reading.consumer.assignment();
    let number = texts::count(partitions.len(), "partition");
    if !with_topics || partitions.is_empty() {
        return vec![number];
    }
    let topics: BTreeSet<_> = partitions
        .iter()
        .map(|partition| &partition.topic)
        .collect();
    let topics: Vec<_> = topics.into_iter().collect();
    vec![texts::names(&topics), number]
}

fn subscribed(subscription: &Subscription) -> String {
    match (subscription, subscription.pattern_text()) {
        (_, Some(pattern)) => format!("pattern {}", texts::quoted(pattern)),
        (Subscription::Topics(topics), None) => {
            let topics: Vec<_> = topics.iter().collect();
            texts::names(&topics)
        }
        (Subscription::Pattern(_), None) => String::new(),
    }
}
