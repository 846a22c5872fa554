//! Bindings move futures to other threads: every one of them must be `Send`.

use std::time::Duration;

use headwater_client::{
    BatchOptions, BatchStream, BulkOptions, Client, Consumer, DecodeOptions, NewTopic, Position,
    Producer, Record, ScanReader, SendHandle, Topic, TopicChanges,
};

fn send<T: Send>(_: T) {}
fn send_sync<T: Send + Sync>() {}

#[allow(dead_code, reason = "it is enough that it compiles")]
fn every_future_can_be_sent(
    client: &Client,
    topic: &Topic,
    producer: &Producer,
    consumer: &mut Consumer,
    reader: &mut ScanReader,
) {
    send(client.admin().create_topic(NewTopic::new("t")));
    send(client.admin().topics(false));
    send(client.admin().alter_topic("t", TopicChanges::default()));
    send(client.admin().delete_topic("t", false));
    send(client.admin().delete_records("t", &Position::Latest));
    send(client.admin().topic_config("t"));
    send(topic.head(1, DecodeOptions::default()));
    send(topic.tail(1, DecodeOptions::default()));
    send(topic.offsets(&Position::Latest));
    send(topic.rate(1, Position::Earliest, Position::Latest));
    send(topic.describe());
    send(producer.send(&Record::new("t", b"v")));
    let rows =
        arrow_array::RecordBatch::new_empty(std::sync::Arc::new(arrow_schema::Schema::empty()));
    send(producer.send_batch("t", &rows, &BulkOptions::default()));
    send(producer.flush());
    send(consumer.assign(Vec::new()));
    send(consumer.poll(Duration::ZERO, None));
    let stream = BatchStream::new(BatchOptions::default()).unwrap();
    send(consumer.next_batch(&stream));
    send(reader.next_batch());
}

#[test]
fn handles_can_be_shared_between_threads() {
    send_sync::<Client>();
    send_sync::<Topic>();
    send_sync::<Producer>();
    send_sync::<SendHandle>();
    send_sync::<Consumer>();
    send_sync::<ScanReader>();
}
