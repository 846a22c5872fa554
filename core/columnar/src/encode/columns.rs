//! The roles of a table's columns.

/// The columns that become the parts of a record. `None` means the default: no key, the current time, and so on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct KeyValueColumns {
    /// The key: any binary, string, view type or dictionary of these unchanged; other types as JSON text.
    pub key: Option<String>,
    /// The value, like the key. `None`: all columns without another role, packed as a JSON object.
    pub value: Option<String>,
    /// The headers, `list<struct<key: utf8, value: binary>>`.
    pub headers: Option<String>,
    /// The timestamp: any timestamp, date or (milliseconds) integer type; null means the current time.
    pub timestamp: Option<String>,
    /// The partition, of any integer type; null means the partition of the key.
    pub partition: Option<String>,
}
