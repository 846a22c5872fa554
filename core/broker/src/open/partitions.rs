//! Opens all partitions of the image with a few threads.

use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use headwater_env::Env;
use headwater_log::{DataDirectory, OpenState, RecoveryReport};
use headwater_metadata::{BrokerConfig, Image, PartitionImage};
use headwater_record::PartitionId;
use parking_lot::Mutex;

use super::directories::Directories;
use super::{Checkpoints, OpenError, OpenReport};
use crate::controller::resolve_topic;
use crate::partition::Partition;
use crate::partition_files::{TopicFacts, open_partition};
use crate::partitions::{Topic, Topics};

/// With fewer partitions another thread costs more than it saves.
const PARTITIONS_PER_THREAD: usize = 16;

/// A partition to open.
struct Job<'a> {
    topic: &'a TopicFacts,
    partition: (PartitionId, &'a PartitionImage),
    start: OpenState,
}

type OpenResult<E> = Result<(Partition<E>, RecoveryReport), OpenError>;

/// Opens every partition of `image`. Of several errors, the first by topic and partition is returned.
pub(super) fn open_all<E: Env>(
    env: &E,
    directory: &DataDirectory<E>,
    image: &Image,
    config: &BrokerConfig,
    checkpoints: &Checkpoints,
    found: &Directories,
    report: &mut OpenReport,
) -> Result<Topics<E>, OpenError> {
    let facts: Vec<_> = image
        .topics()
        .map(|topic| TopicFacts {
            id: topic.id,
            name: Arc::clone(&topic.name),
            config: resolve_topic(image, &topic.name, config),
        })
        .collect();
    let mut jobs = Vec::new();
    for (topic, topic_image) in facts.iter().zip(image.topics()) {
        for partition in topic_image.partitions() {
            let known = OpenState {
                leader_epoch: Some(partition.1.leader_epoch),
                ..checkpoints.of(&topic.name, partition.0.get())
            };
            let start = if found.has(&topic.name, partition.0.get()) {
                known
            } else {
                missing(topic, partition.0, known, report)
            };
            jobs.push(Job {
                topic,
                partition,
                start,
            });
        }
    }
    report.partitions = jobs.len();
    let node_id = directory.meta().node_id;
    let open_one = |job: &Job<'_>| {
        let path = directory.partition_path(&job.topic.name, job.partition.0.get());
        open_partition(
            env,
            &path,
            job.topic,
            job.partition,
            (config, node_id),
            job.start,
        )
        .map_err(|error| OpenError::partition(&path, error))
    };
    let opened = run_jobs(&jobs, config.recovery_threads, open_one);
    gather(&facts, &jobs, opened, report)
}

/// The state of a partition without a directory. The files of a topic are created before its record, so the directory
/// was removed.
fn missing(
    topic: &TopicFacts,
    partition: PartitionId,
    known: OpenState,
    report: &mut OpenReport,
) -> OpenState {
    // Start at the last known end, so that offsets are not reused.
    let log_start_offset = known.recovery_point.max(known.log_start_offset);
    tracing::error!(topic = %topic.name, %partition, %log_start_offset, "the directory of a partition is missing; the partition starts empty");
    report.missing.push((Arc::clone(&topic.name), partition));
    OpenState {
        log_start_offset,
        ..known
    }
}

/// Runs the jobs on at most `threads` threads. The results are in the order of the jobs.
fn run_jobs<J: Sync, R: Send>(jobs: &[J], threads: usize, run: impl Fn(&J) -> R + Sync) -> Vec<R> {
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    let threads = threads
        .min(processors)
        .min(jobs.len() / PARTITIONS_PER_THREAD);
    if threads < 2 {
        return jobs.iter().map(run).collect();
    }
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::with_capacity(jobs.len()));
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((index, job)) = claim(jobs, &next) {
                    let result = run(job);
                    results.lock().push((index, result));
                }
            });
        }
    });
    let mut results = results.into_inner();
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}

fn claim<'a, J>(jobs: &'a [J], next: &AtomicUsize) -> Option<(usize, &'a J)> {
    let index = next.fetch_add(1, Ordering::Relaxed);
    jobs.get(index).map(|job| (index, job))
}

fn gather<E: Env>(
    facts: &[TopicFacts],
    jobs: &[Job<'_>],
    opened: Vec<OpenResult<E>>,
    report: &mut OpenReport,
) -> Result<Topics<E>, OpenError> {
    let topics = Topics::new();
    for topic in facts {
        topics.insert(Arc::new(Topic::new(
            topic.id,
            Arc::clone(&topic.name),
            Vec::new(),
        )));
    }
    for (job, opened) in jobs.iter().zip(opened) {
        let (partition, recovery) = opened?;
        report.add(
            &job.topic.name,
            job.partition.0.get(),
            partition.log().log_end_offset(),
            recovery,
        );
        if let Some(topic) = topics.by_id(job.topic.id) {
            topic.extend(vec![Arc::new(partition)]);
        }
    }
    Ok(topics)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_in_the_order_of_the_jobs() {
        let jobs: Vec<usize> = (0..1000).collect();
        let results = run_jobs(&jobs, 8, |job| {
            if job % 7 == 0 {
                thread::yield_now();
            }
            job * 2
        });
        assert_eq!(results, jobs.iter().map(|job| job * 2).collect::<Vec<_>>());
    }
}
