#!/usr/bin/env bash
# Installs the missing programs for tests with foreign clients from Debian's packages: Java, Maven, kcat and openssl.
# Node 20 or newer must be installed already.
set -euo pipefail
if ! command -v npm >/dev/null || [ "$(node -p 'process.versions.node.split(".")[0]')" -lt 20 ]; then
    echo "The tests need clients for Node: install Node 20 or newer, with npm." >&2
    exit 1
fi
if command -v java >/dev/null && command -v mvn >/dev/null && command -v kcat >/dev/null && command -v openssl >/dev/null; then
    exit 0
fi
as_root=""
[ "$(id -u)" = 0 ] || as_root=sudo
if ! command -v apt-get >/dev/null; then
    echo "These tests need Apache Kafka's tools, kcat and openssl: install Java 17 or newer, Maven, kcat and openssl." >&2
    exit 1
fi
$as_root apt-get update -qq
$as_root apt-get install -y -qq --no-install-recommends default-jre-headless maven kcat openssl
