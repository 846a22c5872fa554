#!/usr/bin/env bash
# Checks the tools that a build of the package needs, and reports missing ones.
# Usage: check-tools.sh PYTHON
set -euo pipefail
cd "$(dirname "$0")"
python=$1
rust=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' ../Cargo.toml)

fail() {
    echo "$1" >&2
    exit 1
}

command -v "$python" >/dev/null ||
    fail "Python is missing: install Python 3.10 or newer with venv and pip, or name it: make PYTHON=/path/to/python3 ..."
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' ||
    fail "$("$python" --version) is too old: install Python 3.10 or newer, or name one: make PYTHON=/path/to/python3 ..."
"$python" -c 'import ensurepip, venv' 2>/dev/null ||
    fail "$("$python" --version) has no venv: install it (Debian and Ubuntu: apt-get install python3-venv)."
command -v cargo >/dev/null ||
    fail "Rust is missing: install Rust $rust or newer with rustup (https://rustup.rs)."
command -v cc >/dev/null ||
    fail "A C compiler is missing: install one (Debian and Ubuntu: apt-get install build-essential)."
have=$(cargo --version | cut -d' ' -f2)
[ "$(printf '%s\n' "$rust" "${have%%-*}" | sort -V | head -n 1)" = "$rust" ] ||
    fail "Rust $have is too old: run 'rustup update stable' for Rust $rust or newer."
