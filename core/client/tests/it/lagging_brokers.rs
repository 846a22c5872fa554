//! Topics that a lagging broker does not have yet, although another broker does.

use headwater_client::{Client, ErrorKind, NewTopic, Position, Record, Result};
use headwater_protocol::ErrorCode;
use headwater_record::Offset;

use crate::support::reading::{Reading, TOPIC};

fn look(reading: &Reading, client: &Client, topic: &str) -> Result<()> {
    let topic = client.topic(topic);
    reading.wait(topic.offsets(&Position::Earliest)).map(drop)
}

#[test]
fn the_request_for_a_new_topic_is_repeated() {
    let reading = Reading::new(2, 1);
    let create = reading.client.admin().create_topic(NewTopic::new("new"));
    reading.wait(create).unwrap();
    reading.cluster.state().metadata_forgets = 5;
    look(&reading, &reading.client, "new").unwrap();
}

#[test]
fn the_request_for_the_configuration_of_a_new_topic_is_repeated() {
    let reading = Reading::new(2, 1);
    let admin = reading.client.admin();
    reading
        .wait(admin.create_topic(NewTopic::new("new")))
        .unwrap();
    reading.cluster.state().metadata_forgets = 5;
    reading.wait(admin.topic_config("new")).unwrap();
    let error = reading.wait(admin.topic_config("none")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnknownTopicOrPartition);
}

#[test]
fn the_request_for_a_topic_with_committed_offsets_is_repeated() {
    let reading = Reading::new(2, 1);
    look(&reading, &reading.client, TOPIC).unwrap();
    let committed = [((TOPIC.to_owned(), 0), (0, 0))];
    reading.cluster.state().committed.extend(committed);
    reading.cluster.state().metadata_forgets = 3;
    let offsets = reading.wait(reading.client.admin().group_offsets("g"));
    assert_eq!(offsets.unwrap()[0].end, Some(Offset::ZERO));
}

#[test]
fn the_request_for_new_partitions_is_repeated() {
    let reading = Reading::new(2, 1);
    let create = NewTopic::new("new").partitions(3);
    reading
        .wait(reading.client.admin().create_topic(create))
        .unwrap();
    let has_partitions = |count| {
        let mut state = reading.cluster.state();
        state.partitions.insert("new".to_owned(), count);
        state.metadata_requests
    };
    let before = has_partitions(1);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while reading.cluster.state().metadata_requests < before + 3 {
                std::thread::yield_now();
            }
            has_partitions(3);
        });
        let topic = reading.client.topic("new");
        let offsets = reading.wait(topic.offsets(&Position::Earliest)).unwrap();
        assert_eq!(offsets.len(), 3);
    });
}

#[test]
fn a_new_topic_accepts_records() {
    let reading = Reading::new(2, 1);
    let create = reading.client.admin().create_topic(NewTopic::new("new"));
    reading.wait(create).unwrap();
    reading.cluster.state().metadata_forgets = 5;
    let record = Record::new("new", b"value");
    let sent = reading.producer.send_blocking(&record).unwrap();
    assert_eq!(sent.wait().unwrap().offset, Some(Offset::ZERO));
}

#[test]
fn the_request_for_a_known_topic_is_repeated() {
    let reading = Reading::new(2, 1);
    look(&reading, &reading.client, TOPIC).unwrap();
    reading.cluster.state().metadata_forgets = 5;
    look(&reading, &reading.client, TOPIC).unwrap();
}

#[test]
fn a_consumer_continues_while_the_topic_is_unknown_to_a_broker() {
    let reading = Reading::new(2, 2);
    let mut consumer = reading.consumer_of_all(&[]);
    for partition in 0..2 {
        reading.send(partition);
    }
    reading.read(&mut consumer, 2);
    reading.send(1);
    let fault = ErrorCode::NotLeaderOrFollower;
    reading.cluster.state().fetch_faults.push_back(fault);
    reading.cluster.state().metadata_forgets = 3;
    reading.read(&mut consumer, 1);
}

