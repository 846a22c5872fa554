//! Configuration: one table for each scope, with name, kind, default, bounds, unit and doc of every key.
//!
//! A [`Table`] is static data. A [`Layer`] has validated values for some keys of a table, so readers never see an
//! invalid value. Layers stack: topic over broker over default.
//!
//! Kafka's written values are what a broker accepts ([`Definition::parse`]). Users may also write durations for keys in
//! milliseconds: [`Definition::written`] converts them.
//!
//! ```
//! use headwater_metadata::config::{Definition, Layer, Table, Unit};
//!
//! static LAMP: Table = Table::new("lamp", &[
//!     Definition::int("brightness", "40", 0, 100, "How bright the lamp is.").unit(Unit::Count),
//!     Definition::boolean("on", "false", "Whether the lamp is lit."),
//! ]);
//! let lamp = Layer::parse(&LAMP, [("brightness", "70")])?;
//! assert_eq!(lamp.integer("brightness"), 70);
//! assert!(!lamp.boolean("on"));
//! let error = Layer::parse(&LAMP, [("brigthness", "70")]).unwrap_err();
//! assert!(error.to_string().contains("did you mean \"brightness\"?"));
//! # Ok::<(), headwater_metadata::config::ConfigError>(())
//! ```

mod broker;
mod compression;
mod definition;
mod duration;
mod error;
mod group_bounds;
mod layer;
mod markdown;
mod table;
mod topic;
mod value;

pub use broker::{BROKER, BrokerConfig, MigrationPolicy, OnStorageFull};
pub use compression::{GZIP_LEVEL, LZ4_LEVEL, ZSTD_LEVEL, compression_level};
pub use definition::{Definition, Kind, Unit};
pub use duration::duration_ms;
pub use error::ConfigError;
pub use layer::{Layer, Source};
pub use table::{Table, canonical_key};
pub use topic::{CleanupPolicy, TOPIC, TopicConfig, TopicView, check_topic};
pub use value::Value;
