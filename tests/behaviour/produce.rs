//! Sending records one by one.

use headwater::{Record, ScanOptions};
use headwater_behaviour_macro::behaviour;
use rstest::rstest;

use crate::table::{keys, offsets, partitions, text, timestamps, values};
use crate::target::Target::{self, Directory};

#[behaviour]
#[case::plain("none")]
#[case::gzip("gzip")]
#[case::snappy("snappy")]
#[case::lz4("lz4")]
#[case::zstd("zstd")]
fn sent_records_are_read_unchanged(target: Target, #[case] codec: &str) {
    let broker = target.start();
    let t = broker.name("t");
    broker.make(t, 1);
    let producer = broker.producer_with(&[("compression.type", codec), ("batch.size", "2000")]);
    let sent: Vec<_> = (0..500)
        .map(|index| format!("value {index} {}", "x".repeat(index % 50)))
        .collect();
    for (index, value) in sent.iter().enumerate() {
        let key = index.to_string();
        let mut record = Record::new(t, value.as_bytes()).timestamp_ms(1_000 + index as i64);
        if index % 3 != 0 {
            record = record.key(key.as_bytes());
        }
        drop(producer.send_blocking(&record).unwrap());
    }
    broker.wait(producer.flush()).unwrap();
    let batch = broker.wait(broker.topic(t).head(1_000, text())).unwrap();
    assert_eq!(values(&batch), sent);
    assert_eq!(offsets(&batch), (0..500).collect::<Vec<_>>());
    assert_eq!(timestamps(&batch), (1_000..1_500).collect::<Vec<_>>());
    let expected: Vec<_> = (0..500)
        .map(|index| (index % 3 != 0).then(|| index.to_string().into_bytes()))
        .collect();
    assert_eq!(keys(&batch), expected);
}

#[behaviour]
fn null_values_and_headers_come_back(target: Target) {
    let broker = target.start();
    let t = broker.name("t");
    broker.make(t, 1);
    let producer = broker.producer_with(&[]);
    let headers: &[(&str, Option<&[u8]>)] = &[("a", Some(b"1")), ("a", Some(b"2")), ("b", None)];
    let record = Record {
        topic: t,
        key: Some(b"k"),
        headers,
        ..Record::default()
    };
    producer.send_blocking(&record).unwrap().wait().unwrap();
    let batch = broker.wait(broker.topic(t).head(1, text())).unwrap();
    assert_eq!(values(&batch), ["null"]);
    let column = batch.records.column_by_name("headers").unwrap();
    let shown = format!(
        "{:?}",
        arrow_array::cast::AsArray::as_list::<i32>(column).value(0)
    );
    // A repeated name stays, in order, and null differs from empty.
    let at = |text: &str| {
        shown
            .find(text)
            .unwrap_or_else(|| panic!("no {text} in {shown}"))
    };
    assert!(at("\"a\"") < at("\"b\""), "{shown}");
    assert!(shown.contains("null"), "{shown}");
}

#[behaviour]
fn the_result_of_a_send_has_the_position_of_the_record(target: Target) {
    let broker = target.start();
    let t = broker.name("t");
    broker.make(t, 4);
    let producer = broker.producer_with(&[]);
    let handles: Vec<_> = (0..100)
        .map(|index: i32| {
            let value = index.to_string();
            let record = Record::new(t, value.as_bytes())
                .key(value.as_bytes())
                .timestamp_ms(i64::from(index));
            producer.send_blocking(&record).unwrap()
        })
        .collect();
    let scan = broker.topic(t).scan(ScanOptions {
        decode: text(),
        ..ScanOptions::default()
    });
    let places: Vec<_> = handles
        .into_iter()
        .map(|handle| handle.wait().unwrap())
        .collect();
    let batch = broker.wait(scan.collect()).unwrap();
    let rows: Vec<_> = partitions(&batch)
        .into_iter()
        .zip(offsets(&batch))
        .zip(values(&batch))
        .collect();
    for (index, place) in places.iter().enumerate() {
        let row = (
            (place.partition.get(), place.offset.unwrap().get()),
            index.to_string(),
        );
        assert!(rows.contains(&row), "{row:?}");
        assert_eq!(place.timestamp_ms, index as i64);
    }
}

#[behaviour]
fn the_broker_stamps_records_if_the_topic_requires_it(target: Target) {
    let broker = target.start();
    let t = broker.name("t");
    let topic = headwater::NewTopic::new(t).config("message.timestamp.type", "LogAppendTime");
    broker.wait(broker.admin().create_topic(topic)).unwrap();
    let producer = broker.producer_with(&[]);
    let sent = producer
        .send_blocking(&Record::new(t, b"v").timestamp_ms(1))
        .unwrap()
        .wait()
        .unwrap();
    let batch = broker.wait(broker.topic(t).head(1, text())).unwrap();
    assert!(
        sent.timestamp_ms > 1_600_000_000_000,
        "{}",
        sent.timestamp_ms
    );
    assert_eq!(timestamps(&batch), [sent.timestamp_ms]);
}

#[rstest]
fn a_topic_with_fsync_is_synced_before_the_response(#[values(Directory)] target: Target) {
    let broker = target.start();
    let t = broker.name("t");
    broker
        .wait(
            broker
                .admin()
                .create_topic(headwater::NewTopic::new(t).config("flush.messages", "1")),
        )
        .unwrap();
    let producer = broker.producer_with(&[]);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..20 {
                    producer
                        .send_blocking(&Record::new(t, b"v"))
                        .unwrap()
                        .wait()
                        .unwrap();
                }
            });
        }
    });
    assert_eq!(broker.wait(broker.topic(t).count()).unwrap(), 80);
}

#[behaviour]
fn an_async_sender_needs_no_thread_of_its_own(target: Target) {
    let broker = target.start();
    let t = broker.name("t");
    broker.make(t, 2);
    let producer = broker.producer_with(&[]);
    let task = broker.runtime().spawn(async move {
        let mut last = None;
        for index in 0..100 {
            let value = format!("{index}");
            last = Some(
                producer
                    .send(&Record::new(t, value.as_bytes()).partition(1))
                    .await
                    .unwrap(),
            );
        }
        last.unwrap().await.unwrap().offset
    });
    assert_eq!(broker.wait(task).unwrap().unwrap().get(), 99);
}
