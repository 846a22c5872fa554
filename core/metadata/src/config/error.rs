//! What can be wrong with a configuration.

/// Why a configuration was refused. Nothing of it took effect.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// No key of that name.
    #[error("unknown {scope} configuration \"{name}\"{}", suggestion(.nearest.as_deref()))]
    UnknownKey {
        /// The table that was asked.
        scope: &'static str,
        /// The key as it was written.
        name: String,
        /// The known key that is spelled most alike, if one is near.
        nearest: Option<&'static str>,
    },
    /// The key is known, its value is not allowed.
    #[error("\"{value}\" is not a value of {name}: it takes {expected}")]
    InvalidValue {
        /// The key.
        name: &'static str,
        /// The value as it was written.
        value: String,
        /// What the key takes.
        expected: String,
    },
    /// The key has no effect here, so it takes Kafka's default and nothing else.
    #[error("{name} {}: {reason}", fixed(*default))]
    Fixed {
        /// The key.
        name: &'static str,
        /// What it takes; `None` for nothing.
        default: Option<&'static str>,
        /// Why.
        reason: &'static str,
    },
    /// Two or more values that are allowed alone are not allowed together.
    #[error("{reason}")]
    Conflict {
        /// A sentence that says what to change.
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
