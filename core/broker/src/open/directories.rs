//! Classification of partition directories.

use std::collections::{BTreeSet, HashSet};

use headwater_env::Env;
use headwater_log::{DataDirectory, DirectoryOwner, PartitionDirectory, read_owner};
use headwater_metadata::Image;
use headwater_record::PartitionId;
use uuid::Uuid;

use super::{OpenError, OpenReport, StrayDirectory};
use crate::left_over::is_left_over;
use crate::metadata_log;

/// The partition directories, by their relation to the metadata image.
#[derive(Debug, Default)]
pub(super) struct Directories {
    /// They belong to a partition of the image.
    known: BTreeSet<(String, i32)>,
    /// The topic was deleted, and the process died before it deleted them.
    deleted: Vec<PartitionDirectory>,
    /// The process died before it wrote their metadata record, and they contain no records.
    left_over: Vec<PartitionDirectory>,
    /// They belong to no topic.
    strays: Vec<PartitionDirectory>,
}

impl Directories {
    /// Reads each directory and compares it with the image.
    pub(super) fn sort<E: Env>(
        env: &E,
        directory: &DataDirectory<E>,
        image: &Image,
        removed_topics: &HashSet<Uuid>,
    ) -> Result<Self, OpenError> {
        let mut sorted = Self::default();
        for found in directory.partitions() {
            if found.topic == metadata_log::TOPIC {
                continue;
            }
            let in_image = image
                .partition(&found.topic, PartitionId::new(found.partition))
                .is_some();
            let topic_id = image.topic(&found.topic).map(|topic| topic.id);
            let owner =
                read_owner(env, &found.path).map_err(|error| OpenError::io(&found.path, error))?;
            let owner_id = match owner {
                DirectoryOwner::Topic(id) => Some(Uuid::from_bytes(id)),
                DirectoryOwner::Unknown | DirectoryOwner::Damaged => None,
            };
            match owner_id {
                Some(id) if removed_topics.contains(&id) => sorted.deleted.push(found.clone()),
                Some(id) if in_image && topic_id == Some(id) => sorted.keep(found),
                // Damaged directories belong here too: opening them reports the error.
                None if in_image => sorted.keep(found),
                _ if !in_image
                    && is_left_over(env, &found.path)
                        .map_err(|error| OpenError::io(&found.path, error))? =>
                {
                    sorted.left_over.push(found.clone());
                }
                _ => sorted.strays.push(found.clone()),
            }
        }
        Ok(sorted)
    }

    /// Whether the partition has a directory.
    pub(super) fn has(&self, topic: &str, partition: i32) -> bool {
        self.known.contains(&(topic.to_owned(), partition))
    }

    /// Whether directories were moved.
    pub(super) fn changed_anything(&self) -> bool {
        !self.deleted.is_empty()
    }

    /// Completes interrupted deletions and reports strays. A stray at the path of a known partition is refused when
    /// that partition is opened, because its records may be needed.
    pub(super) fn clear_away<E: Env>(
        &self,
        directory: &DataDirectory<E>,
        report: &mut OpenReport,
    ) -> Result<(), OpenError> {
        for found in &self.deleted {
            let path = directory.mark_deleted(&found.topic, found.partition)?;
            directory.remove_deleted(&path)?;
        }
        for found in &self.left_over {
            directory.remove_deleted(&found.path)?;
        }
        for found in &self.strays {
            tracing::warn!(path = %found.path.display(), "a partition directory belongs to no topic; it is left as it is");
            report.strays.push(StrayDirectory {
                path: found.path.clone(),
            });
        }
        Ok(())
    }

    fn keep(&mut self, found: &PartitionDirectory) {
        self.known.insert((found.topic.clone(), found.partition));
    }
}
