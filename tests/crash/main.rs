//! What must never happen to a log, tried.

mod compaction;
mod damage;
mod failed_sync;
mod full_disk;
mod held_reads;
mod power_cut;
mod torn_tail;
