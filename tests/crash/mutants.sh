#!/usr/bin/env bash
# Breaks the log on purpose, one way at a time, and passes when the crash tests notice each time. A test that cannot fail proves nothing.
# Usage: mutants.sh [CARGO_PROFILE]
set -euo pipefail
cd "$(dirname "$0")/../.."
profile=${1:-quick}

# The whole workspace, so that third-party crates have the features that they were compiled with for the other tests.
crash_tests() {
    cargo test --profile "$profile" --quiet --workspace --features headwater-crash-tests/mutants --test crash "$@"
}

run() { # mutant, test
    HEADWATER_MUTANT=$1 crash_tests -- "$2"
}

# A build that fails is no test that fails.
crash_tests --no-run
run none ""

# What is broken, and the test that must see it.
survived=0
while read -r mutant test; do
    if run "$mutant" "$test" >/dev/null 2>&1; then
        echo "mutant $mutant: NOT NOTICED by $test" >&2
        survived=1
    else
        echo "mutant $mutant: noticed by $test"
    fi
done <<'MUTANTS'
skip-recovery-crc torn_tail
skip-fsync power_cut
skip-directory-sync power_cut
ignore-poison failed_sync
skip-sequence-check power_cut
trust-indexes power_cut
cut-under-map held_reads
swap-unsynced compaction
swap-in-any-order compaction
drop-in-any-order compaction
clean-unflushed compaction
keep-room power_cut
cut-unsynced power_cut
forget-removals failing_removals
forget-truncation failing_removals
remove-behind-gap gap
append-unlinked removed_files
MUTANTS
exit $survived
