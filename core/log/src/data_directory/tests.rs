use headwater_env::{MemoryEnv, OpenMode, RealEnv};
use headwater_record::Offset;

use super::partition_directory::NAME_BYTES_MAX;
use super::*;

const PATH: &str = "/data";

fn open(env: &MemoryEnv) -> Result<DataDirectory<MemoryEnv>, DataDirectoryError> {
    DataDirectory::open(env.clone(), Path::new(PATH), 7)
}

fn write(env: &MemoryEnv, name: &str, text: &str) {
    env.replace_file(&Path::new(PATH).join(name), text.as_bytes())
        .unwrap();
}

#[test]
fn a_new_directory_gets_an_identity_and_keeps_it() {
    let env = MemoryEnv::new();
    let first = open(&env).unwrap().meta().clone();
    assert_eq!(
        (
            first.cluster_id.len(),
            first.directory_id.len(),
            first.node_id
        ),
        (22, 22, 7)
    );
    assert_ne!(first.cluster_id, first.directory_id);
    assert_eq!(open(&env).unwrap().meta(), &first);
}

#[test]
fn a_second_owner_is_refused_until_the_first_is_gone() {
    let env = MemoryEnv::new();
    let first = open(&env).unwrap();
    assert!(matches!(open(&env), Err(DataDirectoryError::Locked { .. })));
    drop(first);
    open(&env).unwrap();
}

#[test]
fn a_directory_with_other_files_is_left_unchanged() {
    let env = MemoryEnv::new();
    env.create_dir_all(Path::new(PATH)).unwrap();
    write(&env, "thesis.doc", "twenty years of work");
    let refused = open(&env).unwrap_err();
    assert!(
        matches!(&refused, DataDirectoryError::NotOurs { found, .. } if found == "thesis.doc"),
        "{refused}"
    );
    assert_eq!(env.read_dir(Path::new(PATH)).unwrap().len(), 1);
}

#[test]
fn a_newer_version_is_refused() {
    let env = MemoryEnv::new();
    drop(open(&env).unwrap());
    write(
        &env,
        META_PROPERTIES,
        "version=2\ncluster.id=x\nnode.id=1\n",
    );
    assert!(matches!(
        open(&env),
        Err(DataDirectoryError::Damaged { .. })
    ));
    write(
        &env,
        META_PROPERTIES,
        "#\n#Tue\ncluster.id=abc\nnode.id=3\nversion=1\n",
    );
    assert_eq!(open(&env).unwrap().meta().node_id, 3);
}

#[test]
fn checkpoints_come_back_and_damaged_ones_are_errors() {
    let env = MemoryEnv::new();
    let directory = open(&env).unwrap();
    let kind = CheckpointKind::RecoveryPoint;
    assert!(directory.read_checkpoint(kind).unwrap().is_empty());
    let offsets: Offsets = [
        (("a-b.c_d".to_owned(), 3), Offset::new(17)),
        (("z".to_owned(), 0), Offset::MAX),
    ]
    .into();
    directory.write_checkpoint(kind, &offsets).unwrap();
    assert_eq!(directory.read_checkpoint(kind).unwrap(), offsets);
    assert!(
        directory
            .read_checkpoint(CheckpointKind::LogStartOffset)
            .unwrap()
            .is_empty()
    );
    write(&env, kind.file_name(), "0\n2\na 0 1\n");
    assert!(matches!(
        directory.read_checkpoint(kind),
        Err(DataDirectoryError::Damaged { .. })
    ));
}

#[test]
fn the_clean_shutdown_marker_is_valid_once() {
    let env = MemoryEnv::new();
    let directory = open(&env).unwrap();
    assert!(!directory.clean_shutdown());
    directory.mark_clean_shutdown().unwrap();
    drop(directory);
    assert!(open(&env).unwrap().clean_shutdown());
    assert!(!open(&env).unwrap().clean_shutdown());
}

#[test]
fn partitions_are_found_by_name_and_deleted_ones_are_removed() {
    let env = MemoryEnv::new();
    let directory = open(&env).unwrap();
    for name in [
        "flights-1",
        "flights-0",
        "two-words-10",
        "no_number",
        "odd-x",
        "-3",
    ] {
        env.create_dir_all(&Path::new(PATH).join(name)).unwrap();
    }
    let file = directory
        .partition_path("flights", 1)
        .join("00000000000000000000.log");
    env.open_file(&file, OpenMode::Create).unwrap();
    let deleted = directory.mark_deleted("flights", 1).unwrap();
    assert!(env.metadata(&deleted).unwrap().is_some());
    drop(directory);
    let directory = open(&env).unwrap();
    let found: Vec<_> = directory
        .partitions()
        .iter()
        .map(|found| (found.topic.as_str(), found.partition))
        .collect();
    assert_eq!(found, [("flights", 0), ("two-words", 10)]);
    assert!(env.metadata(&deleted).unwrap().is_none());
}

#[test]
fn the_name_of_a_deleted_directory_fits_for_any_topic_name() {
    for len in [1, 200, 212, 213, 214, 215, 230, 249] {
        for partition in [0, 10, 9_999] {
            let temporary = tempfile::tempdir().unwrap();
            let open = || DataDirectory::open(RealEnv, temporary.path(), 7).unwrap();
            let directory = open();
            let topic = "n".repeat(len);
            let path = directory.partition_path(&topic, partition);
            std::fs::create_dir(&path).unwrap();
            let deleted = directory.mark_deleted(&topic, partition).unwrap();
            assert!(deleted.exists() && !path.exists());
            let name = deleted.file_name().unwrap().to_str().unwrap();
            assert!(name.len() <= NAME_BYTES_MAX, "{name}");
            assert!(name.contains(&format!("-{partition}.")), "{name}");
            // After a crash before the removal, the next owner removes it and does not list it as a partition.
            drop(directory);
            let directory = open();
            assert!(directory.partitions().is_empty() && !deleted.exists());
        }
    }
}
