#!/usr/bin/env bash
# Make what deploy/compose.yaml needs to be secret, once, in deploy/compose/secrets: who signs, the broker's certificate,
# a password for each user of Kafka that compose.yaml names, ClickHouse's, the key of the personal hashes. What stands
# already is left alone; a file that is removed is made anew: that is how one is changed.
set -euo pipefail
umask 077
cd "$(dirname "$0")"
mkdir -p secrets/users
cd secrets

random() { openssl rand -hex 24; }

if [ ! -e ca.pem ]; then
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj "/CN=lianqin" \
        -addext basicConstraints=critical,CA:TRUE -keyout ca.key -out ca.pem 2>/dev/null
fi
if [ ! -e broker.pem ]; then
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=kafka" -keyout broker.key -out broker.csr 2>/dev/null
    openssl x509 -req -in broker.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 825 -out broker.crt \
        -extfile <(printf 'subjectAltName=DNS:kafka,DNS:localhost,IP:127.0.0.1') 2>/dev/null
    cat broker.key broker.crt ca.pem >broker.pem
    rm broker.csr broker.crt broker.key
fi
sed -n 's|^ *file: compose/secrets/users/||p' ../../compose.yaml | while read -r user; do
    [ -e "users/$user" ] || random >"users/$user"
done
[ -e privacy.key ] || random >privacy.key
[ -e clickhouse.password ] || random >clickhouse.password
# The folder is its owner's alone; what is mounted from it must be readable by the container's own user.
chmod 0444 ca.pem broker.pem privacy.key clickhouse.password users/*
