#!/bin/sh
# Run beside the broker, in its network: give each user its password, and each role its rights.
set -eu
BOOTSTRAP=127.0.0.1:9092
ADMIN=/dev/null
export BOOTSTRAP ADMIN
PATH=/opt/kafka/bin:$PATH
until kafka-topics.sh --bootstrap-server "$BOOTSTRAP" --list >/dev/null 2>&1; do sleep 2; done
for file in /run/users/*; do
    user=$(basename "$file")
    # In a file: on the command line others on this machine would see it.
    printf 'SCRAM-SHA-512=password=%s\n' "$(cat "$file")" >/tmp/password
    kafka-configs.sh --bootstrap-server "$BOOTSTRAP" --alter --entity-type users --entity-name "$user" --add-config-file /tmp/password
    rm /tmp/password
done
sh /run/rights/acls.sh
