//! The page of configuration keys is printed from the tables.

use headwater_client::config::client::CLIENT;
use headwater_client::config::consumer::CONSUMER;
use headwater_client::config::producer::PRODUCER;
use headwater_metadata::config::{BROKER, TOPIC, Table};
use headwater_net::CONNECTION;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/CONFIGURATION.md");

const CHAPTERS: [(&str, &str, &Table); 6] = [
    (
        "Client",
        "Given to `open()` and `connect()`. `default.api.timeout.ms`, `request.timeout.ms` and the back-off can be given to each producer and \
         consumer too.",
        &CLIENT,
    ),
    ("Connection", "Given to `connect()`.", &CONNECTION),
    ("Producer", "Given to `producer()`.", &PRODUCER),
    ("Consumer", "Given to `consumer()`.", &CONSUMER),
    (
        "Topic",
        "Given when a topic is created or altered. A key that the topic does not set has the broker's value.",
        &TOPIC,
    ),
    (
        "Broker",
        "Given to `open()` and `headwater serve`, for an engine of ours. A cluster has its own.",
        &BROKER,
    ),
];

/// `HEADWATER_WRITE_DOCS=1 cargo test -p headwater --test configuration` writes the page again.
#[test]
fn the_page_of_keys_is_up_to_date() {
    let mut page = String::from(
        "# Configuration\n\nKafka's keys, with Kafka's meaning and defaults; descriptions name the exceptions. `auto.offset.reset` may also be written \
         `auto_offset_reset` or `autoOffsetReset`. Keys in ms take durations too: `7d`, `1h30m`, and in Python a `timedelta`. An unknown key is \
         refused.\n\nPrinted from the tables in the code; do not edit.\n",
    );
    for (title, given, table) in CHAPTERS {
        page += &["\n## ", title, "\n\n", given, "\n\n", &table.markdown()].concat();
    }
    if std::env::var_os("HEADWATER_WRITE_DOCS").is_some() {
        std::fs::write(PAGE, &page).unwrap();
    }
    let written = std::fs::read_to_string(PAGE).unwrap();
    assert!(written == page, "{PAGE} differs from the tables");
}
