//! Messages of the engine in the words of the command line. The engine's messages name the arguments of its bindings.

/// Phrases of messages, and the same in the words of the command line.
const PHRASES: [(&str, &str); 8] = [
    ("with if_exists=\"ignore\"", "with --if-not-exists"),
    (
        "add partitions with alter_topic",
        "add partitions with headwater topic alter --partitions",
    ),
    ("or at \"earliest\"", "or with --from earliest"),
    ("insist with allow_insecure", "insist with --allow-insecure"),
    ("pass the function oauth_token, or set", "set"),
    (
        "requires the function oauth_token, which is missing: pass it, or set",
        "is not for the command line, which has no function that returns tokens: set",
    ),
    ("oauth_token or sasl.oauthbearer", "sasl.oauthbearer"),
    ("the function oauth_token, or from ", ""),
];

/// The message in the words of the command line.
pub(super) fn for_shell(message: &str) -> String {
    PHRASES
        .iter()
        .fold(message.to_owned(), |message, (phrase, shell)| {
            message.replace(phrase, shell)
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ErrorKind, NO_CONFIG, NewTopic, Record, Result, connect, open};

    fn message<T>(result: Result<T>, kind: ErrorKind) -> String {
        let error = result.err().unwrap();
        assert_eq!(error.kind(), kind, "{error}");
        for_shell(error.message())
    }

    #[test]
    fn advice_names_commands_and_options() {
        let engine = open(None, NO_CONFIG).unwrap();
        let create = || engine.block_on(engine.admin().create_topic(NewTopic::new("flights")));
        create().unwrap();
        assert!(message(create(), ErrorKind::TopicAlreadyExists).contains("--if-not-exists"));
        let producer = engine.producer(crate::ProducerConfig::default());
        let sent = producer.send_blocking(&Record::new("flights", b"late").partition(7));
        assert!(
            message(sent, ErrorKind::UnknownTopicOrPartition)
                .contains("headwater topic alter --partitions")
        );
        let scan = engine.topic("flights").scan(crate::ScanOptions {
            start: crate::Offset::new(9).into(),
            ..crate::ScanOptions::default()
        });
        assert!(
            message(engine.block_on(scan.reader()), ErrorKind::OffsetOutOfRange)
                .contains("--from earliest")
        );
    }

    #[test]
    fn keys_of_the_connection_are_named_without_the_function_of_bindings() {
        let bearer = |more: &[(&str, &str)]| {
            let pairs = [
                ("security.protocol", "SASL_PLAINTEXT"),
                ("sasl.mechanism", "OAUTHBEARER"),
            ];
            let connected = connect("localhost:9092", pairs.iter().chain(more).copied());
            message(connected, ErrorKind::Config)
        };
        for given in [
            bearer(&[]),
            bearer(&[("sasl.oauthbearer.method", "default")]),
            bearer(&[("sasl.jaas.config", "nothing")]),
        ] {
            assert!(!given.contains("oauth_token"), "{given}");
            assert!(
                given.contains("sasl.oauthbearer.token.endpoint.url"),
                "{given}"
            );
        }
    }
}
