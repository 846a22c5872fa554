//! Which columns of a table become what.

/// The names of the columns that become parts of a record. Those that are `None` come from nowhere: no key, now, ...
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct KeyValueColumns {
    /// The key: any binary, string, view or dictionary of these as it is; other types as JSON text.
    pub key: Option<String>,
    /// The value, as the key; `None`: all columns that are not named here, packed as a JSON object.
    pub value: Option<String>,
    /// The headers, `list<struct<key: utf8, value: binary>>`.
    pub headers: Option<String>,
    /// The timestamp: any timestamp, date or (milliseconds) integer type; null is now.
    pub timestamp: Option<String>,
    /// The partition, any integer type; null: by key.
    pub partition: Option<String>,
}
