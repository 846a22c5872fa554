//! The embedded engine: opened, shared, closed, opened again.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use headwater::{ConsumerConfig, Engine, ErrorKind, NO_CONFIG, NewTopic, ProducerConfig, Record};
use tempfile::TempDir;

use crate::table::{text, values};

fn open(path: &Path) -> Engine {
    headwater::open(Some(path), NO_CONFIG).unwrap()
}

fn send(engine: &Engine, value: &str) {
    let producer = engine.producer(ProducerConfig::default());
    producer
        .send_blocking(&Record::new("t", value.as_bytes()))
        .unwrap()
        .wait()
        .unwrap();
}

fn read(engine: &Engine) -> Vec<String> {
    values(
        &engine
            .block_on(engine.topic("t").head(100, text()))
            .unwrap(),
    )
}

#[test]
fn records_are_stored_after_a_close() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("new/data");
    let engine = open(&path);
    assert!(engine.report().unwrap().created);
    engine
        .block_on(engine.admin().create_topic(NewTopic::new("t")))
        .unwrap();
    send(&engine, "a");
    engine.close().unwrap();
    engine.close().unwrap();
    let again = open(&path);
    assert!(again.report().unwrap().clean_shutdown && !again.report().unwrap().created);
    assert!(again.report().unwrap().recovered.is_empty());
    assert_eq!(read(&again), ["a"]);
    send(&again, "b");
    assert_eq!(read(&again), ["a", "b"]);
}

#[test]
fn closing_an_engine_sends_the_records_of_its_producers() {
    let directory = TempDir::new().unwrap();
    let engine = open(directory.path());
    engine
        .block_on(engine.admin().create_topic(NewTopic::new("t")))
        .unwrap();
    let config = ProducerConfig::parse([("linger.ms", "60000")]).unwrap();
    let producer = engine.producer(config);
    let handle = producer.send_blocking(&Record::new("t", b"held"));
    let handle = handle.unwrap();
    engine.close().unwrap();
    assert!(handle.try_result().unwrap().is_ok());
    assert_eq!(read(&open(directory.path())), ["held"]);
}

#[test]
fn an_engine_can_be_closed_in_a_thread_of_its_runtime() {
    let directory = TempDir::new().unwrap();
    let engine = open(directory.path());
    let (runtime, closing) = (engine.runtime().clone(), engine.clone());
    let task = runtime.spawn(async move { closing.close() });
    runtime.block_on(task).unwrap().unwrap();
    assert!(engine.is_closed());
}

#[test]
fn dropping_the_last_handle_closes() {
    let directory = TempDir::new().unwrap();
    let engine = open(directory.path());
    engine
        .block_on(engine.admin().create_topic(NewTopic::new("t")))
        .unwrap();
    let topic = engine.topic("t");
    let producer = engine.producer(ProducerConfig::default());
    let handle = producer
        .send_blocking(&Record::new("t", b"in the buffer"))
        .unwrap();
    drop(engine);
    assert!(
        !open(directory.path()).is_closed(),
        "the topic and the producer still keep it open"
    );
    drop((topic, producer, handle));
    let again = open(directory.path());
    assert!(
        again.report().unwrap().clean_shutdown,
        "the last handle closed it cleanly"
    );
    assert_eq!(read(&again), ["in the buffer"]);
}

#[test]
fn a_handle_that_goes_in_a_thread_of_the_runtime_does_no_harm() {
    let directory = TempDir::new().unwrap();
    let engine = open(directory.path());
    let runtime = engine.runtime().clone();
    let (done, wait) = std::sync::mpsc::channel();
    runtime.spawn(async move {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        drop(engine);
        done.send(()).unwrap();
    });
    wait.recv().unwrap();
    assert!(open(directory.path()).report().unwrap().clean_shutdown);
}

#[test]
fn the_same_path_twice_is_the_same_engine() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("data");
    let one = headwater::open(Some(&path), [("num.partitions", "3")]).unwrap();
    // The same directory under another name.
    let two = open(&directory.path().join("./data"));
    one.block_on(one.admin().create_topic(NewTopic::new("t")))
        .unwrap();
    send(&two, "v");
    assert_eq!(read(&one), ["v"]);
    let other = headwater::open(Some(&path), [("num.partitions", "4")]).unwrap_err();
    assert_eq!(other.kind(), ErrorKind::Config);
}

#[test]
fn an_engine_closes_with_its_last_handle() {
    let directory = TempDir::new().unwrap();
    let (one, two) = (open(directory.path()), open(directory.path()));
    one.block_on(one.admin().create_topic(NewTopic::new("t")))
        .unwrap();
    let producer = one.producer(ProducerConfig::default());
    let held = producer
        .send_blocking(&Record::new("t", b"held while another handle closes"))
        .unwrap();
    let topic = two.topic("t");
    two.close().unwrap();
    assert!(two.is_closed() && !one.is_closed());
    let refused = one.block_on(topic.count()).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Closed);
    held.wait().unwrap();
    drop(producer);
    one.close().unwrap();
    assert!(open(directory.path()).report().unwrap().clean_shutdown);
}

