//! The brokers under test, each behind a proxy.

mod kafka;
mod served;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{SocketAddr, TcpListener};

use headwater_fault_tests::proxy::Proxy;
use headwater_tests::kafka::Cluster;

use crate::wire;

pub(crate) use kafka::on_kafka;
use served::ServerProcess;
pub(crate) use served::on_server;

/// The processes behind the proxies.
#[derive(Debug)]
enum Processes {
    Kafka(Cluster),
    Headwater(ServerProcess),
}

/// Running brokers, by number from 1, each behind a proxy. Clients connect only to the proxies.
#[derive(Debug)]
pub(crate) struct Brokers {
    processes: Processes,
    /// The brokers' own addresses.
    pub(crate) direct: Vec<String>,
    pub(crate) proxies: Vec<Proxy>,
    down: BTreeSet<u32>,
    /// Drives the proxies. Declared last, so that it ends after them.
    _runtime: tokio::runtime::Runtime,
}

impl Brokers {
    /// Puts the proxies in front of brokers that advertise their ports.
    fn behind(listeners: Vec<TcpListener>, direct: Vec<String>, processes: Processes) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let numbers = 1_u64..;
        let proxies = listeners.into_iter().zip(&direct).zip(numbers);
        let proxies = proxies.map(|((listener, direct), number)| {
            let broker: SocketAddr = direct.parse().unwrap();
            Proxy::start(runtime.handle(), listener, broker, number).unwrap()
        });
        Self {
            proxies: proxies.collect(),
            processes,
            direct,
            down: BTreeSet::new(),
            _runtime: runtime,
        }
    }

    /// The addresses of all proxies.
    pub(crate) fn bootstrap(&self) -> String {
        let addresses: Vec<_> = self.proxies.iter().map(Proxy::address).collect();
        addresses.join(",")
    }

    /// The numbers of all brokers.
    pub(crate) fn numbers(&self) -> Vec<u32> {
        (1..=self.proxies.len() as u32).collect()
    }

    /// Whether another leader can take over from a failed one.
    pub(crate) fn are_replicated(&self) -> bool {
        self.proxies.len() > 1
    }

    /// Kills the process with SIGKILL.
    pub(crate) fn kill(&mut self, number: u32) {
        self.down.insert(number);
        match &mut self.processes {
            Processes::Kafka(cluster) => cluster.steer("kill", number),
            Processes::Headwater(server) => server.kill(),
        }
    }

    /// Lets the broker hand over its partitions and exit.
    pub(crate) fn stop(&mut self, number: u32) {
        self.down.insert(number);
        match &mut self.processes {
            Processes::Kafka(cluster) => cluster.steer("stop", number),
            Processes::Headwater(server) => server.stop(),
        }
    }

    /// Starts the broker again, and waits until it serves requests.
    pub(crate) fn start(&mut self, number: u32) {
        match &mut self.processes {
            Processes::Kafka(cluster) => cluster.steer("start", number),
            Processes::Headwater(server) => server.start(),
        }
        self.down.remove(&number);
    }

    /// Ends all faults: no rules, no held connections, all brokers running.
    pub(crate) fn calm(&mut self) {
        for proxy in &self.proxies {
            proxy.set_rules([]);
            // Frames that were stopped in the middle are dropped.
            proxy.cut_all();
            proxy.release();
        }
        for number in std::mem::take(&mut self.down) {
            self.start(number);
        }
    }

    /// The address of a running broker.
    pub(crate) fn running(&self) -> &str {
        let running = self.numbers().into_iter().zip(&self.direct);
        let mut running = running.filter(|(number, _)| !self.down.contains(number));
        running.next().expect("a broker runs").1
    }

    /// The leader of each partition of a topic, according to a running broker; leaves out partitions without one.
    pub(crate) fn leaders(&self, topic: &str) -> BTreeMap<i32, u32> {
        let known = wire::topic(self.running(), topic);
        let partitions = known.map(|topic| topic.partitions).unwrap_or_default();
        let leaders = partitions.into_iter().filter_map(|partition| {
            let leader = u32::try_from(partition.leader_id).ok()?;
            Some((partition.partition_index, leader))
        });
        leaders.collect()
    }

    /// The number of faults of each kind that the proxies have caused.
    pub(crate) fn disturbances(&self) -> BTreeMap<&'static str, u64> {
        let mut all = BTreeMap::new();
        for (fault, times) in self.proxies.iter().flat_map(Proxy::happened) {
            *all.entry(fault).or_default() += times;
        }
        all
    }
}

/// Binds a free port of the loopback interface.
fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").unwrap()
}
