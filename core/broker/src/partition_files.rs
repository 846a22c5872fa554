//! Opens the files of a partition.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use headwater_env::Env;
use headwater_log::{
    DataDirectoryError, DirectoryOwner, OpenState, PartitionLog, RecoveryReport, read_owner,
    write_owner,
};
use headwater_metadata::{BrokerConfig, NodeId, PartitionImage, TopicConfig};
use headwater_record::PartitionId;
use uuid::Uuid;

use crate::log_config::log_config;
use crate::partition::{Leadership, Partition};

/// Why a partition was not opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PartitionError {
    /// The log cannot be opened.
    #[error(transparent)]
    Log(#[from] headwater_log::OpenError),
    /// The directory or its `partition.metadata` cannot be read or written.
    #[error("the directory cannot be used: {0}; check the disk and the permissions")]
    Metadata(#[from] std::io::Error),
    /// `partition.metadata` is damaged, or belongs to another topic.
    #[error(
        "the file partition.metadata does not contain the topic id {expected}; remove the file to assign the directory to this topic"
    )]
    Owner {
        /// The topic id that was expected.
        expected: Uuid,
    },
    /// The directory contains unknown files.
    #[error("{} exists already and belongs to no topic: move it away", path.display())]
    Taken {
        /// The directory.
        path: PathBuf,
    },
    /// The data directory cannot be changed.
    #[error(transparent)]
    Directory(#[from] DataDirectoryError),
}

/// The properties of a topic that its partitions share.
#[derive(Debug, Clone)]
pub(crate) struct TopicFacts {
    pub(crate) id: Uuid,
    pub(crate) name: Arc<str>,
    pub(crate) config: Arc<TopicConfig>,
}

/// Opens the partition in `dir`. A new directory is created and marked with its topic id.
pub(crate) fn open_partition<E: Env>(
    env: &E,
    dir: &Path,
    topic: &TopicFacts,
    (id, image): (PartitionId, &PartitionImage),
    (broker, node_id): (&BrokerConfig, NodeId),
    start: OpenState,
) -> Result<(Partition<E>, RecoveryReport), PartitionError> {
    let owner = if env.metadata(dir)?.is_some() {
        read_owner(env, dir)?
    } else {
        DirectoryOwner::Unknown
    };
    let (log, report) = match owner {
        DirectoryOwner::Topic(owner) if owner == *topic.id.as_bytes() => {
            open_log(env, dir, topic, broker, start)?
        }
        DirectoryOwner::Unknown => {
            let opened = open_log(env, dir, topic, broker, start)?;
            write_owner(env, dir, topic.id.into_bytes())?;
            opened
        }
        DirectoryOwner::Topic(_) | DirectoryOwner::Damaged => {
            return Err(PartitionError::Owner { expected: topic.id });
        }
    };
    let identity = (Arc::clone(&topic.name), id);
    let partition = Partition::new(
        identity,
        log,
        Leadership::of(image, node_id),
        Arc::clone(&topic.config),
    );
    Ok((partition, report))
}

fn open_log<E: Env>(
    env: &E,
    dir: &Path,
    topic: &TopicFacts,
    broker: &BrokerConfig,
    start: OpenState,
) -> Result<(PartitionLog<E>, RecoveryReport), headwater_log::OpenError> {
    PartitionLog::open(env.clone(), dir, log_config(&topic.config, broker), start)
}