#[test]
fn a_call_that_waits_ends_when_its_handle_closes() {
    let directory = TempDir::new().unwrap();
    let (one, two) = (open(directory.path()), open(directory.path()));
    one.block_on(one.admin().create_topic(NewTopic::new("t")))
        .unwrap();
    let config = ConsumerConfig::parse([("fetch.max.wait.ms", "60000")]).unwrap();
    let mut consumer = two.consumer(config);
    let runtime = two.runtime().clone();
    let waiting = std::thread::spawn(move || {
        runtime.block_on(async {
            consumer.assign_topics(&["t"]).await?;
            consumer.poll(Duration::from_mins(1), None).await
        })
    });
    std::thread::sleep(Duration::from_millis(50));
    two.close().unwrap();
    let ended = waiting.join().unwrap();
    assert_eq!(ended.unwrap_err().kind(), ErrorKind::Closed);
    assert_eq!(one.block_on(one.admin().topics(false)).unwrap().len(), 1);
}

/// Ways in which users remove an open directory.
const REMOVALS: [fn(&Path); 3] = [
    |path| std::fs::remove_dir_all(path).unwrap(),
    |path| std::fs::rename(path, path.with_extension("old")).unwrap(),
    |path| {
        for entry in std::fs::read_dir(path).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                std::fs::remove_dir_all(entry.path()).unwrap();
            } else {
                std::fs::remove_file(entry.path()).unwrap();
            }
        }
    },
];

#[test]
fn a_directory_that_is_removed_while_it_is_open_takes_nothing_more() {
    for remove in REMOVALS {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("data");
        let engine = open(&path);
        engine
            .block_on(engine.admin().create_topic(NewTopic::new("t")))
            .unwrap();
        send(&engine, "before");
        remove(&path);
        std::thread::sleep(Duration::from_millis(5));
        let producer = engine.producer(ProducerConfig::default());
        let late = producer.send_blocking(&Record::new("t", b"late"));
        late.unwrap().wait().unwrap_err();
        engine
            .block_on(engine.admin().create_topic(NewTopic::new("u")))
            .unwrap_err();
        // The same path is another directory now, and so another engine.
        let again = open(&path);
        assert!(again.report().unwrap().created);
        assert!(
            again
                .block_on(again.admin().topics(true))
                .unwrap()
                .is_empty()
        );
        again
            .block_on(again.admin().create_topic(NewTopic::new("t")))
            .unwrap();
        send(&again, "after");
        engine.block_on(engine.admin().topics(false)).unwrap_err();
        engine.close().unwrap();
        drop((engine, producer));
        assert_eq!(read(&again), ["after"]);
        again.close().unwrap();
        assert!(open(&path).report().unwrap().clean_shutdown);
    }
}

#[test]
fn any_next_call_notices_that_the_directory_is_gone() {
    for remove in &REMOVALS[..2] {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("data");
        let engine = open(&path);
        engine
            .block_on(engine.admin().create_topic(NewTopic::new("t")))
            .unwrap();
        send(&engine, "before");
        remove(&path);
        let error = engine.block_on(engine.topic("t").count()).unwrap_err();
        assert!(error.message().contains("removed or replaced"), "{error}");
        let error = engine.check().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Storage);
    }
}

#[test]
fn many_threads_that_open_and_drop_one_path_never_meet_a_lock() {
    let directory = TempDir::new().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..10 {
                    drop(open(directory.path()));
                }
            });
        }
    });
}

#[test]
fn a_closed_engine_refuses_everything_made_from_it() {
    let engine = headwater::open(None, NO_CONFIG).unwrap();
    engine
        .block_on(engine.admin().create_topic(NewTopic::new("t")))
        .unwrap();
    let topic = engine.topic("t");
    let producer = engine.producer(ProducerConfig::default());
    engine.close().unwrap();
    assert_eq!(
        engine.block_on(topic.count()).unwrap_err().kind(),
        ErrorKind::Closed
    );
    let late = producer.send_blocking(&Record::new("t", b"late"));
    assert_eq!(late.unwrap_err().kind(), ErrorKind::Closed);
}

#[test]
fn engines_in_memory_are_apart() {
    let one = headwater::open(None, NO_CONFIG).unwrap();
    let two = headwater::open(None, NO_CONFIG).unwrap();
    one.block_on(one.admin().create_topic(NewTopic::new("t")))
        .unwrap();
    assert!(two.block_on(two.admin().topics(true)).unwrap().is_empty());
}

/// The second process is this test binary, with an environment variable that makes it open the directory and report.
#[test]
fn a_second_process_is_refused_with_the_pid_of_the_first() {
    const PATH: &str = "HEADWATER_TEST_OPEN";
    if let Some(path) = std::env::var_os(PATH) {
        let error = headwater::open(Some(Path::new(&path)), NO_CONFIG).unwrap_err();
        println!("kind={:?} message={error}", error.kind());
        return;
    }
    let directory = TempDir::new().unwrap();
    let engine = open(directory.path());
    let name = "engine::a_second_process_is_refused_with_the_pid_of_the_first";
    let output = Command::new(std::env::current_exe().unwrap())
        .args([name, "--exact", "--nocapture"])
        .env(PATH, directory.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        said.contains("kind=Locked") && said.contains(&std::process::id().to_string()),
        "{said}"
    );
    drop(engine);
}
