#!/bin/sh
# A shift in tmux: a load fails at night, and the operator finds, explains, compares, fixes and is notified, without leaving the terminal.
# Runs on a demo of its own in a temporary folder, prints each screen as text, and removes everything.
#
#   sh docs/guides/night-shift.sh [COVIDCTL]
#
# Needs tmux. Each step waits for a text on the screen, at most a minute.
set -eu

covidctl=${1:-covidctl}
data=$(mktemp -d)
chmod 755 "$data"
session=covidctl-shift-$$
config=$data/config.toml
notice=$data/notice

printf '[notify]\nbell = false\ncommand = ["sh", "-c", "echo \\"$1\\" >> %s", "sh"]\n' "$notice" > "$config"

run() { "$covidctl" --data-dir "$data/target" --config "$config" "$@"; }
finish() {
    tmux kill-session -t "$session" 2> /dev/null || true
    run down --delete-data --yes --quiet || true
    rm -rf "$data"
}
trap finish EXIT INT TERM

screen() { tmux capture-pane -p -t "$session"; }
press() { tmux send-keys -t "$session" "$@"; }
expect() {
    tries=0
    until screen | grep -qF -- "$1"; do
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

# A good load, then a broken archive arrives.
run demo --headless --rows 3000 > /dev/null
run up --quiet
store=$data/target/store
cp "$store/Covid19Casos.zip" "$data/good.zip"
head -c 20000 "$data/good.zip" > "$store/Covid19Casos.zip"

tmux new-session -d -s "$session" -x 80 -y 24 \
    "$covidctl --data-dir '$data/target' --config '$config'"
expect "Overview"

# The load of three in the morning.
press 2
expect "90 days"
press e
expect "Load the datasets?"
press y
expect "failed"
show "Found: the load has failed"
expect "failed"

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
cp "$data/good.zip" "$store/Covid19Casos.zip"
press e
expect "Load the datasets?"
press y
expect "succeeded"
show "Fixed"
tries=0
until grep -q "run etl" "$notice" 2> /dev/null; do
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
expect "HEALTH"
expect "load"
show "8 Health"
press q
