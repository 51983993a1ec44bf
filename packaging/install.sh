#!/bin/sh
# Installs covidctl for the current user, without root: the program, shell completions and manual pages, below ~/.local.
#
#   curl -fsSL https://github.com/OWNER/NAME/releases/latest/download/install.sh | sh
#   curl -fsSL … | sh -s -- --version v0.2.0 --prefix /usr/local
#
# Downloads are compared with SHA256SUMS of the release. Nothing outside the prefix is changed.
set -eu

# The release workflow fills it in.
REPOSITORY='@REPOSITORY@'

usage() {
    cat <<'END'
Usage: install.sh [--version TAG] [--prefix DIR] [--from URL]

  --version TAG   Release to install, such as v0.2.0 [default: the latest]
  --prefix DIR    Where to install [default: ~/.local]
  --from URL      Directory with the files of a release, such as file:///srv/covidctl [default: the release on GitHub]
END
}

fail() {
    echo "error: $1" >&2
    if [ $# -gt 1 ]; then printf '\nhint: %s\n' "$2" >&2; fi
    exit 1
}

download() {
    # URL, file. Redirects of GitHub lead to HTTPS only.
    if command -v curl > /dev/null; then
        curl --fail --silent --show-error --location --proto-redir =https --retry 3 --output "$2" "$1"
    elif command -v wget > /dev/null; then
        wget --quiet --output-document "$2" "$1"
    else
        fail "neither curl nor wget is installed"
    fi || fail "cannot download $1" "check the network, and that the release exists"
}

platform() {
    case "$(uname -m)" in
        x86_64 | amd64) processor=x86_64 ;;
        aarch64 | arm64) processor=aarch64 ;;
        *) fail "there is no build for the processor $(uname -m)" "build it from source: cargo install --path ." ;;
    esac
    case "$(uname -s)" in
        Linux)
            if [ -e "/lib/ld-musl-$processor.so.1" ] && ! ldd --version 2> /dev/null | grep -qi glibc; then
                fail "there is no build for musl" "build it from source: cargo install --path ."
            fi
            echo "$processor-unknown-linux-gnu"
            ;;
        Darwin) echo "$processor-apple-darwin" ;;
        *) fail "there is no build for $(uname -s)" "build it from source: cargo install --path ." ;;
    esac
}

verify() {
    # Line of SHA256SUMS; in the folder with the file.
    if command -v sha256sum > /dev/null; then
        echo "$1" | sha256sum -c > /dev/null 2>&1
    else
        echo "$1" | shasum -a 256 -c > /dev/null 2>&1
    fi || fail "the checksum of the download is wrong: ${1##* }" "try again; if it stays wrong, report it"
}

main() {
    version=latest prefix=${HOME:-}/.local from=''
    while [ $# -gt 0 ]; do
        case "$1" in
            --version | --prefix | --from)
                [ $# -gt 1 ] || { usage >&2; exit 2; }
                case "$1" in
                    --version) version=$2 ;;
                    --prefix) prefix=$2 ;;
                    --from) from=$2 ;;
                esac
                shift 2
                ;;
            --help) usage; exit ;;
            *) usage >&2; exit 2 ;;
        esac
    done
    triple=$(platform)
    if [ -z "$from" ]; then
        case "$REPOSITORY" in
            @*) fail "this copy of the script does not know its repository" "install.sh --from URL" ;;
        esac
        case "$version" in
            latest) from=https://github.com/$REPOSITORY/releases/latest/download ;;
            *) from=https://github.com/$REPOSITORY/releases/download/$version ;;
        esac
    fi

    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    cd "$folder"
    download "$from/SHA256SUMS" SHA256SUMS
    line=$(grep -E "  covidctl-v[^ /]*-$triple\.tar\.gz\$" SHA256SUMS) || fail "the release has no build for $triple"
    archive=${line##* }
    download "$from/$archive" "$archive"
    verify "$line"
    tar -xzf "$archive"
    cd "${archive%.tar.gz}"
    ./covidctl --version > /dev/null || fail "the program does not run on this system" "build it from source: cargo install --path ."

    share=$prefix/share
    mkdir -p "$prefix/bin" "$share/man/man1" "$share/bash-completion/completions" "$share/zsh/site-functions" \
        "$share/fish/vendor_completions.d" "$share/doc/covidctl"
    cp man/man1/*.gz "$share/man/man1"
    cp completions/covidctl.bash "$share/bash-completion/completions/covidctl"
    cp completions/_covidctl "$share/zsh/site-functions"
    cp completions/covidctl.fish "$share/fish/vendor_completions.d"
    cp LICENSE THIRD-PARTY-LICENSES.txt "$share/doc/covidctl"
    # A program that runs is replaced, not overwritten.
    cp covidctl "$prefix/bin/.covidctl.new"
    mv -f "$prefix/bin/.covidctl.new" "$prefix/bin/covidctl"

    echo "$("$prefix/bin/covidctl" --version) is installed in $prefix/bin"
    case ":$PATH:" in
        *":$prefix/bin:"*) echo "next: covidctl demo" ;;
        *) echo "next: export PATH=\"$prefix/bin:\$PATH\" && covidctl demo" ;;
    esac
}

main "$@"
