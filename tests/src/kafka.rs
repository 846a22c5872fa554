//! An Apache Kafka cluster whose nodes a test kills and restarts. `tests/foreign/kafka/cluster.py` starts it; `steering.py` beside it lists the
//! commands.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// A running cluster of three nodes, 1 to 3. It ends when this is dropped, and when this process ends in any way.
#[derive(Debug)]
pub struct Cluster {
    starter: Child,
    // `None` while it is dropped: the starter ends the cluster when its input ends.
    commands: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    bootstrap: String,
}

impl Cluster {
    /// Starts a cluster and waits until all nodes serve. Settings go beyond those of `cluster.properties`; `advertised` is empty, or has an
    /// address a node that clients are told in place of the node's own.
    ///
    /// # Panics
    ///
    /// When the cluster does not start.
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

    /// The addresses of all nodes, `HOST:PORT` and a comma between them.
    #[must_use]
    pub fn bootstrap(&self) -> &str {
        &self.bootstrap
    }

    /// Does what the verb says to a node, as `kill`, and returns when it has happened.
    ///
    /// # Panics
    ///
    /// When it cannot be done.
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
        // What is wrong with an end is shown by the starter itself, on standard error.
        let _ = self.starter.wait();
    }
}

/// The interpreter of the tests' environment where there is one.
fn python(project: &Path) -> PathBuf {
    let of_tests = project.join(".venv/bin/python");
    if of_tests.exists() {
        of_tests
    } else {
        "python3".into()
    }
}
