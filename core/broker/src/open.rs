//! Opens a data directory.

mod directories;
mod error;
mod partitions;
mod report;

use std::collections::BTreeMap;
use std::path::Path;

use headwater_env::Env;
use headwater_log::{CheckpointKind, DataDirectory, DataDirectoryError, OpenState};
use headwater_metadata::{BrokerConfig, BrokerImage, ConfigError, Image, MetadataRecord, NodeId};
use headwater_protocol::FeatureLevelRecord;
use headwater_record::Offset;

use crate::controller::resolve_broker;
use crate::features::FEATURES;
use crate::metadata_log::{self, MetadataLog, ReplayedMetadata};
use crate::random::random_uuid;
use crate::state::{Parts, State};
use directories::Directories;

pub use error::OpenError;
pub use report::{OpenReport, RecoveredPartition, StrayDirectory};

/// The default `node.id` of a new directory.
const DEFAULT_NODE_ID: NodeId = 1;

/// Opens `path`: lock, metadata, partitions.
pub(crate) fn open<E: Env>(
    env: E,
    path: &Path,
    given: BrokerConfig,
) -> Result<(State<E>, OpenReport), OpenError> {
    let started = env.monotonic();
    let created = env
        .metadata(&path.join("meta.properties"))
        .map_err(|error| OpenError::io(path, error))?
        .is_none();
    let node_id = given.node_id.unwrap_or(DEFAULT_NODE_ID);
    let directory = DataDirectory::open(env.clone(), path, node_id).map_err(OpenError::from)?;
    check_node_id(&directory, &given)?;
    let mut report = OpenReport {
        created,
        clean_shutdown: directory.clean_shutdown(),
        ..OpenReport::default()
    };
    let checkpoints = Checkpoints::read(&directory, &mut report)?;

    let (
        metadata_log,
        ReplayedMetadata {
            mut image,
            removed_topics,
        },
    ) = open_metadata(&env, &directory, &checkpoints, &mut report)?;
    let was_changed = bootstrap(&env, &directory, &metadata_log, &mut image)?;
    let config = resolve_broker(&image, directory.meta().node_id, &given);

    let found = Directories::sort(&env, &directory, &image, &removed_topics)?;
    found.clear_away(&directory, &mut report)?;
    let topics = partitions::open_all(
        &env,
        &directory,
        &image,
        &config,
        &checkpoints,
        &found,
        &mut report,
    )?;

    if let Err(error) = directory.note_boot() {
        tracing::warn!(%error, "the boot id could not be written; after a kill the next recovery has to assume that unsynced writes were lost");
    }

    let state = State::new(Parts {
        env,
        static_config: given,
        config,
        directory,
        metadata_log,
        image,
        topics,
    });
    if found.changed_anything() || !report.damaged_checkpoints.is_empty() {
        // A later topic must not inherit the recovery point of a deleted one.
        state.partitions.write_recovery_points();
        state.partitions.write_log_starts();
        state.partitions.write_cleaner_offsets();
    } else if was_changed {
        state.partitions.write_recovery_points();
    }
    report.elapsed = state.partitions.env.monotonic().saturating_sub(started);
    Ok((state, report))
}

/// The offsets in the checkpoint files.
#[derive(Debug)]
struct Checkpoints {
    clean_shutdown: bool,
    same_boot: bool,
    recovery_points: BTreeMap<(String, i32), Offset>,
    log_starts: BTreeMap<(String, i32), Offset>,
    /// `None` if damaged: then any log may have been cleaned.
    cleaner: Option<BTreeMap<(String, i32), Offset>>,
}

impl Checkpoints {
    /// Reads all checkpoints. A damaged one counts as empty, so everything is recovered as after a crash.
    fn read<E: Env>(
        directory: &DataDirectory<E>,
        report: &mut OpenReport,
    ) -> Result<Self, OpenError> {
        let mut read = |kind| match directory.read_checkpoint(kind) {
            Err(DataDirectoryError::Damaged { path, what }) => {
                tracing::warn!(path = %path.display(), what, "a checkpoint is damaged; all logs are recovered");
                report.damaged_checkpoints.push(path);
                Ok(None)
            }
            result => result.map(Some),
        };
        let recovery_points = read(CheckpointKind::RecoveryPoint)?.unwrap_or_default();
        let log_starts = read(CheckpointKind::LogStartOffset)?.unwrap_or_default();
        let cleaner = read(CheckpointKind::Cleaner)?;
        let clean_shutdown = directory.clean_shutdown() && report.damaged_checkpoints.is_empty();
        Ok(Self {
            clean_shutdown,
            same_boot: directory.same_boot(),
            recovery_points,
            log_starts,
            cleaner,
        })
    }

