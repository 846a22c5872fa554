//! `partition.metadata`: which topic a partition's directory belongs to.
//!
//! A topic that is deleted and made again has the same name and another id; the file tells whose records lie here.
//!
//! ```text
//! version: 0
//! topic_id: <16 bytes in URL-safe base64 without padding>
//! ```

use std::io;
use std::path::Path;

use headwater_env::Env;
use uuid::Uuid;

const FILE_NAME: &str = "partition.metadata";
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const ID_LEN: usize = 22;

/// What a partition's directory says about its topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    /// It was not written yet: the process died while it made the partition.
    Unknown,
    /// The topic's id.
    Topic(Uuid),
    /// The file is there and makes no sense.
    Damaged,
}

/// Reads the file in the partition directory `dir`.
pub(crate) fn read<E: Env>(env: &E, dir: &Path) -> io::Result<Owner> {
    let Some(bytes) = env.read_file(&dir.join(FILE_NAME))? else {
        return Ok(Owner::Unknown);
    };
    Ok(std::str::from_utf8(&bytes)
        .ok()
        .and_then(parse)
        .map_or(Owner::Damaged, Owner::Topic))
}

/// Writes the file, durably.
pub(crate) fn write<E: Env>(env: &E, dir: &Path, topic_id: Uuid) -> io::Result<()> {
    let text = format!("version: 0\ntopic_id: {}\n", encode(topic_id));
    env.replace_file(&dir.join(FILE_NAME), text.as_bytes())
}

fn parse(text: &str) -> Option<Uuid> {
    let mut lines = text.lines();
    if lines.next()?.strip_prefix("version: ")? != "0" {
        return None;
    }
    decode(lines.next()?.strip_prefix("topic_id: ")?.trim_end())
}

fn encode(id: Uuid) -> String {
    let bits = id.as_u128();
    // 22 digits of six bits are 132: the last digit carries the last two bits of the id, then four zeros.
    (0..ID_LEN)
        .map(|digit| {
            let six = if digit == ID_LEN - 1 {
                bits << 4
            } else {
                bits >> (122 - 6 * digit)
            };
            char::from(ALPHABET[(six & 0x3f) as usize])
        })
        .collect()
}

fn decode(text: &str) -> Option<Uuid> {
    if text.len() != ID_LEN {
        return None;
    }
    let mut bits = 0_u128;
    for (digit, letter) in text.bytes().enumerate() {
        let six = ALPHABET.iter().position(|known| *known == letter)? as u128;
        if digit == ID_LEN - 1 {
            if six & 0x0f != 0 {
                return None;
            }
            bits = (bits << 2) | (six >> 4);
        } else {
            bits = (bits << 6) | six;
        }
    }
    Some(Uuid::from_u128(bits))
}

#[cfg(test)]
mod tests {
    use super::*;
    use headwater_env::MemoryEnv;
    use proptest::prelude::*;

    #[test]
    fn the_id_is_written_as_kafka_writes_it() {
        // Kafka's Uuid.toString() of the id with all bits set, and of 00000000-0000-0000-0000-000000000001.
        assert_eq!(encode(Uuid::from_u128(u128::MAX)), "_____________________w");
        assert_eq!(encode(Uuid::from_u128(1)), "AAAAAAAAAAAAAAAAAAAAAQ");
    }

    proptest! {
        #[test]
        fn an_id_comes_back(bits: u128) {
            let id = Uuid::from_u128(bits);
            prop_assert_eq!(decode(&encode(id)), Some(id));
        }

        #[test]
        fn any_text_is_parsed_without_harm(text in ".{0,60}") {
            let _ = parse(&text);
            let _ = decode(&text);
        }
    }

    #[test]
    fn the_file_tells_the_owner_or_that_it_does_not() {
        let env = MemoryEnv::new();
        let dir = Path::new("/data/t-0");
        env.create_dir_all(dir).unwrap();
        assert_eq!(read(&env, dir).unwrap(), Owner::Unknown);
        let id = Uuid::from_u128(0x0123_4567_89ab_cdef);
        write(&env, dir, id).unwrap();
        assert_eq!(read(&env, dir).unwrap(), Owner::Topic(id));
        env.replace_file(&dir.join(FILE_NAME), b"version: 1\n")
            .unwrap();
        assert_eq!(read(&env, dir).unwrap(), Owner::Damaged);
    }
}
