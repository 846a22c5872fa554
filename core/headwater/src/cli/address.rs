//! Addresses and listeners as they are written in arguments.

use std::str::FromStr;

use headwater_server::SecurityProtocol;

/// `HOST:PORT`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    /// Without the brackets of an IPv6 address.
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "{text} is not HOST:PORT: write it like 127.0.0.1:9092, localhost:9092 or [::1]:9092"
            )
        };
        let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
        let bare = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'));
        let host = match bare {
            Some(host) => host,
            None if host.contains(':') => return Err(wrong()),
            None => host,
        };
        if host.is_empty() {
            return Err(wrong());
        }
        Ok(Self {
            host: host.to_owned(),
            port: port.parse().map_err(|_| wrong())?,
        })
    }
}

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
                address: text.parse()?,
            });
        };
        let protocol = SecurityProtocol::from_str(protocol).map_err(|error| error.to_string())?;
        Ok(Self {
            protocol: Some(protocol),
            address: address.parse()?,
        })
    }
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
    fn hosts_are_names_and_addresses_of_both_kinds() {
        let read = |text: &str| text.parse::<Address>().map(|read| (read.host, read.port));
        assert_eq!(read("localhost:0"), Ok(("localhost".to_owned(), 0)));
        assert_eq!(read("[::1]:9092"), Ok(("::1".to_owned(), 9092)));
        for wrong in [
            "localhost",
            "::1:9092",
            ":9092",
            "[::1:9092",
            "host:port",
            "host:65536",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

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
