#!/usr/bin/env bash
# Starts a small Citus cluster on 127.0.0.1 from installed binaries, for trials and tests: a coordinator and its worker nodes.
#
#   packaging/citus.sh start FOLDER    create the cluster in a new folder, or start the one in it, and print its CITUS_URL
#   packaging/citus.sh stop FOLDER     stop the cluster; the folder stays
#
# Needs PostgreSQL with the extension `citus`. PG_BIN is the folder of PostgreSQL's programs, WORKERS the number of worker nodes (2), PORT
# the port of the coordinator (55811); the nodes take the ports after it. As root, the servers run as the user `postgres`.
# They trust every login from this machine, and a crash of the machine loses their data.
set -euo pipefail

usage() {
    sed -n '2,/^set/p' "$0" | grep '^#' >&2
    exit 2
}

[[ $# == 2 && ($1 == start || $1 == stop) ]] || usage
command=$1
folder=$(realpath -m "$2")
bin=${PG_BIN:-$(pg_config --bindir)}
port=${PORT:-55811}
workers=${WORKERS:-2}
cd /

# Runs a program of PostgreSQL, which refuses to run as root.
server() {
    if [[ $EUID == 0 ]]; then runuser -u postgres -- "$bin/$1" "${@:2}"; else "$bin/$1" "${@:2}"; fi
}

sql() {
    PGOPTIONS='-c client_min_messages=warning' "$bin/psql" --no-psqlrc --quiet --tuples-only --no-align --set ON_ERROR_STOP=1 \
        "postgres://postgres@127.0.0.1:$1/postgres?sslmode=disable" --command "$2" > /dev/null
}

create() {
    server initdb --pgdata "$1" --username postgres --auth trust --encoding UTF8 --no-locale > /dev/null
    # Logical decoding lets shards move without blocking writes. Without `sslmode=require`, Citus generates no certificate.
    cat >> "$1/postgresql.conf" << END
port = $2
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
shared_preload_libraries = 'citus'
citus.node_conninfo = 'sslmode=prefer'
wal_level = logical
max_connections = 200
max_worker_processes = 64
fsync = off
full_page_writes = off
END
}

if [[ $command == stop ]]; then
    for data in "$folder"/node*/; do
        server pg_ctl --pgdata "${data%/}" --mode fast stop > /dev/null
    done
    exit 0
fi

mkdir -p "$folder"
[[ $EUID != 0 ]] || chown postgres "$folder"
for ((node = 0; node <= workers; node++)); do
    data=$folder/node$node
    [[ -e $data/PG_VERSION ]] || create "$data" $((port + node))
    server pg_ctl --pgdata "$data" status > /dev/null 2>&1 ||
        server pg_ctl --pgdata "$data" --log "$folder/node$node.log" --wait start > /dev/null ||
        { tail -n 5 "$folder/node$node.log" >&2; exit 1; }
    sql $((port + node)) 'CREATE EXTENSION IF NOT EXISTS citus'
done
sql "$port" "SELECT citus_set_coordinator_host('127.0.0.1', $port)"
for ((node = 1; node <= workers; node++)); do
    sql "$port" "SELECT citus_add_node('127.0.0.1', $((port + node)))"
done
echo "CITUS_URL='postgres://postgres@127.0.0.1:$port/postgres?sslmode=disable'"