#[test]
fn a_broker_without_a_list_of_brokers_replaces_none() {
    let reading = Reading::new(2, 1);
    look(&reading, &reading.client, TOPIC).unwrap();
    let nodes = std::mem::take(&mut reading.cluster.state().nodes);
    look(&reading, &reading.client, TOPIC).unwrap();
    let state = reading.cluster.state();
    let learned: Vec<_> = state.learned.iter().map(|broker| broker.id).collect();
    assert_eq!(learned, nodes);
}

#[test]
fn a_topic_that_one_broker_does_not_have_is_requested_from_others() {
    let reading = Reading::new(3, 1);
    look(&reading, &reading.client, TOPIC).unwrap();
    reading.cluster.state().forgetful_node = Some(1);
    look(&reading, &reading.client, TOPIC).unwrap();
    // A broker that is away is passed over.
    reading.cluster.state().dead_nodes = vec![2];
    look(&reading, &reading.client, TOPIC).unwrap();
    assert!(reading.cluster.asked("Metadata").contains(&3));
}

#[test]
fn a_topic_that_another_client_has_just_created_is_requested_from_all_brokers() {
    let reading = Reading::new(3, 1);
    reading.cluster.state().forgetful_node = Some(1);
    look(&reading, &reading.client, TOPIC).unwrap();
}

#[test]
fn an_unknown_topic_is_an_error_at_once() {
    let reading = Reading::new(2, 1);
    look(&reading, &reading.client, TOPIC).unwrap();
    let error = look(&reading, &reading.client, "none").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnknownTopicOrPartition);
    // One for each topic, one for each broker, and one for the names of all topics, for a suggestion.
    assert!(reading.cluster.state().metadata_requests <= 5);
}

#[test]
fn a_deleted_topic_is_an_error_at_once() {
    let reading = Reading::new(2, 1);
    look(&reading, &reading.client, TOPIC).unwrap();
    let delete = reading.client.admin().delete_topic(TOPIC, false);
    assert!(reading.wait(delete).unwrap());
    let before = reading.cluster.state().metadata_requests;
    let error = look(&reading, &reading.client, TOPIC).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnknownTopicOrPartition);
    assert!(reading.cluster.state().metadata_requests <= before + 3);
}

#[test]
fn a_topic_just_created_on_a_single_broker_accepts_records() {
    let reading = Reading::new(1, 1);
    let create = reading.client.admin().create_topic(NewTopic::new("new"));
    reading.wait(create).unwrap();
    reading.cluster.state().metadata_forgets = 20;
    let record = Record::new("new", b"value");
    let sent = reading.producer.send_blocking(&record).unwrap();
    assert_eq!(sent.wait().unwrap().offset, Some(Offset::ZERO));
    assert_eq!(reading.cluster.state().metadata_forgets, 0);
}

#[test]
fn a_single_broker_answers_at_once_that_it_has_no_topic() {
    let reading = Reading::new(1, 1);
    let create = reading.client.admin().create_topic(NewTopic::new("new"));
    reading.wait(create).unwrap();
    let record = Record::new("none", b"value");
    let error = reading.producer.send_blocking(&record).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnknownTopicOrPartition);
    assert!(reading.cluster.state().metadata_requests <= 3);
}

#[test]
fn a_topic_that_a_single_broker_has_lost_is_an_error_at_once() {
    let reading = Reading::new(1, 1);
    look(&reading, &reading.client, TOPIC).unwrap();
    reading.cluster.state().metadata_forgets = 3;
    let error = look(&reading, &reading.client, TOPIC).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnknownTopicOrPartition);
}

#[test]
fn the_names_of_all_topics_are_requested_once_for_suggestions() {
    let reading = Reading::new(1, 1);
    let similar = format!("{TOPIC}s");
    let requests_of_look = || {
        let before = reading.cluster.state().metadata_requests;
        let error = look(&reading, &reading.client, &similar).unwrap_err();
        let suggestion = format!("did you mean \"{TOPIC}\"?");
        assert!(error.message().ends_with(&suggestion), "{error}");
        reading.cluster.state().metadata_requests - before
    };
    let first = requests_of_look();
    assert_eq!(requests_of_look(), first - 1);
}
