//! Three Apache Kafka brokers, which all scenarios share. They end with this process.

use headwater_tests::kafka::Cluster;
use parking_lot::Mutex;

use super::{Brokers, Processes, listener};

/// Besides the settings of every test cluster: dead brokers and members are detected soon, but not because the machine
/// is busy.
const SETTINGS: [(&str, &str); 6] = [
    ("broker.session.timeout.ms", "3000"),
    ("broker.heartbeat.interval.ms", "500"),
    ("replica.lag.time.max.ms", "5000"),
    ("group.consumer.session.timeout.ms", "4000"),
    ("group.consumer.heartbeat.interval.ms", "300"),
    ("group.consumer.migration.policy", "bidirectional"),
];

static BROKERS: Mutex<Option<Brokers>> = Mutex::new(None);

/// Runs this on the cluster, which the first caller starts.
pub(crate) fn on_kafka<T>(run: impl FnOnce(&mut Brokers) -> T) -> T {
    let mut brokers = BROKERS.lock();
    let brokers = brokers.get_or_insert_with(start);
    // A failed scenario may have left brokers down.
    brokers.calm();
    run(brokers)
}

fn start() -> Brokers {
    let listeners: Vec<_> = (0..3).map(|_| listener()).collect();
    let advertised: Vec<_> = listeners
        .iter()
        .map(|listener| listener.local_addr().unwrap().to_string())
        .collect();
    let cluster = Cluster::start(&SETTINGS, &advertised);
    let direct = cluster.bootstrap().split(',').map(str::to_owned).collect();
    Brokers::behind(listeners, direct, Processes::Kafka(cluster))
}
