//! `meta.properties`: the identity of a data directory.

use std::collections::BTreeMap;
use std::path::Path;

use headwater_env::Env;

use super::error::DataDirectoryError;
use super::file_names::META_PROPERTIES;
use crate::base64;
use crate::error::FileError;

/// The content of `meta.properties`: the identity of a data directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetaProperties {
    /// `cluster.id`: 22 characters, a random UUID in base64.
    pub cluster_id: String,
    /// `node.id`
    pub node_id: i32,
    /// `directory.id`: like `cluster.id`.
    pub directory_id: String,
}

pub(super) fn read_or_make_meta<E: Env>(
    env: &E,
    directory: &Path,
    node_id: i32,
) -> Result<MetaProperties, DataDirectoryError> {
    let path = directory.join(META_PROPERTIES);
    let bytes = env
        .read_file(&path)
        .map_err(|source| FileError::new("read", &path, source))?;
    if let Some(bytes) = bytes {
        return parse_meta(&bytes).map_err(|what| DataDirectoryError::Damaged { path, what });
    }
    let meta = MetaProperties {
        cluster_id: base64::encode(random_uuid(env)),
        node_id,
        directory_id: base64::encode(random_uuid(env)),
    };
    let text = format!(
        "#\ncluster.id={}\ndirectory.id={}\nnode.id={}\nversion=1\n",
        meta.cluster_id, meta.directory_id, meta.node_id
    );
    env.replace_file(&path, text.as_bytes())
        .map_err(|source| FileError::new("replace", path, source))?;
    Ok(meta)
}

fn parse_meta(bytes: &[u8]) -> Result<MetaProperties, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
    let lines = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.starts_with('#'));
    let values: BTreeMap<&str, &str> = lines
        .filter_map(|line| line.split_once('='))
        .map(|(key, value)| (key.trim(), value.trim()))
        .collect();
    let value = |key: &str| {
        values
            .get(key)
            .copied()
            .ok_or_else(|| format!("it does not have {key}"))
    };
    let version = value("version")?;
    if version != "1" {
        return Err(format!(
            "its version is {version}; use a release that supports it"
        ));
    }
    let node_id = value("node.id")?;
    Ok(MetaProperties {
        cluster_id: value("cluster.id")?.to_owned(),
        node_id: node_id
            .parse()
            .map_err(|_| format!("its node.id {node_id:?} is not a number"))?,
        // Kafka before 3.7 writes none.
        directory_id: value("directory.id").unwrap_or_default().to_owned(),
    })
}

/// A random UUID, version 4.
pub(super) fn random_uuid(env: &impl Env) -> [u8; 16] {
    let mut bytes = [0; 16];
    env.fill_random(&mut bytes);
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    bytes
}
