#!/usr/bin/env bash
# A shift in tmux: a load fails at night, and the operator finds, explains, compares, fixes and is notified, without leaving the terminal.
# Prints each screen as text. On a demo of its own in a temporary folder, which it removes:
#
#   bash docs/guides/night-shift.sh [COVIDCTL]
#
# On an emulator of AWS with a good load, where DATASETS_URL is the bucket of the datasets; emulators accept any key:
#
#   DATASETS_URL=http://127.0.0.1:5000/BUCKET bash docs/guides/night-shift.sh COVIDCTL --target aws --endpoint-url http://127.0.0.1:5000
#
# Needs tmux, and curl for the emulator. Each step waits for a pattern on the screen, at most a minute.
set -euo pipefail

data=$(mktemp -d -t covidctl-XXXX)
chmod 755 "$data"
config=$data/config.toml
notice=$data/notice
bucket=${DATASETS_URL:-}
archive=Covid19Casos.zip

printf '[notify]\nbell = false\ncommand = ["sh", "-c", "echo \\"$1\\" >> %s", "sh"]\n' "$notice" > "$config"
[ $# -gt 0 ] || set -- covidctl
covidctl=("$@" --config "$config")
[ -n "$bucket" ] || covidctl+=(--data-dir "$data/target")

terminal() { tmux -S "$data/socket" -f /dev/null "$@"; }
finish() {
    terminal kill-server 2> /dev/null || true
    [ -n "$bucket" ] || "${covidctl[@]}" down --delete-data --yes --quiet || true
    rm -rf "$data"
}
trap finish EXIT

# Replaces the archive of cases.
put() {
    if [ -n "$bucket" ]; then
        curl -fsS --aws-sigv4 aws:amz:us-east-1:s3 --user test:test -T "$1" "$bucket/$archive"
    else
        cp "$1" "$data/target/store/$archive"
    fi
}

screen() { terminal capture-pane -p; }
press() { terminal send-keys "$@"; }
expect() {
    tries=0
    until screen | grep -qE -- "$1"; do
        tries=$((tries + 1))
        if [ "$tries" -gt 300 ]; then
            screen
            echo "not on the screen: $1" >&2
            exit 1
        fi
        sleep 0.2
    done
}
show() {
    printf '\n== %s\n\n' "$1"
    screen
}

# A good load, then half of a new archive arrives.
if [ -z "$bucket" ]; then
    "${covidctl[@]}" demo --headless --rows 3000 > /dev/null
    "${covidctl[@]}" up --quiet
fi
"${covidctl[0]}" etl sample --rows 4000 --seed 2 --out "$data/new" > /dev/null
head -c 20000 "$data/new/$archive" > "$data/half.zip"
put "$data/half.zip"

terminal new-session -d -x 80 -y 24 "${covidctl[@]}"
expect "Overview"

# The load of three in the morning.
press 2
expect "90 days"
press e
expect "Load the datasets"
press y
expect "etl [0-9a-f]{8} failed"
expect "✗ +[0-9a-f]{8} +etl +failed"
show "Found: the load has failed"

press l
expect "LOGS"
expect "ERROR"
press E
show "Explained: the error in its log"
press f
expect "where:"
press -l 'level >= warn'
press Enter
expect "where level >= warn"
show "Only warnings and errors"

press 2
expect "90 days"
press d
expect "the last good run"
show "Compared: what the failed run said that the good one did not"
press Escape

# The fix, and the notice.
put "$data/new/$archive"
press e
expect "Load the datasets"
press y
expect "etl [0-9a-f]{8} succeeded"
run=$(screen | sed -n 's/.*etl \([0-9a-f]*\) succeeded.*/\1/p')
expect "✓ +$run +etl +succeeded"
show "Fixed"
tries=0
until grep -q "succeeded" "$notice"; do
    tries=$((tries + 1))
    [ "$tries" -le 300 ] || { echo "no notice" >&2; exit 1; }
    sleep 0.2
done
printf '\n== Notified\n\n'
cat "$notice"

press 7
expect "connections"
show "7 Database"
press 8
expect "DETAIL"
show "8 Health"
press q
