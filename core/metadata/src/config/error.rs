//! Configuration errors.

/// Why a configuration was refused. It has no effect.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Unknown key.
    #[error("unknown {scope} configuration \"{name}\"{}", suggestion(.nearest.as_deref()))]
    UnknownKey {
        /// The scope of the table.
        scope: &'static str,
        /// The key as it was written.
        name: String,
        /// The most similar known key, if there is one.
        nearest: Option<&'static str>,
    },
    /// The value is not allowed for the key.
    #[error("\"{value}\" is not a value of {name}: it takes {expected}")]
    InvalidValue {
        /// The key.
        name: &'static str,
        /// The value as it was written.
        value: String,
        /// The allowed values.
        expected: String,
    },
    /// The key has no effect here, so it only accepts Kafka's default.
    #[error("{name} {}: {reason}", fixed(*default))]
    Fixed {
        /// The key.
        name: &'static str,
        /// The allowed value; `None` if there is none.
        default: Option<&'static str>,
        /// The reason.
        reason: &'static str,
    },
    /// The values are valid, but not together.
    #[error("{reason}")]
    Conflict {
        /// A message with a remedy.
        reason: String,
    },
}

fn suggestion(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |name| format!("; did you mean \"{name}\"?"))
}

fn fixed(default: Option<&str>) -> String {
    match default {
        Some("") => "can only be empty".to_owned(),
        Some(default) => format!("can only be {default}"),
        None => "cannot be set".to_owned(),
    }
}
