//! Which names a topic may have. A name becomes a directory, so it is checked before anything else is done with it.

/// The longest topic name: a directory `<name>-<partition>` must fit in the 255 bytes of a file name.
pub const TOPIC_NAME_LEN_MAX: usize = 249;

/// Topics that belong to the broker. Clients may read some of them and never create, delete or produce to them.
const INTERNAL: [&str; 4] = [
    "__cluster_metadata",
    "__consumer_offsets",
    "__share_group_state",
    "__transaction_state",
];

/// Why a text is no topic name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TopicNameError {
    /// Nothing.
    #[error("a topic name must not be empty")]
    Empty,
    /// `.` or `..`, which are directories.
    #[error("\"{0}\" is no topic name: it means a directory")]
    Dots(String),
    /// Too long to become a directory.
    #[error("a topic name has at most {TOPIC_NAME_LEN_MAX} characters, this one has {0}")]
    TooLong(usize),
    /// A character that is not allowed.
    #[error("\"{name}\" is no topic name: '{}' is not allowed, only letters, digits, '.', '_' and '-' of ASCII are", character.escape_default())]
    Character {
        /// The name.
        name: String,
        /// The first character that is not allowed.
        character: char,
    },
}

/// Whether `name` may be a topic's, by Kafka's rules.
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

/// Whether the topic belongs to the broker.
pub fn is_internal_topic(name: &str) -> bool {
    INTERNAL.contains(&name)
}

/// What two names share that collide in metric names: `.` and `_` count as one.
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
    fn kafkas_names_are_names() {
        for name in ["a", "...", "__x", "A-9_.z", "-", &"n".repeat(249)] {
            assert_eq!(validate_topic_name(name), Ok(()), "{name}");
        }
    }

    #[test]
    fn a_name_that_is_none_is_refused_with_the_reason() {
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
