#!/usr/bin/env bash
# Make everything the other targets need: Java, Maven, .venv, the jars of a local Kafka.
# Does nothing, in a moment, where all is there already.
set -euo pipefail
cd "$(dirname "$0")/.."

VENV=.venv
LIBS=build/kafka/libs
ARCHIVE=build/kafka/kafka.jsa

say() { printf 'setup: %s\n' "$*"; }

fail() {
    printf 'setup: %s\n' "$*" >&2
    exit 1
}

has_java() {
    # Its first line: openjdk version "17.0.15" 2025-04-15
    local major
    major=$(java -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p' | head -n 1) || return 1
    [ "${major:-0}" -ge 17 ]
}

# A Python that can make a venv: Debian's own cannot without python3-venv, pyenv's and others can.
find_python() {
    local python
    for python in /usr/bin/python3 python3.11 python3.12 python3.13 python3; do
        if "$python" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$python"
            return
        fi
    done
    return 1
}

is_debian_root() { [ "$(id -u)" = 0 ] && [ -e /etc/debian_version ] && command -v apt-get >/dev/null; }

java_package() {
    # Debian 13 has no 17 any more; its default is newer, which serves as well.
    if apt-cache show openjdk-17-jre-headless >/dev/null 2>&1; then
        echo openjdk-17-jre-headless
    else
        echo default-jre-headless
    fi
}

install_missing() {
    local missing=()
    find_python >/dev/null || missing+=("python3-venv (Python >= 3.11)")
    has_java || missing+=("openjdk-17-jre-headless (Java >= 17)")
    command -v mvn >/dev/null || missing+=("maven")
    [ ${#missing[@]} = 0 ] && return

    local list
    list=$(printf ', %s' "${missing[@]}")
    list=${list:2}
    is_debian_root || fail "please install: $list; then run this again"

    say "installing $list"
    export DEBIAN_FRONTEND=noninteractive
    local log=build/setup-apt.log packages=()
    mkdir -p build
    apt-get update -q >"$log" 2>&1 || fail "apt-get update failed: $(tail -n 1 "$log") (see $log)"
    find_python >/dev/null || packages+=(python3-venv)
    has_java || packages+=("$(java_package)")
    command -v mvn >/dev/null || packages+=(maven)
    apt-get install -y -q --no-install-recommends "${packages[@]}" >>"$log" 2>&1 ||
        fail "apt-get could not install ${packages[*]}: $(tail -n 1 "$log") (see $log)"

    find_python >/dev/null || fail "there is no Python >= 3.11 here: install one that has venv, then run this again"
    has_java || fail "the java on the PATH is older than 17: put Java 17 first on the PATH, then run this again"
}

make_venv() {
    local stamp=$VENV/.installed
    if [ "$stamp" -nt pyproject.toml ] && [ "$stamp" -nt constraints.txt ] && [ -x "$VENV/bin/lianqin" ]; then
        return
    fi
    if ! "$VENV/bin/python" -m pip --version >/dev/null 2>&1; then
        say "making $VENV"
        "$(find_python)" -m venv --clear "$VENV"
    fi
    say "installing the Python packages into $VENV"
    local log=build/setup-pip.log
    mkdir -p build
    "$VENV/bin/python" -m pip install --disable-pip-version-check -c constraints.txt -e '.[dev]' >"$log" 2>&1 ||
        fail "pip could not install the packages: $(grep -m 1 '^ERROR' "$log" || tail -n 1 "$log") (see $log)"
    touch "$stamp"
}

fetch_kafka() {
    [ "$LIBS/.installed" -nt deploy/kafka/pom.xml ] && return
    say "fetching the jars of Apache Kafka"
    # Under another name until they are all there; an old version's jars must not stay beside them.
    rm -rf "$LIBS.new"
    mkdir -p "$LIBS.new"
    local log=build/kafka/maven.log
    mvn --batch-mode --no-transfer-progress -Dstyle.color=never -f deploy/kafka/pom.xml \
        dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$PWD/$LIBS.new" >"$log" 2>&1 ||
        fail "Maven could not fetch Kafka: $(grep -m 1 '^\[ERROR\]' "$log" || tail -n 1 "$log") (see $log)"
    compgen -G "$LIBS.new/kafka_*.jar" >/dev/null || fail "Maven fetched no Kafka: see $log"
    touch "$LIBS.new/.installed"
    rm -rf "$LIBS" "$ARCHIVE"
    mv "$LIBS.new" "$LIBS"
}

# The broker's classes as the JVM keeps them in memory: halves each start. It is only a convenience.
archive_classes() {
    [ "$ARCHIVE" -nt "$LIBS/.installed" ] && return
    say "preparing the broker's quick start"
    "$VENV/bin/python" -m agents.local.archive "$ARCHIVE" || say "without it the broker starts a little slower"
}

install_missing
make_venv
fetch_kafka
archive_classes
