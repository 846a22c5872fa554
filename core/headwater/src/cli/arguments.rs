//! Settings on the command line.

use std::str::FromStr;

/// `KEY=VALUE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Setting {
    pub(crate) key: String,
    pub(crate) value: String,
}

impl FromStr for Setting {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((key, value)) if !key.trim().is_empty() => Ok(Self {
                key: key.trim().to_owned(),
                value: value.trim().to_owned(),
            }),
            _ => Err(format!(
                "{text} is not a setting: write KEY=VALUE, like num.partitions=3"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_may_hold_equals_signs() {
        let read: Setting = "key=a=b".parse().unwrap();
        assert_eq!((read.key.as_str(), read.value.as_str()), ("key", "a=b"));
        assert!("=value".parse::<Setting>().is_err());
    }
}
