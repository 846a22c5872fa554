#!/usr/bin/env bash
# Builds librdkafka's performance tool, build/librdkafka/rdkafka_performance, from the source that Cargo.lock pins.
# Optional libraries that the bench does not use are disabled, so that the tool is the same on every system.
set -euo pipefail
cd "$(dirname "$0")/../../../.."
built=$PWD/build/librdkafka
log=$built/build.log
mkdir -p "$built"
cargo vendor --quiet --locked --manifest-path tests/bench/wire/rdkafka_performance/Cargo.toml "$built/source" >/dev/null

build() {
    cd "$built/source/rdkafka-sys/librdkafka" &&
        ./configure --disable-ssl --disable-gssapi --disable-zlib --disable-zstd --disable-lz4-ext --disable-curl &&
        make -C src -j "$(nproc)" librdkafka.a &&
        make -C examples rdkafka_performance &&
        cp examples/rdkafka_performance "$built"
}

if ! (build) >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    echo "librdkafka's performance tool could not be built; $log has all of it." >&2
    exit 1
fi
