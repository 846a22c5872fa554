#!/usr/bin/env bash
# Lets a fuzzer that is guided by coverage write the scripts of the strangers in core/server/src/connection/tests/hostile, for so many
# seconds. What it learns stays in build/fuzz/corpus, what it finds in build/fuzz/crashes: each run starts with both.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=$1
test=connection::tests::hostile::hostile_clients_are_answered_or_disconnected_without_harm
build/fuzz/bin/cargo-bolero bolero test "$test" \
	--package headwater-server --sanitizer NONE --target-dir build/fuzz/target \
	--corpus-dir "$PWD/build/fuzz/corpus" --crashes-dir "$PWD/build/fuzz/crashes" \
	-T "${seconds}s" --max-input-length 4096 --timeout 60s \
	--engine-args=-print_final_stats=1 --engine-args=-len_control=0 --engine-args=-rss_limit_mb=2048