    fn of(&self, topic: &str, partition: i32) -> OpenState {
        let key = (topic.to_owned(), partition);
        let offset = |offsets: &BTreeMap<(String, i32), Offset>| {
            offsets.get(&key).copied().unwrap_or(Offset::ZERO)
        };
        OpenState {
            clean_shutdown: self.clean_shutdown,
            same_boot: self.same_boot,
            recovery_point: offset(&self.recovery_points),
            log_start_offset: offset(&self.log_starts),
            cleaner_checkpoint: match &self.cleaner {
                Some(offsets) => offsets.get(&key).copied(),
                None => Some(Offset::ZERO),
            },
            leader_epoch: None,
        }
    }
}

fn check_node_id<E: Env>(
    directory: &DataDirectory<E>,
    given: &BrokerConfig,
) -> Result<(), OpenError> {
    let kept = directory.meta().node_id;
    match given.node_id {
        Some(requested) if requested != kept => Err(OpenError::Config(ConfigError::Conflict {
            reason: format!(
                "node.id is {requested}, but {} was created with {kept}: leave node.id out, or open another directory",
                directory.path().display()
            ),
        })),
        _ => Ok(()),
    }
}

fn open_metadata<E: Env>(
    env: &E,
    directory: &DataDirectory<E>,
    checkpoints: &Checkpoints,
    report: &mut OpenReport,
) -> Result<(MetadataLog<E>, ReplayedMetadata), OpenError> {
    let path = directory.partition_path(metadata_log::TOPIC, 0);
    let start = checkpoints.of(metadata_log::TOPIC, 0);
    let end = metadata_log::check(env, &path, start.recovery_point)
        .map_err(|error| OpenError::metadata(&path, error))?;
    let others = directory.partitions().iter();
    let mut others = others.filter(|found| found.topic != metadata_log::TOPIC);
    if end == Offset::ZERO
        && let Some(partition) = others.next()
    {
        return Err(OpenError::Damaged {
            path,
            reason: format!(
                "its log is missing or empty, and there are partitions such as {}. Restore the directory from a copy",
                partition.path.display()
            ),
        });
    }
    let (log, recovery) = MetadataLog::open(env.clone(), &path, start)
        .map_err(|error| OpenError::log(&path, error))?;
    report.add(metadata_log::TOPIC, 0, log.log_end_offset(), recovery);
    let replayed = log.replay().map_err(|error| OpenError::Damaged {
        path: path.clone(),
        reason: format!("{error}. Restore the directory from a copy"),
    })?;
    Ok((log, replayed))
}

/// Initialises the metadata of a new cluster: the finalized features and the broker. A cluster of an older version gets
/// its missing features. Returns whether anything was missing.
fn bootstrap<E: Env>(
    env: &E,
    directory: &DataDirectory<E>,
    log: &MetadataLog<E>,
    image: &mut Image,
) -> Result<bool, OpenError> {
    let node_id = directory.meta().node_id;
    let missing = FEATURES
        .iter()
        .filter(|feature| image.feature(feature.name).is_none());
    let mut records: Vec<_> = missing
        .map(|feature| {
            MetadataRecord::FeatureLevel(FeatureLevelRecord {
                name: feature.name.into(),
                feature_level: feature.highest,
                ..FeatureLevelRecord::default()
            })
        })
        .collect();
    if image.broker(node_id).is_none() {
        let broker = BrokerImage {
            epoch: log.log_end_offset().get() + records.len() as i64,
            incarnation: random_uuid(env),
            rack: None,
            fenced: false,
        };
        records.push(broker.record(node_id));
    }
    log.commit(image, &records, env.wall_clock_ms())
        .map_err(|error| OpenError::Io {
            path: directory.path().to_owned(),
            source: std::io::Error::other(error),
        })?;
    Ok(!records.is_empty())
}
