//! A Headwater server in its own process.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::{Brokers, Processes, listener};

/// Dead members are detected soon, but not because the machine is busy.
const SETTINGS: [&str; 6] = [
    "group.initial.rebalance.delay.ms=0",
    "group.min.session.timeout.ms=100",
    "group.consumer.min.session.timeout.ms=100",
    "group.consumer.min.heartbeat.interval.ms=20",
    "group.consumer.session.timeout.ms=4000",
    "group.consumer.heartbeat.interval.ms=300",
];

/// The process, its data and its address.
#[derive(Debug)]
pub(super) struct ServerProcess {
    data: TempDir,
    address: String,
    advertised: String,
    process: Option<Child>,
}

/// Runs this on its own server.
pub(crate) fn on_server<T>(run: impl FnOnce(&mut Brokers) -> T) -> T {
    let proxy = listener();
    let advertised = proxy.local_addr().unwrap().to_string();
    let address = server_address();
    let mut server = ServerProcess {
        data: TempDir::new().unwrap(),
        address: address.clone(),
        advertised,
        process: None,
    };
    server.start();
    let processes = Processes::Headwater(server);
    run(&mut Brokers::behind(vec![proxy], vec![address], processes))
}

/// A free port below the range of the system for outgoing connections: it is still free when the server starts again.
fn server_address() -> String {
    loop {
        let chance = uuid::Uuid::new_v4().as_u128() % 17_000;
        let address = format!("127.0.0.1:{}", 15_000 + chance);
        if TcpListener::bind(&address).is_ok() {
            return address;
        }
    }
}

impl ServerProcess {
    pub(super) fn start(&mut self) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fault-test-broker"));
        command
            .arg("serve")
            .arg("--data")
            .arg(self.data.path().join("data"))
            .args(["--listen", &self.address])
            .args(["--advertised", &self.advertised]);
        for setting in SETTINGS {
            command.args(["--config", setting]);
        }
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut said = String::new();
        let output = process.stdout.take().unwrap();
        BufReader::new(output).read_line(&mut said).unwrap();
        self.process = Some(process);
        assert!(said.contains("ready on"), "the server printed {said:?}");
    }

    pub(super) fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    /// Stops the process with SIGTERM, and waits.
    pub(super) fn stop(&mut self) {
        let mut process = self.process.take().unwrap();
        let asked = Command::new("kill").arg(process.id().to_string()).status();
        assert!(asked.unwrap().success());
        let status = process.wait().unwrap();
        assert!(status.success(), "the server ended with {status}");
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        self.kill();
    }
}
