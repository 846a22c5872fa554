//! A waiting call is ended from another thread.

use std::time::{Duration, Instant};

use headwater::{BatchOptions, BatchStream, Consumer, ConsumerConfig, ErrorKind};
use headwater_behaviour_macro::behaviour;

use crate::table::{text, values};
use crate::target::{RunningBroker, Target};

const SOON: Duration = Duration::from_millis(50);
/// Long enough for any machine; passing tests never wait that long.
const PATIENCE: Duration = Duration::from_secs(30);

fn consumer(broker: &RunningBroker, pairs: &[(&str, &str)]) -> Consumer {
    let t = broker.name("t");
    let fixed = [
        ("auto.offset.reset", "earliest"),
        ("fetch.max.wait.ms", "60000"),
    ];
    let config = ConsumerConfig::parse(fixed.iter().chain(pairs).copied()).unwrap();
    let mut consumer = broker.consumer(config);
    consumer.decode_as(text()).unwrap();
    broker.wait(consumer.assign_topics(&[t])).unwrap();
    consumer
}

/// The waiting call of a reader.
#[derive(Debug, Clone, Copy)]
enum WaitingCall {
    Poll,
    Batches,
    /// A poll that has nothing to request from the broker.
    PausedPoll,
}

/// The kind of error with which the call ends.
fn wait(broker: &RunningBroker, consumer: &mut Consumer, waiting: WaitingCall) -> ErrorKind {
    let start = Instant::now();
    let error = match waiting {
        WaitingCall::Poll => broker.wait(consumer.poll(PATIENCE, None)).unwrap_err(),
        WaitingCall::Batches => {
            let stream = BatchStream::new(BatchOptions::default()).unwrap();
            broker.wait(consumer.next_batch(&stream)).unwrap_err()
        }
        WaitingCall::PausedPoll => {
            consumer.pause(&[]).unwrap();
            broker.wait(consumer.poll(PATIENCE, None)).unwrap_err()
        }
    };
    assert!(start.elapsed() < PATIENCE / 2, "ended, not timed out");
    error.kind()
}

#[behaviour]
fn a_wakeup_ends_the_call_that_waits_and_loses_nothing(
    target: Target,
    #[values(WaitingCall::Poll, WaitingCall::Batches, WaitingCall::PausedPoll)]
    waiting: WaitingCall,
) {
    let broker = target.start();
    let t = broker.name("t");
    broker.make(t, 1);
    let mut consumer = consumer(&broker, &[]);
    let handle = consumer.wakeup_handle();
    let waker = std::thread::spawn(move || {
        std::thread::sleep(SOON);
        handle.wakeup();
    });
    assert_eq!(wait(&broker, &mut consumer, waiting), ErrorKind::Wakeup);
    waker.join().unwrap();
    consumer.resume(&[]).unwrap();
    broker.fill(t, 0, ["next"]);
    let batch = broker.wait(consumer.poll(PATIENCE, None)).unwrap();
    assert_eq!(values(&batch), ["next"]);
}

#[behaviour]
fn a_wakeup_without_a_waiting_call_ends_only_the_next_call(target: Target) {
    let broker = target.start();
    let t = broker.name("t");
    broker.make(t, 1);
    broker.fill(t, 0, ["a"]);
    let mut consumer = consumer(&broker, &[]);
    consumer.wakeup_handle().wakeup();
    consumer.wakeup_handle().wakeup();
    assert_eq!(
        wait(&broker, &mut consumer, WaitingCall::Poll),
        ErrorKind::Wakeup
    );
    let batch = broker.wait(consumer.poll(PATIENCE, None)).unwrap();
    assert_eq!(values(&batch), ["a"]);
}

#[behaviour]
fn closing_ends_the_call_that_waits(
    target: Target,
    #[values(WaitingCall::Poll, WaitingCall::Batches, WaitingCall::PausedPoll)]
    waiting: WaitingCall,
    #[values("consumer", "engine")] closed: &str,
) {
    let broker = target.start();
    let t = broker.name("t");
    broker.make(t, 1);
    let mut consumer = consumer(&broker, &[]);
    let (handle, engine) = (consumer.wakeup_handle(), broker.handle().clone());
    let of_the_engine = closed == "engine";
    let closer = std::thread::spawn(move || {
        std::thread::sleep(SOON);
        if of_the_engine {
            engine.close().unwrap();
        } else {
            handle.close();
        }
    });
    assert_eq!(wait(&broker, &mut consumer, waiting), ErrorKind::Closed);
    assert_eq!(
        wait(&broker, &mut consumer, WaitingCall::Poll),
        ErrorKind::Closed
    );
    closer.join().unwrap();
    broker.wait(consumer.close());
}

/// The group waits for its first member, which does not poll and so does not rejoin.
#[behaviour]
fn a_member_that_waits_for_its_group_is_woken(target: Target) {
    let broker = target.start();
    let t = broker.name("t");
    broker.make(t, 1);
    let join = || {
        let config = ConsumerConfig::parse([("group.id", broker.name("g"))]).unwrap();
        let mut member = broker.consumer(config);
        let topics = headwater::Subscription::topics([t]);
        member.subscribe(topics).unwrap();
        member
    };
    let mut first = join();
    while first.assignment().is_empty() {
        broker.wait(first.poll(SOON, None)).unwrap();
    }
    let mut member = join();
    let handle = member.wakeup_handle();
    std::thread::spawn(move || {
        std::thread::sleep(SOON);
        handle.wakeup();
    });
    assert_eq!(
        wait(&broker, &mut member, WaitingCall::Poll),
        ErrorKind::Wakeup
    );
    assert_eq!(member.assignment(), []);
}
