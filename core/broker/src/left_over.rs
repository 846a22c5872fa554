//! Partition directories left over from a failed or crashed creation.

use std::io;
use std::path::Path;

use headwater_env::Env;

/// Whether a directory contains only the files of a new partition and no record. Its creation was never acknowledged.
pub(crate) fn is_left_over<E: Env>(env: &E, dir: &Path) -> io::Result<bool> {
    for entry in env.read_dir(dir)? {
        if !is_of_new_partition(&entry.name) {
            return Ok(false);
        }
        let path = dir.join(&entry.name);
        let is_log = path.extension().is_some_and(|kind| kind == "log");
        if is_log && env.metadata(&path)?.is_some_and(|found| found.len > 0) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn is_of_new_partition(name: &str) -> bool {
    let name = name.strip_suffix(".tmp").unwrap_or(name);
    let is_segment = |(digits, kind): (&str, &str)| {
        digits.len() == 20
            && digits.bytes().all(|digit| digit.is_ascii_digit())
            && ["log", "index", "timeindex", "txnindex", "snapshot"].contains(&kind)
    };
    matches!(name, "partition.metadata" | "leader-epoch-checkpoint")
        || name.split_once('.').is_some_and(is_segment)
}

#[cfg(test)]
mod tests {
    use headwater_env::{Env, MemoryEnv};

    use super::*;

    #[test]
    fn only_the_empty_files_of_a_new_partition_are_left_over() {
        let dir = Path::new("/data/t-0");
        let with = |files: &[(&str, &[u8])]| {
            let env = MemoryEnv::new();
            env.create_dir_all(dir).unwrap();
            for (name, bytes) in files {
                env.replace_file(&dir.join(name), bytes).unwrap();
            }
            is_left_over(&env, dir).unwrap()
        };
        let log = "00000000000000000000.log";
        assert!(with(&[]));
        assert!(with(&[(log, b""), ("partition.metadata", b"version: 0")]));
        assert!(with(&[("partition.metadata.tmp", b"ver")]));
        assert!(!with(&[(log, b"a record")]));
        assert!(!with(&[(log, b""), ("notes.txt", b"")]));
        assert!(!with(&[("00000000000000000000.log.stray", b"")]));
    }
}
