#!/usr/bin/env bash
# Runs a fuzzer, guided by coverage, that writes the scripts of hostile clients in
# core/server/src/connection/tests/hostile, for a number of seconds. Each run starts with the earlier inputs in
# build/fuzz/corpus and the findings in build/fuzz/crashes.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=$1
test=connection::tests::hostile::hostile_clients_are_answered_or_disconnected_without_harm
build/fuzz/bin/cargo-bolero bolero test "$test" \
	--package headwater-server --sanitizer NONE --target-dir build/fuzz/target \
	--corpus-dir "$PWD/build/fuzz/corpus" --crashes-dir "$PWD/build/fuzz/crashes" \
	-T "${seconds}s" --max-input-length 4096 --timeout 60s \
	--engine-args=-print_final_stats=1 --engine-args=-len_control=0 --engine-args=-rss_limit_mb=2048
