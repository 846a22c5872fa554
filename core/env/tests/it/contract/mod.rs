//! The contract of environments, tested on all three.

mod files;
mod names;

use std::path::{Path, PathBuf};

use headwater_env::{Env, File, MemoryEnv, OpenMode, RealEnv, SimEnv};

/// An environment and an empty directory in it.
struct World<E> {
    env: E,
    root: PathBuf,
    _on_disk: Option<tempfile::TempDir>,
}

impl<E: Env> World<E> {
    fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    fn file(&self, name: &str, bytes: &[u8]) -> E::File {
        let file = self
            .env
            .open_file(&self.path(name), OpenMode::CreateNew)
            .unwrap();
        file.write_all_at(bytes, 0).unwrap();
        file
    }

    fn names(&self, dir: &Path) -> Vec<String> {
        self.env
            .read_dir(dir)
            .unwrap()
            .into_iter()
            .map(|entry| entry.name)
            .collect()
    }

    fn contents(&self, name: &str) -> Option<Vec<u8>> {
        self.env
            .read_file(&self.path(name))
            .unwrap()
            .map(|bytes| bytes.to_vec())
    }
}

fn real() -> World<RealEnv> {
    let dir = tempfile::tempdir().unwrap();
    World {
        env: RealEnv,
        root: dir.path().to_owned(),
        _on_disk: Some(dir),
    }
}

fn in_memory<E: Env>(env: E) -> World<E> {
    let root = PathBuf::from("/data");
    env.create_dir_all(&root).unwrap();
    World {
        env,
        root,
        _on_disk: None,
    }
}

fn simulated() -> World<SimEnv> {
    let env = SimEnv::new(7);
    env.set_short_reads(true);
    in_memory(env)
}

/// Each claim is a function over any environment; this macro makes it three tests.
macro_rules! claims {
    ($($module:ident: $($claim:ident)*;)*) => {
        mod real { $($(#[test] fn $claim() { crate::contract::$module::$claim(&crate::contract::real()); })*)* }
        mod memory {
            $($(#[test] fn $claim() { crate::contract::$module::$claim(&crate::contract::in_memory(crate::contract::MemoryEnv::new())); })*)*
        }
        mod sim { $($(#[test] fn $claim() { crate::contract::$module::$claim(&crate::contract::simulated()); })*)* }
    };
}

claims! {
    files:
    bytes_are_read_where_they_were_written
    a_gap_and_an_extension_read_as_zeros
    truncated_bytes_do_not_come_back
    reads_end_at_the_end_of_the_file
    a_vectored_write_is_the_concatenation_of_its_parts
    a_file_opened_for_reading_cannot_be_changed
    a_map_contains_the_first_bytes
    readers_see_every_write_that_returned
    any_sequence_of_calls_agrees_with_a_vector;

    names:
    the_open_mode_decides_about_missing_and_existing_files
    a_name_in_a_missing_directory_is_not_found
    directories_are_created_with_their_parents_and_listed_in_order
    a_directory_is_created_durably_whether_or_not_it_exists
    a_renamed_file_keeps_its_bytes_and_replaces_its_target
    a_renamed_directory_keeps_its_files
    a_directory_is_not_renamed_into_itself_or_over_a_full_one
    a_removed_file_is_gone_but_readable_by_its_holder
    a_directory_is_removed_with_its_contents
    files_and_directories_are_not_confused
    a_name_has_at_most_255_bytes
    metadata_has_length_kind_and_absence
    a_replaced_file_has_the_new_bytes_only
    a_missing_small_file_reads_as_none
    a_lock_is_taken_once_and_again_after_it_was_dropped
    clocks_and_randomness_work;
}
