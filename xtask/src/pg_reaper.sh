# shellcheck shell=sh
# Keeps one private PostgreSQL: creates it, starts it, says `ready`, and removes every trace when stdin ends.
#
# Stdin is a pipe from the task. The kernel closes it however the task ends, also by Ctrl-C or kill -9, so the server
# never outlives the task. $1 is the folder of the binaries, $2 a private folder with `password` and `settings`.
trap '' INT TERM HUP
cd "$2" || exit 1

begin() {
    "$1/initdb" --pgdata="$2/data" --username=postgres --auth=scram-sha-256 --pwfile="$2/password" \
        --encoding=UTF8 --locale=C.UTF-8 --no-sync &&
        cat "$2/settings" >>"$2/data/postgresql.conf" &&
        "$1/pg_ctl" start --pgdata="$2/data" --log="$2/server.log" --wait --timeout=60
}

if begin "$1" "$2" >"$2/log" 2>&1 </dev/null; then
    echo ready
    read -r _
    "$1/pg_ctl" stop --pgdata="$2/data" --mode=immediate --wait >/dev/null 2>&1
else
    cat "$2/log" "$2/server.log" 2>/dev/null
fi
cd / && rm -rf "$2"
