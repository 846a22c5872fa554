//! Crash tests of the log.

mod compaction;
mod damage;
mod failed_sync;
mod failing_removals;
mod full_disk;
mod gap;
mod held_reads;
mod power_cut;
mod removed_files;
mod torn_tail;
