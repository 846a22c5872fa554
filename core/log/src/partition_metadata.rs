//! `partition.metadata`: to which topic a partition's directory belongs.
//!
//! ```text
//! file = "version: 0\n" "topic_id: " id
//! id   = the 16 bytes of the topic's UUID in URL-safe base64 without padding: 22 characters
//! ```

use std::path::Path;

use headwater_env::Env;

use crate::base64;
use crate::data_directory::DataDirectoryError;
use crate::error::FileError;

const NAME: &str = "partition.metadata";

/// The topic id in a partition's directory; `None` if the file does not exist.
pub fn read_topic_id(
    env: &impl Env,
    partition: &Path,
) -> Result<Option<[u8; 16]>, DataDirectoryError> {
    let path = partition.join(NAME);
    let bytes = env
        .read_file(&path)
        .map_err(|source| FileError::new("read", &path, source))?;
    let Some(bytes) = bytes else {
        return Ok(None);
    };
    let parsed = std::str::from_utf8(&bytes).ok().and_then(|text| {
        let mut lines = text.lines();
        let version = lines.next()?.strip_prefix("version: ")?;
        let id = lines.next()?.strip_prefix("topic_id: ")?;
        (version == "0").then(|| base64::decode(id)).flatten()
    });
    parsed.map(Some).ok_or_else(|| DataDirectoryError::Damaged {
        path,
        what: "it has not the lines \"version: 0\" and \"topic_id: \" with 22 characters of base64"
            .to_owned(),
    })
}

/// Writes the topic id into a partition's directory, durably.
pub fn write_topic_id(
    env: &impl Env,
    partition: &Path,
    topic_id: [u8; 16],
) -> Result<(), DataDirectoryError> {
    let path = partition.join(NAME);
    let text = format!("version: 0\ntopic_id: {}", base64::encode(topic_id));
    env.replace_file(&path, text.as_bytes())
        .map_err(|source| FileError::new("replace", path, source).into())
}
