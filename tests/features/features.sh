#!/usr/bin/env bash
# Fails if cargo would compile a third-party crate twice, for a package and for the tests, because its features differ.
set -euo pipefail
cd "$(dirname "$0")/../.."

# Crates with their features, one per line.
crates() {
    cargo tree --locked --prefix none --format '{p} [{f}]' "$@" | sed -E 's/ \(\*\)$//' | grep -v '(/' | sort -u
}

for package in headwater-python headwater-node; do
    only_in_package=$(comm -13 <(crates --workspace) <(crates --package $package --features tests --edges normal,build))
    if [ -n "$only_in_package" ]; then
        printf 'These crates have other features in the tests. Add what is missing to tests/features/Cargo.toml:\n%s\n' "$only_in_package" >&2
        exit 1
    fi
done
