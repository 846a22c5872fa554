//! A topic that is deleted or recreated while a group reads it.

use std::time::Instant;

use headwater::{Subscription, TopicPartition};
use headwater_behaviour_macro::behaviour;

use super::{MOMENT, PATIENCE, config, member, numbers, poll_until, poll_until_read, start};
use crate::table::{text, values};
use crate::target::{RunningBroker, Target};

/// Kafka's default age of metadata: nothing may wait for metadata to expire.
const OLD: (&str, &str) = ("metadata.max.age.ms", "300000");

/// The client that deletes the topic: the consumer's, whose cache is updated, or another one.
#[derive(Debug, Clone, Copy)]
enum By {
    SameClient,
    OtherClient,
}

fn delete(broker: &RunningBroker, topic: &str, by: By) {
    match by {
        By::SameClient => broker
            .wait(broker.admin().delete_topic(topic, false))
            .unwrap(),
        By::OtherClient => broker
            .wait(broker.another().admin().delete_topic(topic, false))
            .unwrap(),
    };
}

#[behaviour]
fn the_other_topics_are_read_and_committed(
    target: Target,
    #[values("names", "pattern")] subscription: &str,
    #[values(By::SameClient, By::OtherClient)] by: By,
) {
    let broker = start(target);
    let (a, b) = (broker.name("a"), broker.name("b"));
    broker.make(a, 1);
    broker.make(b, 1);
    broker.fill(a, 0, numbers(5));
    broker.fill(b, 0, numbers(5));
    let mut one = broker.consumer(config(&broker, &[OLD]));
    one.decode_as(text()).unwrap();
    one.subscribe(match subscription {
        "names" => Subscription::topics([a, b]),
        _ => Subscription::pattern(&format!("{a}|{b}")).unwrap(),
    })
    .unwrap();
    poll_until_read(&broker, &mut one, 10);
    delete(&broker, b, by);
    broker.wait(one.commit(None)).unwrap();
    broker.fill(a, 0, ["after"]);
    assert_eq!(poll_until_read(&broker, &mut one, 1), ["after"]);
    // The group releases the partitions of the topic.
    poll_until(&broker, &mut [&mut one], |members, _| {
        members[0].assignment() == [TopicPartition::new(a, 0)]
    });
    broker.fill(a, 0, ["last"]);
    assert_eq!(poll_until_read(&broker, &mut one, 1), ["last"]);
    broker.wait(one.poll(MOMENT, None)).unwrap();
    broker.wait(one.close());
    let two = broker.consumer(config(&broker, &[]));
    let a = TopicPartition::new(a, 0);
    let committed = broker
        .wait(two.committed(std::slice::from_ref(&a)))
        .unwrap();
    assert_eq!(committed[&a].get(), 7);
}

#[behaviour]
fn closing_commits_the_other_topics(target: Target) {
    let broker = start(target);
    let (a, b) = (broker.name("a"), broker.name("b"));
    broker.make(a, 1);
    broker.make(b, 1);
    broker.fill(a, 0, numbers(5));
    broker.fill(b, 0, numbers(5));
    let mut one = member(&broker, &[a, b], &[OLD]);
    poll_until_read(&broker, &mut one, 10);
    delete(&broker, b, By::OtherClient);
    broker.wait(one.commit(None)).unwrap();
    broker.wait(one.close());
    let two = broker.consumer(config(&broker, &[]));
    let a = TopicPartition::new(a, 0);
    let committed = broker
        .wait(two.committed(std::slice::from_ref(&a)))
        .unwrap();
    assert_eq!(committed[&a].get(), 5);
}

#[behaviour]
fn a_topic_that_is_created_again_is_read_from_its_first_record(
    target: Target,
    #[values("earliest", "latest")] reset: &str,
    #[values(By::SameClient, By::OtherClient)] by: By,
) {
    let broker = start(target);
    let (a, b) = (broker.name("a"), broker.name("b"));
    broker.make(a, 1);
    broker.make(b, 1);
    let mut one = member(
        &broker,
        &[a, b],
        &[
            OLD,
            ("auto.offset.reset", reset),
            ("auto.commit.interval.ms", "0"),
        ],
    );
    poll_until(&broker, &mut [&mut one], |members, _| {
        members[0].assignment().len() == 2
    });
    broker.fill(a, 0, numbers(3));
    broker.fill(b, 0, numbers(3));
    poll_until_read(&broker, &mut one, 6);
    delete(&broker, b, by);
    broker.make(b, 1);
    broker.fill(b, 0, (0..10).map(|index| format!("new {index}")));
    let mut read = Vec::new();
    let deadline = Instant::now() + PATIENCE;
    while read.len() < 10 {
        read.extend(values(&broker.wait(one.poll(MOMENT, None)).unwrap()));
        assert!(Instant::now() < deadline, "{read:?}");
    }
    assert_eq!(
        read,
        (0..10)
            .map(|index| format!("new {index}"))
            .collect::<Vec<_>>()
    );
    broker.wait(one.commit(None)).unwrap();
    broker.wait(one.close());
    let two = broker.consumer(config(&broker, &[]));
    let b = TopicPartition::new(b, 0);
    let committed = broker
        .wait(two.committed(std::slice::from_ref(&b)))
        .unwrap();
    assert_eq!(committed[&b].get(), 10);
}

#[behaviour]
fn a_topic_that_comes_back_is_read_soon(target: Target) {
    let broker = start(target);
    let (a, b) = (broker.name("a"), broker.name("b"));
    broker.make(a, 1);
    broker.make(b, 1);
    let mut one = member(&broker, &[a, b], &[OLD]);
    poll_until(&broker, &mut [&mut one], |members, _| {
        members[0].assignment().len() == 2
    });
    broker.wait(broker.admin().delete_topic(b, false)).unwrap();
    poll_until(&broker, &mut [&mut one], |members, _| {
        members[0].assignment().len() == 1
    });
    broker.make(b, 1);
    broker.fill(b, 0, ["back"]);
    assert_eq!(poll_until_read(&broker, &mut one, 1), ["back"]);
}
