#!/usr/bin/env bash
# Checks the tools that a build of the Node package needs besides Rust and a C compiler, and reports missing ones.
set -euo pipefail

fail() {
    echo "$1" >&2
    exit 1
}

command -v node >/dev/null && command -v npm >/dev/null ||
    fail "Node is missing: install Node 20 or newer, with npm (https://nodejs.org)."
node -e 'process.exit(Number(process.versions.node.split(".")[0]) < 20 ? 1 : 0)' ||
    fail "Node $(node --version) is too old: install Node 20 or newer."
