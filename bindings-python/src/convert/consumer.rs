//! The arguments of `Client.consumer`.

use headwater::ConsumerConfig;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::convert::format::FormatArguments;
use crate::convert::{config, partitions};
use crate::errors;
use crate::runtime::Embedded;

/// What `consumer` was called with.
pub(crate) struct ConsumerArguments<'a, 'py> {
    pub(crate) topics: Option<&'a Bound<'py, PyAny>>,
    pub(crate) group_id: Option<&'a str>,
    pub(crate) format: FormatArguments<'a, 'py>,
    pub(crate) config: Option<&'a Bound<'py, PyDict>>,
    pub(crate) consumer_config: Option<&'a Bound<'py, PyDict>>,
}

impl ConsumerArguments<'_, '_> {
    /// A consumer of the core, which is subscribed already if it is of a group; else with the topics that it is still to be assigned.
    pub(crate) fn open(
        self,
        embedded: &Embedded,
    ) -> PyResult<(headwater::Consumer, Option<Vec<String>>)> {
        let format = self.format.options()?;
        let mut pairs = config::pairs(self.config, self.consumer_config)?;
        let group_id = self.group_id;
        pairs.extend(group_id.map(|group_id| ("group.id".to_owned(), group_id.to_owned())));
        let config = ConsumerConfig::parse(pairs).map_err(errors::raise)?;
        let is_member = config.group.is_some();
        let (topics, subscription) = match self.topics {
            Some(topics) if is_member => (None, Some(partitions::subscription(topics)?)),
            topics => (topics.map(partitions::topics).transpose()?, None),
        };
        let mut consumer = embedded.client()?.consumer(config);
        consumer.decode_as(format).map_err(errors::raise)?;
        if let Some(subscription) = subscription {
            consumer.subscribe(subscription).map_err(errors::raise)?;
        }
        Ok((consumer, topics))
    }
}
