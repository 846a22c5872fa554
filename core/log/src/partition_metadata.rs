//! `partition.metadata`: the id of the topic that owns a partition's directory. A topic that is deleted and created
//! again has the same name and another id.
//!
//! ```text
//!   file = "version: 0\n" "topic_id: " id
//!   id   = the 16 bytes of the topic's UUID in URL-safe base64 without padding: 22 characters
//! ```

use std::io;
use std::path::Path;

use headwater_env::Env;

use crate::base64;

const NAME: &str = "partition.metadata";

/// The owner of a partition's directory, according to its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DirectoryOwner {
    /// The file is missing: the process died while it created the partition.
    Unknown,
    /// The topic's id.
    Topic([u8; 16]),
    /// The file has invalid content.
    Damaged,
}

/// Reads the owner of the directory `partition`.
pub fn read_owner(env: &impl Env, partition: &Path) -> io::Result<DirectoryOwner> {
    let Some(bytes) = env.read_file(&partition.join(NAME))? else {
        return Ok(DirectoryOwner::Unknown);
    };
    let id = std::str::from_utf8(&bytes).ok().and_then(parse);
    Ok(id.map_or(DirectoryOwner::Damaged, DirectoryOwner::Topic))
}

/// Writes the topic's id into the directory `partition`, durably.
pub fn write_owner(env: &impl Env, partition: &Path, topic_id: [u8; 16]) -> io::Result<()> {
    let text = format!("version: 0\ntopic_id: {}", base64::encode(topic_id));
    env.replace_file(&partition.join(NAME), text.as_bytes())
}

fn parse(text: &str) -> Option<[u8; 16]> {
    let mut lines = text.lines();
    let version = lines.next()?.strip_prefix("version: ")?;
    let id = lines.next()?.strip_prefix("topic_id: ")?;
    (version == "0")
        .then(|| base64::decode(id.trim_end()))
        .flatten()
}

#[cfg(test)]
mod tests {
    use headwater_env::MemoryEnv;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_file_equals_kafkas_byte_for_byte() {
        let env = MemoryEnv::new();
        let dir = Path::new("/data/t-0");
        env.create_dir_all(dir).unwrap();
        assert_eq!(read_owner(&env, dir).unwrap(), DirectoryOwner::Unknown);
        let mut id = [0; 16];
        id[15] = 1;
        write_owner(&env, dir, id).unwrap();
        assert_eq!(read_owner(&env, dir).unwrap(), DirectoryOwner::Topic(id));
        let file = dir.join(NAME);
        assert_eq!(
            env.read_file(&file).unwrap().unwrap(),
            "version: 0\ntopic_id: AAAAAAAAAAAAAAAAAAAAAQ"
        );
        // Earlier versions terminated the last line.
        env.replace_file(&file, b"version: 0\ntopic_id: AAAAAAAAAAAAAAAAAAAAAQ\n")
            .unwrap();
        assert_eq!(read_owner(&env, dir).unwrap(), DirectoryOwner::Topic(id));
        for damaged in ["version: 1\n", "version: 0\ntopic_id: short", ""] {
            env.replace_file(&file, damaged.as_bytes()).unwrap();
            assert_eq!(read_owner(&env, dir).unwrap(), DirectoryOwner::Damaged);
        }
    }

    proptest! {
        #[test]
        fn any_text_is_parsed_without_harm(text in ".{0,60}") {
            let _ = parse(&text);
        }
    }
}
