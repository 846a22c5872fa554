//! Behaviour that needs the real system: other users and other processes.

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use headwater_env::{
    EntryKind, Env, File as _, Lock as _, LockError, MemoryEnv, OpenMode, RealEnv,
};

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o777
}

#[test]
fn directories_and_files_are_for_their_owner_only() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data/topic-0");
    RealEnv.create_dir_all(&data).unwrap();
    RealEnv
        .open_file(&data.join("log"), OpenMode::CreateNew)
        .unwrap();
    RealEnv
        .open_file(&data.join("index"), OpenMode::Create)
        .unwrap();
    RealEnv
        .replace_file(&data.join("checkpoint"), b"0")
        .unwrap();
    let _lock = RealEnv.lock(&data.join(".lock")).unwrap();
    assert_eq!(
        (mode(&dir.path().join("data")), mode(&data)),
        (0o700, 0o700)
    );
    for name in ["log", "index", "checkpoint", ".lock"] {
        assert_eq!(mode(&data.join(name)), 0o600, "{name}");
    }
}

const LOCK_PATH: &str = "HEADWATER_TEST_LOCK";

/// Not a test itself: the other process of the next test runs it.
#[test]
fn holds_a_lock_until_killed() {
    let Some(path) = std::env::var_os(LOCK_PATH) else {
        return;
    };
    let _lock = RealEnv.lock(Path::new(&path)).unwrap();
    println!("\nlocked");
    loop {
        std::thread::park();
    }
}

fn start_holder(path: &Path) -> Child {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "real::holds_a_lock_until_killed", "--nocapture"])
        .env(LOCK_PATH, path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap() == "locked"));
    child
}

#[test]
fn a_lock_of_another_process_names_its_pid_and_ends_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(".lock");
    let mut holder = start_holder(&path);
    match RealEnv.lock(&path) {
        Err(LockError::Held { pid }) => assert_eq!(pid, Some(holder.id())),
        other => panic!("expected a held lock, got {other:?}"),
    }
    holder.kill().unwrap();
    holder.wait().unwrap();
    RealEnv.lock(&path).unwrap();
}

#[test]
fn a_lock_is_the_same_by_every_path() {
    let dir = tempfile::tempdir().unwrap();
    let (data, alias) = (dir.path().join("data"), dir.path().join("alias"));
    RealEnv.create_dir_all(&data).unwrap();
    std::os::unix::fs::symlink(&data, &alias).unwrap();
    let _held = RealEnv.lock(&data.join(".lock")).unwrap();
    let again = RealEnv.lock(&alias.join(".lock")).unwrap_err();
    assert!(matches!(again, LockError::Held { pid: Some(pid) } if pid == std::process::id()));
    assert_eq!(
        again.to_string(),
        format!("the lock is held by process {}", std::process::id())
    );
}

#[test]
fn a_symbolic_link_is_listed_as_one_and_not_followed() {
    let dir = tempfile::tempdir().unwrap();
    let (target, link) = (dir.path().join("target"), dir.path().join("link"));
    RealEnv.replace_file(&target, b"precious").unwrap();
    std::os::unix::fs::symlink(&target, &link).unwrap();
    let entries = RealEnv.read_dir(dir.path()).unwrap();
    assert_eq!(entries[0].kind, EntryKind::Link);
    let found = RealEnv.metadata(&link).unwrap().unwrap();
    assert_eq!(found.kind, EntryKind::Link);
    for mode in [OpenMode::Read, OpenMode::Write, OpenMode::Create] {
        assert!(RealEnv.open_file(&link, mode).is_err());
    }
    assert!(RealEnv.lock(&link).is_err());
    RealEnv.remove_file(&link).unwrap();
    assert_eq!(RealEnv.read_file(&target).unwrap().unwrap(), "precious");
}

#[test]
fn the_boot_id_is_constant() {
    assert!(RealEnv.boot_id().is_some());
    assert_eq!(RealEnv.boot_id(), MemoryEnv::new().boot_id());
}

#[test]
fn a_removed_lock_file_does_not_release_the_lock() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(".lock");
    let mut holder = start_holder(&path);
    std::fs::remove_file(&path).unwrap();
    assert!(matches!(
        RealEnv.lock(&path),
        Err(LockError::Held { pid: None })
    ));
    holder.kill().unwrap();
    holder.wait().unwrap();
    let held = RealEnv.lock(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    assert!(matches!(RealEnv.lock(&path), Err(LockError::Held { .. })));
    assert!(held.is_in_force());
}

#[test]
fn a_lock_is_void_when_its_directory_was_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let replace: [fn(&Path); 2] = [
        |data| std::fs::remove_dir_all(data).unwrap(),
        |data| std::fs::rename(data, data.with_extension("old")).unwrap(),
    ];
    for replace in replace {
        RealEnv.create_dir_all(&data).unwrap();
        let held = RealEnv.lock(&data.join(".lock")).unwrap();
        assert!(held.is_in_force());
        replace(&data);
        assert!(!held.is_in_force());
        RealEnv.create_dir_all(&data).unwrap();
        assert!(!held.is_in_force());
        drop(RealEnv.lock(&data.join(".lock")).unwrap());
    }
}

#[test]
fn a_removed_file_has_no_name_and_a_renamed_one_has() {
    let dir = tempfile::tempdir().unwrap();
    let (path, other) = (dir.path().join("log"), dir.path().join("other"));
    let file = RealEnv.open_file(&path, OpenMode::Create).unwrap();
    assert!(file.is_linked().unwrap());
    assert!(file.is_at(&path).unwrap());
    RealEnv.rename(&path, &other).unwrap();
    assert!(file.is_linked().unwrap());
    assert!(!file.is_at(&path).unwrap() && file.is_at(&other).unwrap());
    RealEnv.open_file(&path, OpenMode::Create).unwrap();
    assert!(
        !file.is_at(&path).unwrap(),
        "the path leads to another file"
    );
    RealEnv.remove_file(&other).unwrap();
    assert!(!file.is_linked().unwrap());
}
