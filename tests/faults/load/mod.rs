//! Clients that produce, consume in groups and commit while faults happen, and record their calls and results.

mod members;
mod observer;
mod producers;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use headwater::Engine;
use headwater_fault_tests::chance::Chance;
use headwater_fault_tests::history::{Commits, GroupId, GroupSettings, RecordId, Recorder};
use parking_lot::Mutex;

/// The session timeout, for brokers and members.
const SESSION: Duration = Duration::from_secs(4);

/// The configuration of every client: retry soon, and do not wait for long.
const CLIENT: [(&str, &str); 8] = [
    ("metadata.max.age.ms", "2000"),
    ("request.timeout.ms", "5000"),
    ("default.api.timeout.ms", "60000"),
    ("retry.backoff.ms", "20"),
    ("retry.backoff.max.ms", "200"),
    ("reconnect.backoff.ms", "10"),
    ("reconnect.backoff.max.ms", "200"),
    ("socket.connection.setup.timeout.ms", "3000"),
];

/// A group under load.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    pub(crate) id: GroupId,
    pub(crate) name: String,
    pub(crate) protocol: &'static str,
    pub(crate) settings: GroupSettings,
}

/// The state that all clients share.
#[derive(Debug)]
pub(crate) struct SharedState {
    pub(crate) topic: String,
    pub(crate) recorder: Recorder,
    /// The number of partitions of the topic.
    pub(crate) partitions: AtomicI32,
    /// Whether the topic has changed, so that producers may have outdated metadata.
    pub(crate) topic_has_changed: AtomicBool,
    /// The records that each group has got so far.
    delivered: Mutex<BTreeMap<GroupId, BTreeSet<RecordId>>>,
    /// Errors that no client should get.
    failures: Mutex<Vec<String>>,
    producers_stop: AtomicBool,
    members_stop: AtomicBool,
    next_member: AtomicU32,
}

/// Clients under load, each in a thread.
#[derive(Debug)]
pub(crate) struct Load {
    pub(crate) shared: Arc<SharedState>,
    pub(crate) groups: Vec<Group>,
    producers: Vec<JoinHandle<()>>,
    members: Vec<JoinHandle<()>>,
    clients: Vec<Engine>,
}

pub(crate) fn connect(bootstrap: &str) -> Engine {
    headwater::connect(bootstrap, CLIENT).unwrap()
}

impl Load {
    /// Starts three producers, and two groups whose members come and go.
    pub(crate) fn start(bootstrap: &str, topic: &str, partitions: i32, seed: u64) -> Self {
        let shared = Arc::new(SharedState {
            topic: topic.to_owned(),
            recorder: Recorder::default(),
            partitions: AtomicI32::new(partitions),
            topic_has_changed: AtomicBool::new(false),
            delivered: Mutex::default(),
            failures: Mutex::default(),
            producers_stop: AtomicBool::new(false),
            members_stop: AtomicBool::new(false),
            next_member: AtomicU32::new(0),
        });
        let groups = groups(topic, seed);
        let mut load = Self {
            shared,
            groups: groups.clone(),
            producers: Vec::new(),
            members: Vec::new(),
            clients: Vec::new(),
        };
        let producing = load.client(bootstrap);
        load.producers = producers::start(&load.shared, &producing, seed);
        for group in groups {
            let client = load.client(bootstrap);
            let members = members::start(&load.shared, &client, &group, seed);
            load.members.extend(members);
        }
        let observing = load.client(bootstrap);
        let observer = observer::start(&load.shared, observing, load.groups.clone());
        load.members.push(observer);
        load
    }

    fn client(&mut self, bootstrap: &str) -> Engine {
        let client = connect(bootstrap);
        self.clients.push(client.clone());
        client
    }

    /// Stops the producers after the last result has arrived.
    pub(crate) fn stop_producers(&mut self) {
        self.shared.producers_stop.store(true, Ordering::Relaxed);
        join(&mut self.producers);
    }

    /// Lets the members leave and the observer end, and closes the clients.
    pub(crate) fn stop_members(&mut self) {
        self.shared.members_stop.store(true, Ordering::Relaxed);
        join(&mut self.members);
        for client in self.clients.drain(..) {
            client.close().unwrap();
        }
    }
}

impl Drop for Load {
    /// A failed scenario leaves no thread behind.
    fn drop(&mut self) {
        self.shared.producers_stop.store(true, Ordering::Relaxed);
        self.shared.members_stop.store(true, Ordering::Relaxed);
    }
}

impl SharedState {
    /// The number of these records that a group has not got yet.
    pub(crate) fn undelivered(&self, group: GroupId, records: &BTreeSet<RecordId>) -> usize {
        let delivered = self.delivered.lock();
        let got = delivered.get(&group);
        let missing = records
            .iter()
            .filter(|record| !got.is_some_and(|got| got.contains(record)));
        missing.count()
    }

    /// The errors that no client should get.
    pub(crate) fn failures(&self) -> Vec<String> {
        self.failures.lock().clone()
    }

    fn fail(&self, failure: String) {
        self.failures.lock().push(failure);
    }

    fn producers_stop(&self) -> bool {
        self.producers_stop.load(Ordering::Relaxed)
    }

    fn members_stop(&self) -> bool {
        self.members_stop.load(Ordering::Relaxed)
    }
}

/// A classic group and one of the consumer protocol. One of them commits explicitly, the other automatically, according
/// to the seed.
fn groups(topic: &str, seed: u64) -> Vec<Group> {
    let explicit_first = Chance::of(&[seed, 1]).one_in(2);
    let protocols = ["classic", "consumer"].into_iter().enumerate();
    let groups = protocols.map(|(index, protocol)| Group {
        id: GroupId(index as u32),
        name: format!("{topic}-{protocol}"),
        protocol,
        settings: GroupSettings {
            commits: if explicit_first == (index == 0) {
                Commits::Explicit
            } else {
                Commits::Automatic
            },
            session_timeout: SESSION,
        },
    });
    groups.collect()
}

/// Waits for all threads. The panic of a thread was already reported.
fn join(threads: &mut Vec<JoinHandle<()>>) {
    for thread in threads.drain(..) {
        let name = thread.thread().name().map(str::to_owned);
        assert!(thread.join().is_ok(), "{name:?} panicked");
    }
}

/// Runs this in a thread with a name.
fn spawn(name: String, run: impl FnOnce() + Send + 'static) -> JoinHandle<()> {
    let thread = std::thread::Builder::new().name(name);
    thread.spawn(run).unwrap()
}
