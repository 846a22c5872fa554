//! A running scenario: a topic, clients under load, and brokers with faults. At its end the history is judged.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::Duration;

use headwater::{Engine, NewTopic};
use headwater_fault_tests::chance::Chance;
use headwater_fault_tests::checker::check;
use headwater_fault_tests::history::{Event, History, Log, RecordId};

use crate::brokers::Brokers;
use crate::load::{Load, connect};
use crate::{PATIENCE, eventually, judge};

/// The initial number of partitions of a topic.
pub(crate) const PARTITIONS: i32 = 4;
/// The maximum number of violations that are printed.
const PRINTED: usize = 20;

/// A running scenario.
pub(crate) struct Scene<'b> {
    pub(crate) brokers: &'b mut Brokers,
    pub(crate) load: Load,
    pub(crate) admin: Engine,
    pub(crate) topic: String,
    pub(crate) chance: Chance,
    name: String,
}

/// Runs a scenario for each seed, and judges each history.
pub(crate) fn run(name: &str, brokers: &mut Brokers, disturb: impl Fn(&mut Scene<'_>)) {
    let first = number("HEADWATER_FAULT_SEED");
    for seed in first..first + number("HEADWATER_FAULT_SEEDS") {
        let _note = FailureNote::new(name, seed);
        let mut scene = Scene::start(name, brokers, seed);
        scene.progress(100);
        disturb(&mut scene);
        scene.progress(100);
        scene.finish();
    }
}

/// A number from the environment, or 1.
fn number(variable: &str) -> u64 {
    match std::env::var(variable) {
        Ok(text) => text.parse().expect("seeds are numbers"),
        Err(_) => 1,
    }
}

/// Prints the scenario and its seed if it fails.
struct FailureNote<'a> {
    name: &'a str,
    seed: u64,
}

impl<'a> FailureNote<'a> {
    fn new(name: &'a str, seed: u64) -> Self {
        Self { name, seed }
    }
}

impl Drop for FailureNote<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let Self { name, seed } = self;
            eprintln!(
                "{name} failed with seed {seed}: run it again with HEADWATER_FAULT_SEED={seed}"
            );
        }
    }
}

impl<'b> Scene<'b> {
    fn start(name: &str, brokers: &'b mut Brokers, seed: u64) -> Self {
        let bootstrap = brokers.bootstrap();
        let admin = connect(&bootstrap);
        // Clusters are shared, and seeds may be repeated.
        let unique = uuid::Uuid::new_v4().simple().to_string();
        let topic = format!("{name}-{seed}-{}", &unique[..6]);
        admin
            .block_on(admin.admin().create_topic(new_topic(brokers, &topic)))
            .unwrap();
        let load = Load::start(&bootstrap, &topic, PARTITIONS, seed);
        Self {
            load,
            admin,
            topic,
            chance: Chance::of(&[seed, 0]),
            name: format!("{name}-{seed}"),
            brokers,
        }
    }

    /// Waits until this many more records are acknowledged, and each group got as many more.
    pub(crate) fn progress(&self, records: usize) {
        let recorder = &self.load.shared.recorder;
        let acknowledged = || recorder.count(|event| matches!(event, Event::Acknowledged(..)));
        let enough = acknowledged() + records;
        eventually("records that are acknowledged", || {
            (acknowledged() >= enough).then_some(())
        });
        // Not all, so that faults occur while members are reading.
        let handed_out = || recorder.count(|event| matches!(event, Event::HandedOut(..)));
        let enough = handed_out() + 2;
        eventually("records that are handed out", || {
            (handed_out() >= enough).then_some(())
        });
    }

    /// The leader of one of the topic's partitions.
    pub(crate) fn any_leader(&mut self) -> u32 {
        let leaders = eventually("leaders of the topic", || {
            let leaders = self.brokers.leaders(&self.topic);
            (!leaders.is_empty()).then(|| leaders.into_values().collect::<Vec<_>>())
        });
        self.chance.pick(&leaders)
    }

    /// Deletes the topic, creates it again, and waits until each broker has the new one.
    pub(crate) fn recreate_topic(&mut self) {
        let old = self.topic_ids();
        let recorder = &self.load.shared.recorder;
        recorder.record(Event::DeleteTopic);
        self.topic_changes();
        let admin = self.admin.admin();
        self.admin
            .block_on(admin.delete_topic(&self.topic, true))
            .unwrap();
        eventually("a topic that can be created again", || {
            let created = admin.create_topic(new_topic(self.brokers, &self.topic));
            self.admin.block_on(created).ok()
        });
        eventually("brokers with the new topic", || {
            let new = self.topic_ids();
            (new.is_disjoint(&old) && new.len() == 1).then_some(())
        });
        self.load.shared.recorder.record(Event::Recreated);
    }

