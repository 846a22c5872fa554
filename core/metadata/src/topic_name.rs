//! Validation of topic names. A name becomes a directory name, so it is validated first.

/// The longest topic name: a directory `<name>-<partition>` must fit in the 255 bytes of a file name.
pub const TOPIC_NAME_LEN_MAX: usize = 249;

/// Internal topics. Clients may read some of them, but never create, delete or produce to them.
const INTERNAL: [&str; 4] = [
    "__cluster_metadata",
    "__consumer_offsets",
    "__share_group_state",
    "__transaction_state",
];

/// Why a topic name is invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TopicNameError {
    /// The name is empty.
    #[error("a topic name must not be empty")]
    Empty,
    /// `.` or `..`, which are directories.
    #[error("\"{0}\" is not a valid topic name: it is a directory")]
    Dots(String),
    /// Too long for a directory name.
    #[error("a topic name has at most {TOPIC_NAME_LEN_MAX} characters, this one has {0}")]
    TooLong(usize),
    /// A character that is not allowed.
    #[error("\"{name}\" is not a valid topic name: '{}' is not allowed, only letters, digits, '.', '_' and '-' of ASCII are", character.escape_default())]
    Character {
        /// The name.
        name: String,
        /// The first invalid character.
        character: char,
    },
}

/// Validates a topic name by Kafka's rules.
///
/// ```
/// use headwater_metadata::{TopicNameError, validate_topic_name};
/// assert!(validate_topic_name("flights.2013").is_ok());
/// assert_eq!(validate_topic_name(".."), Err(TopicNameError::Dots("..".to_owned())));
/// assert!(validate_topic_name("a/b").is_err());
/// ```
pub fn validate_topic_name(name: &str) -> Result<(), TopicNameError> {
    if name.is_empty() {
        return Err(TopicNameError::Empty);
    }
    if name == "." || name == ".." {
        return Err(TopicNameError::Dots(name.to_owned()));
    }
    if name.chars().count() > TOPIC_NAME_LEN_MAX {
        return Err(TopicNameError::TooLong(name.chars().count()));
    }
    match name.chars().find(|letter| !is_allowed(*letter)) {
        None => Ok(()),
        Some(character) => Err(TopicNameError::Character {
            name: name.to_owned(),
            character,
        }),
    }
}

/// Whether the topic is internal.
pub fn is_internal_topic(name: &str) -> bool {
    INTERNAL.contains(&name)
}

/// The key that is equal for names that collide in metric names: `.` and `_` are the same.
pub(crate) fn collision_key(name: &str) -> String {
    name.replace('.', "_")
}

const fn is_allowed(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_' | '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_kafka_allows_are_valid() {
        for name in ["a", "...", "__x", "A-9_.z", "-", &"n".repeat(249)] {
            assert_eq!(validate_topic_name(name), Ok(()), "{name}");
        }
    }

    #[test]
    fn an_invalid_name_is_refused_with_the_reason() {
        assert_eq!(validate_topic_name(""), Err(TopicNameError::Empty));
        assert_eq!(
            validate_topic_name("."),
            Err(TopicNameError::Dots(".".into()))
        );
        assert_eq!(
            validate_topic_name(&"n".repeat(250)),
            Err(TopicNameError::TooLong(250))
        );
        for (name, character) in [
            ("a b", ' '),
            ("a/b", '/'),
            ("ü", 'ü'),
            ("a\0", '\0'),
            ("a:b", ':'),
        ] {
            assert_eq!(
                validate_topic_name(name),
                Err(TopicNameError::Character {
                    name: name.into(),
                    character
                })
            );
        }
    }

    #[test]
    fn dots_and_underscores_collide() {
        assert_eq!(collision_key("a.b_c"), collision_key("a_b.c"));
        assert_ne!(collision_key("a-b"), collision_key("a_b"));
    }
}
