#!/usr/bin/env bash
# Breaks the log, the client and the checker of the fault scenarios on purpose, one fault at a time, and passes if a test
# fails each time. The crash tests must detect the faults of the log, the client's own tests and the fault scenarios those
# of the client, and the checker's own tests those of the checker. A test that cannot fail proves nothing. The fault
# scenarios need kcat.
# Usage: mutants.sh [CARGO_PROFILE]
set -euo pipefail
cd "$(dirname "$0")/../.."
profile=${1:-quick}

# The whole workspace, so that third-party crates keep the features of the other tests and are not compiled again.
crash_tests() {
    ${limit:-} cargo test --profile "$profile" --quiet --workspace --features headwater-crash-tests/mutants --test crash "$@"
}

client_tests() {
    ${limit:-} cargo test --profile "$profile" --quiet --package headwater-client --package headwater-test-features \
        --features headwater-client/mutants --lib --test it "$@"
}

faults_tests() {
    ${limit:-} cargo test --profile "$profile" --quiet --package headwater-fault-tests --package headwater-test-features \
        --features headwater-fault-tests/mutants --test faults "$@"
}

checker_tests() {
    ${limit:-} cargo test --profile "$profile" --quiet --package headwater-fault-tests --package headwater-test-features \
        --features headwater-fault-tests/mutants --lib "$@"
}

run() { # tests, mutant, test
    HEADWATER_MUTANT=$2 "${1}_tests" -- --include-ignored "$3"
}

# A failed build is not a failed test.
echo "Building the tests with their mutants: about 5 minutes on two cores the first time"
for tests in crash client faults checker; do
    "${tests}_tests" --no-run
    echo "built: the $tests tests"
done
run crash none ""
run client none ""
for scenario in served_connections served_partitions; do
    run faults none $scenario
done
# The mutants, each with the test that must fail.
survived=0
while read -r tests mutant test; do
    # A test that hangs because of the mutant has detected it, too.
    if limit="timeout $([ "$tests" = faults ] && echo 300 || echo 60)" run "$tests" "$mutant" "$test" >/dev/null 2>&1; then
        echo "mutant $mutant: NOT NOTICED by $test" >&2
        survived=1
    else
        echo "mutant $mutant: noticed by $test"
    fi
done <<'MUTANTS'
crash skip-recovery-crc torn_tail
crash skip-fsync power_cut
crash skip-directory-sync power_cut
crash ignore-poison failed_sync
crash skip-sequence-check power_cut
crash trust-indexes power_cut
crash cut-under-map held_reads
crash swap-unsynced compaction
crash swap-in-any-order compaction
crash drop-in-any-order compaction
crash clean-unflushed compaction
crash keep-padding power_cut
crash cut-unsynced power_cut
crash forget-removals failing_removals
crash forget-truncation failing_removals
crash remove-behind-gap gap
crash append-unlinked removed_files
client drop-leader-epochs routing
client drop-leader-epochs a_leader_of_an_earlier_epoch_is_not_followed
client ignore-named-leaders named_leaders
client forget-aborted transactions
client take-stale-answers leaders
client drop-fetches leaders
client ignore-throttle throttling
client shorten-throttle the_next_request_waits_for_the_longest_throttle
client ignore-topic-ids recreated_topics
client keep-old-positions recreated_topics
client believe-lagging-brokers lagging_brokers
client forget-created-topics lagging_brokers
client forget-created-topics a_topic_just_created_on_a_single_broker_accepts_records
client take-first-assignment new_members
client leave-without-limit leaving
client send-newest-version releases
client keep-newest-shape releases
client keep-forgotten a_partition_that_is_no_longer_fetched_is_removed_from_the_session
client keep-lost-session a_session_with_a_lost_fetch
client skip-validation the_error_without_reset_has_the_offset_of_the_divergence
client ignore-divergence the_error_without_reset_has_the_offset_of_the_divergence
client keep-failed-replica preferred_replicas
client keep-expired-replica preferred_replicas
client resend-out-of-order retries
client pipeline-first-batch the_second_batch_of_an_epoch_is_sent_when_the_first_is_acknowledged
client send-to-two-leaders a_partition_whose_leader_moves_waits_for_its_batches_in_flight
client skip-epoch-bump a_record_after_an_expired_one_that_was_written_is_written_too
client release-early a_partition_has_one_reader
client ignore-fencing a_partition_has_one_reader
client repeat-records a_poll_after_messages_continues_after_the_last_of_them
client take-back-twice cancelled_calls_deliver_each_record_once
client finish-old-topic finished_late
client forget-lookups short_polls
client forget-coordinator a_coordinator_that_metadata_lacks
client commit-in-hand in_progress_is_not_committed
client keep-decoded-ahead read_ahead
faults acknowledge-lost served_connections
faults restart-sequences served_connections
faults ignore-committed served_partitions
checker forgive-lost checker::tests
checker forgive-misplaced checker::tests
checker forgive-doubled checker::tests
checker forgive-out-of-order checker::tests
checker forgive-never-sent checker::tests
checker forgive-readers-differ checker::tests
checker forgive-not-owned checker::tests
checker forgive-other-record checker::tests
checker forgive-went-back checker::tests
checker forgive-skipped checker::tests
checker forgive-wrong-start checker::tests
checker forgive-not-delivered checker::tests
checker forgive-two-owners checker::tests
checker forgive-commit-went-back checker::tests
checker forgive-never-committed checker::tests
MUTANTS
exit $survived
