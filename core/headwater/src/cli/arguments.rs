//! Listeners and settings as they are written in arguments.

use std::str::FromStr;

use headwater_server::SecurityProtocol;

use crate::{Address, InvalidAddress};

/// `[PROTOCOL://]HOST:PORT`, as in Kafka's `listeners`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listen {
    pub(crate) protocol: Option<SecurityProtocol>,
    pub(crate) address: Address,
}

impl FromStr for Listen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((protocol, address)) = text.split_once("://") else {
            return Ok(Self {
                protocol: None,
                address: read(text)?,
            });
        };
        let protocol = SecurityProtocol::from_str(protocol).map_err(|error| error.to_string())?;
        Ok(Self {
            protocol: Some(protocol),
            address: read(address)?,
        })
    }
}

fn read(address: &str) -> Result<Address, String> {
    address
        .parse()
        .map_err(|error: InvalidAddress| error.to_string())
}

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
                "{text} is not KEY=VALUE: write it like num.partitions=3"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_may_name_its_protocol() {
        let read: Listen = "SASL_SSL://kafka.example:9093".parse().unwrap();
        assert_eq!(read.protocol, Some(SecurityProtocol::SaslSsl));
        assert_eq!(read.address.host, "kafka.example");
        let error = "HTTP://host:1".parse::<Listen>().unwrap_err();
        assert!(error.contains("use one of PLAINTEXT"), "{error}");
    }

    #[test]
    fn a_setting_may_hold_equals_signs() {
        let read: Setting = "key=a=b".parse().unwrap();
        assert_eq!((read.key.as_str(), read.value.as_str()), ("key", "a=b"));
        assert!("=value".parse::<Setting>().is_err());
    }
}
