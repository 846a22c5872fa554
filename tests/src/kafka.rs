//! An Apache Kafka cluster whose nodes a test kills and restarts. `tests/foreign/kafka/cluster.py` starts it;
//! `steering.py` in the same directory lists the commands.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// A running cluster of three nodes, 1 to 3. It ends when this is dropped, and whenever this process ends.
#[derive(Debug)]
pub struct Cluster {
    starter: Child,
    // `None` during the drop: the starter stops the cluster when its input ends.
    commands: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    bootstrap: String,
}

impl Cluster {
    /// Starts a cluster and waits until all nodes serve requests. `settings` extend those of `cluster.properties`;
    /// `advertised` is empty, or has an advertised address for each node.
    ///
    /// # Panics
    ///
    /// If the cluster does not start.
    #[must_use]
    pub fn start(settings: &[(&str, &str)], advertised: &[String]) -> Self {
        let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let mut command = Command::new(python(&project));
        command.args(["-m", "tests.foreign.kafka.cluster"]);
        for (key, value) in settings {
            command.arg("--setting").arg(format!("{key}={value}"));
        }
        command.arg("--advertise").arg(advertised.join(","));
        let mut starter = command
            .current_dir(project)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Python is installed");
        let (commands, answers) = (starter.stdin.take(), starter.stdout.take());
        let mut cluster = Self {
            starter,
            commands,
            answers: BufReader::new(answers.expect("standard output is piped")),
            bootstrap: String::new(),
        };
        let ready = cluster.answer();
        let addresses = ready.strip_prefix("ready ");
        addresses
            .unwrap_or_else(|| panic!("the cluster did not start: {ready:?}"))
            .clone_into(&mut cluster.bootstrap);
        cluster
    }

    /// The addresses of all nodes, `HOST:PORT`, separated by commas.
    #[must_use]
    pub fn bootstrap(&self) -> &str {
        &self.bootstrap
    }

    /// Runs a command such as `kill` on a node, and returns when it is done.
    ///
    /// # Panics
    ///
    /// If it fails.
    pub fn steer(&mut self, verb: &str, node: u32) {
        let commands = self.commands.as_mut().expect("open until the drop");
        writeln!(commands, "{verb} {node}").expect("the starter lives as long as this");
        let answer = self.answer();
        assert_eq!(answer, "done", "{verb} {node}");
    }

    fn answer(&mut self) -> String {
        let mut line = String::new();
        let read = self.answers.read_line(&mut line);
        read.expect("the starter answers in text");
        line.trim_end().to_owned()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.commands.take());
        // The starter reports problems itself, on standard error.
        let _ = self.starter.wait();
    }
}

/// The interpreter of the tests' environment, if it exists.
fn python(project: &Path) -> PathBuf {
    let of_tests = project.join(".venv/bin/python");
    if of_tests.exists() {
        of_tests
    } else {
        "python3".into()
    }
}
