#!/usr/bin/env bash
# Installs what the foreign judges run on, where it is missing: Java and Maven, from Debian's packages.
set -euo pipefail
if command -v java >/dev/null && command -v mvn >/dev/null; then
    exit 0
fi
as_root=""
[ "$(id -u)" = 0 ] || as_root=sudo
if ! command -v apt-get >/dev/null; then
    echo "The tests judge our files with Apache Kafka's tools: install Java 17 or newer and Maven." >&2
    exit 1
fi
$as_root apt-get update -qq
$as_root apt-get install -y -qq --no-install-recommends default-jre-headless maven
