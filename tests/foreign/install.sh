#!/usr/bin/env bash
# Installs what the foreign judges run on, where it is missing: Java, Maven, kcat and openssl, from Debian's packages. Node is the caller's: 20 or newer.
set -euo pipefail
if ! command -v npm >/dev/null || [ "$(node -p 'process.versions.node.split(".")[0]')" -lt 20 ]; then
    echo "The tests judge our broker with clients for Node: install Node 20 or newer, with npm." >&2
    exit 1
fi
if command -v java >/dev/null && command -v mvn >/dev/null && command -v kcat >/dev/null && command -v openssl >/dev/null; then
    exit 0
fi
as_root=""
[ "$(id -u)" = 0 ] || as_root=sudo
if ! command -v apt-get >/dev/null; then
    echo "The tests judge our files with Apache Kafka's tools and our broker with kcat: install Java 17 or newer, Maven, kcat and openssl." >&2
    exit 1
fi
$as_root apt-get update -qq
$as_root apt-get install -y -qq --no-install-recommends default-jre-headless maven kcat openssl