    fn topic_changes(&self) {
        let has_changed = &self.load.shared.topic_has_changed;
        has_changed.store(true, Ordering::Relaxed);
    }

    /// The ids of the topic on all brokers: a single one when all have the same topic with all its leaders.
    fn topic_ids(&self) -> BTreeSet<uuid::Uuid> {
        let known = self
            .brokers
            .direct
            .iter()
            .map(|address| crate::wire::topic(address, &self.topic));
        let ids = known.map(|topic| {
            let is_led = |topic: &headwater_protocol::metadata_response::MetadataResponseTopic| {
                topic.partitions.len() == PARTITIONS as usize
                    && topic.partitions.iter().all(|one| one.leader_id >= 0)
            };
            topic
                .filter(is_led)
                .map_or(uuid::Uuid::nil(), |topic| topic.topic_id)
        });
        ids.collect()
    }

    /// Ends the faults, lets the groups read the remaining records, and judges the history.
    fn finish(mut self) {
        self.brokers.calm();
        self.load.stop_producers();
        let log = self.settled_log();
        let records: BTreeSet<RecordId> =
            log.values().flat_map(BTreeMap::values).copied().collect();
        // If it never happens, the checker reports which records are missing.
        let deadline = std::time::Instant::now() + PATIENCE;
        while std::time::Instant::now() < deadline && self.undelivered(&records) > 0 {
            std::thread::sleep(Duration::from_millis(100));
        }
        self.load.stop_members();
        let groups = self.load.groups.iter();
        let history = History {
            groups: groups.map(|group| (group.id, group.settings)).collect(),
            events: self.load.shared.recorder.events(),
            foreign_log: judge::kcat(&self.brokers.bootstrap(), &self.topic),
            log,
        };
        self.judge(&history);
        self.admin.close().unwrap();
    }

    fn undelivered(&self, records: &BTreeSet<RecordId>) -> usize {
        let groups = self.load.groups.iter();
        groups
            .map(|group| self.load.shared.undelivered(group.id, records))
            .sum()
    }

    /// The log when it no longer changes: a request whose sender stopped waiting may still be written.
    fn settled_log(&self) -> Log {
        let mut last: Option<Log> = None;
        eventually("a log that stays as it is", || {
            std::thread::sleep(Duration::from_millis(250));
            let scan = judge::scan(&self.admin, &self.topic);
            let log = self.admin.block_on(scan).ok()?;
            let is_settled = last.as_ref() == Some(&log);
            last = Some(log.clone());
            is_settled.then_some(log)
        })
    }

    fn judge(&self, history: &History) {
        let count = |filter: fn(&Event) -> bool| {
            let events = history.events.iter();
            events.filter(|timed| filter(&timed.event)).count()
        };
        println!(
            "{}: {} acknowledged, {} unknown, {} assignments, {} lost, {} commits; proxies: {:?}",
            self.name,
            count(|event| matches!(event, Event::Acknowledged(..))),
            count(|event| matches!(event, Event::Unknown(..))),
            count(|event| matches!(event, Event::Assigned(..))),
            count(|event| matches!(event, Event::Lost(..))),
            count(|event| matches!(event, Event::Committed(..))),
            self.brokers.disturbances()
        );
        let violations = check(history);
        let failures = self.load.shared.failures();
        if violations.is_empty() && failures.is_empty() {
            return;
        }
        for violation in violations.iter().take(PRINTED) {
            eprintln!("{}: {violation}", self.name);
        }
        for failure in failures.iter().take(PRINTED) {
            eprintln!("{}: {failure}", self.name);
        }
        let path = self.keep(history);
        panic!(
            "{} violations and {} unexpected errors; the history is in {}",
            violations.len(),
            failures.len(),
            path.display()
        );
    }

    /// Writes the history for debugging.
    fn keep(&self, history: &History) -> PathBuf {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let path = folder.join(format!("history-{}.txt", self.name));
        std::fs::write(&path, history.to_text()).unwrap();
        path
    }

    /// Adds partitions to the topic, and lets producers use them.
    pub(crate) fn add_partitions(&mut self, more: i32) {
        let partitions = self.load.shared.partitions.load(Ordering::Relaxed) + more;
        let changes = headwater::TopicChanges {
            partitions: Some(partitions),
            ..headwater::TopicChanges::default()
        };
        let admin = self.admin.admin();
        self.topic_changes();
        self.admin
            .block_on(admin.alter_topic(&self.topic, changes))
            .unwrap();
        self.load
            .shared
            .partitions
            .store(partitions, Ordering::Relaxed);
    }
}

fn new_topic(brokers: &Brokers, name: &str) -> NewTopic {
    let topic = NewTopic::new(name).partitions(PARTITIONS);
    if brokers.are_replicated() {
        topic
            .config("min.insync.replicas", "2")
            .config("segment.bytes", "1048576")
    } else {
        topic.config("segment.bytes", "1048576")
    }
}
