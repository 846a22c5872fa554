//! The topics of a client.

use headwater::{NewTopic, TopicChanges};
use napi::Env;
use napi_derive::napi;

use super::Client;
use crate::abort::Abort;
use crate::convert::partitions;
use crate::convert::position::{PositionArgument, position};
use crate::errors;
use crate::runtime::{Answer, EngineHandle, promise};

/// A listed topic.
#[napi(object, object_from_js = false)]
pub struct TopicInfo {
    /// The topic's name.
    pub name: String,
    /// The topic's id. A recreated topic has another one.
    pub topic_id: String,
    /// The number of partitions.
    pub partitions: u32,
    /// Whether it is an internal topic.
    pub internal: bool,
}

/// A configuration entry of a topic.
#[napi(object, object_from_js = false)]
pub struct ConfigEntry {
    /// Kafka's key.
    pub name: String,
    /// The effective value; none for a secret.
    pub value: Option<String>,
    /// The source of the value, with Kafka's name.
    pub source: String,
    /// The description of the key.
    pub documentation: Option<String>,
}

#[napi]
impl Client {
    /// Creates a topic.
    #[napi(catch_unwind, ts_return_type = "Promise<void>")]
    #[allow(
        clippy::too_many_arguments,
        reason = "they are the options of the public API"
    )]
    pub fn create_topic(
        &self,
        env: Env,
        name: String,
        partitions: Option<i32>,
        replication_factor: Option<i32>,
        if_exists: String,
        config: Vec<(String, String)>,
        abort: Option<&Abort>,
    ) -> napi::Result<Answer> {
        let topic = NewTopic {
            name,
            partitions,
            replication_factor: replication_factor.map(|factor| factor as i16),
            if_exists: if_exists
                .parse()
                .map_err(|error| errors::raise(&env, &error))?,
            config: config.into_iter().collect(),
        };
        let admin = self.admin(&env)?;
        let create = async move { admin.create_topic(topic).await };
        promise(&env, self.embedded.runtime(), abort, create, |_, ()| Ok(()))
    }

    /// The topics, by name.
    #[napi(catch_unwind, ts_return_type = "Promise<Array<TopicInfo>>")]
    pub fn topics(&self, env: Env, internal: bool, abort: Option<&Abort>) -> napi::Result<Answer> {
        let admin = self.admin(&env)?;
        let topics = async move { admin.topics(internal).await };
        promise(&env, self.embedded.runtime(), abort, topics, |_, topics| {
            let info = |topic: headwater::TopicInfo| TopicInfo {
                name: topic.name.to_string(),
                topic_id: topic.topic_id.to_string(),
                partitions: topic.partitions as u32,
                internal: topic.internal,
            };
            Ok(topics.into_iter().map(info).collect::<Vec<_>>())
        })
    }

    /// Adds partitions, and sets configuration entries or resets them to their defaults.
    #[napi(catch_unwind, ts_return_type = "Promise<void>")]
    pub fn alter_topic(
        &self,
        env: Env,
        name: String,
        partitions: Option<i32>,
        config: Vec<(String, Option<String>)>,
        abort: Option<&Abort>,
    ) -> napi::Result<Answer> {
        let changes = TopicChanges {
            partitions,
            config: config.into_iter().collect(),
        };
        let admin = self.admin(&env)?;
        let alter = async move { admin.alter_topic(&name, changes).await };
        promise(&env, self.embedded.runtime(), abort, alter, |_, ()| Ok(()))
    }

    /// Deletes a topic. Returns whether it existed.
    #[napi(catch_unwind, ts_return_type = "Promise<boolean>")]
    pub fn delete_topic(
        &self,
        env: Env,
        name: String,
        missing_ok: bool,
        abort: Option<&Abort>,
    ) -> napi::Result<Answer> {
        let admin = self.admin(&env)?;
        let delete = async move { admin.delete_topic(&name, missing_ok).await };
        promise(
            &env,
            self.embedded.runtime(),
            abort,
            delete,
            |_, existed| Ok(existed),
        )
    }

    /// Deletes the records before a position. Returns the new start offset of each partition.
    #[napi(catch_unwind, ts_return_type = "Promise<Array<PartitionOffset>>")]
    pub fn delete_records(
        &self,
        env: Env,
        name: String,
        #[napi(ts_arg_type = "string | Array<PartitionOffset>")] before: PositionArgument,
        abort: Option<&Abort>,
    ) -> napi::Result<Answer> {
        let (admin, before) = (self.admin(&env)?, position(&env, &before)?);
        let delete = async move { admin.delete_records(&name, &before).await };
        promise(&env, self.embedded.runtime(), abort, delete, |_, starts| {
            Ok(partitions::by_number(starts))
        })
    }

    /// The configuration of a topic.
    #[napi(catch_unwind, ts_return_type = "Promise<Array<ConfigEntry>>")]
    pub fn topic_config(
        &self,
        env: Env,
        name: String,
        abort: Option<&Abort>,
    ) -> napi::Result<Answer> {
        topic_config(&env, &self.embedded, name, abort)
    }

    /// The configuration of a broker; without an id, of the one with the lowest id.
    #[napi(catch_unwind, ts_return_type = "Promise<Array<ConfigEntry>>")]
    pub fn broker_config(
        &self,
        env: Env,
        broker: Option<i32>,
        abort: Option<&Abort>,
    ) -> napi::Result<Answer> {
        let admin = self.embedded.client(&env)?.admin().clone();
        let config = async move { admin.broker_config(broker).await };
        promise(
            &env,
            self.embedded.runtime(),
            abort,
            config,
            |_, entries| Ok(config_entries(entries)),
        )
    }
}

/// The configuration of a topic.
pub(crate) fn topic_config(
    env: &Env,
    embedded: &EngineHandle,
    name: String,
    abort: Option<&Abort>,
) -> napi::Result<Answer> {
    let admin = embedded.client(env)?.admin().clone();
    let config = async move { admin.topic_config(&name).await };
    promise(env, embedded.runtime(), abort, config, |_, entries| {
        Ok(config_entries(entries))
    })
}

fn config_entries(entries: Vec<headwater::ConfigEntry>) -> Vec<ConfigEntry> {
    let entry = |entry: headwater::ConfigEntry| ConfigEntry {
        name: entry.name,
        value: entry.value,
        source: entry.source.to_owned(),
        documentation: entry.documentation,
    };
    entries.into_iter().map(entry).collect()
}
