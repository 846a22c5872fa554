#!/usr/bin/env bash
# Installs the missing programs for tests with foreign clients from Debian's packages: Java, Maven, kcat, openssl, and
# zsh and fish for the completions of the command line.
# Node 20 or newer must be installed already.
set -euo pipefail
if ! command -v npm >/dev/null || [ "$(node -p 'process.versions.node.split(".")[0]')" -lt 20 ]; then
    echo "The tests need clients for Node: install Node 20 or newer, with npm." >&2
    exit 1
fi
missing=""
for program in java mvn kcat openssl zsh fish; do
    command -v "$program" >/dev/null || missing="$missing $program"
done
if [ -z "$missing" ]; then
    exit 0
fi
as_root=""
[ "$(id -u)" = 0 ] || as_root=sudo
if ! command -v apt-get >/dev/null; then
    echo "These tests need Apache Kafka's tools, kcat, openssl and shells: install Java 17 or newer, Maven, kcat, openssl, zsh and fish." >&2
    exit 1
fi
$as_root apt-get update -qq
$as_root apt-get install -y -qq --no-install-recommends default-jre-headless maven kcat openssl zsh fish
