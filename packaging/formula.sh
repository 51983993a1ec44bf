#!/bin/sh
# Prints the Homebrew formula of a release.
#
#   packaging/formula.sh OWNER/NAME v0.2.0 SHA256SUMS > covidctl.rb
set -eu

if [ $# -ne 3 ]; then
    echo "usage: formula.sh OWNER/NAME TAG SHA256SUMS" >&2
    exit 2
fi
repository=$1 tag=$2 sums=$3

checksum() {
    awk -v file="covidctl-$tag-$1.tar.gz" '$2 == file { print $1; found = 1 } END { exit !found }' "$sums" || {
        echo "error: $sums has no covidctl-$tag-$1.tar.gz" >&2
        exit 1
    }
}

archive() {
    sum=$(checksum "$1")
    cat <<END
      url "https://github.com/$repository/releases/download/$tag/covidctl-$tag-$1.tar.gz"
      sha256 "$sum"
END
}

mac_arm=$(archive aarch64-apple-darwin)
mac_intel=$(archive x86_64-apple-darwin)
linux_arm=$(archive aarch64-unknown-linux-gnu)
linux_intel=$(archive x86_64-unknown-linux-gnu)

cat <<END
class Covidctl < Formula
  desc "Operator's terminal of the Argentine Covid-19 data pipeline"
  homepage "https://github.com/$repository"
  version "${tag#v}"
  license "MIT"

  on_macos do
    on_arm do
$mac_arm
    end
    on_intel do
$mac_intel
    end
  end

  on_linux do
    on_arm do
$linux_arm
    end
    on_intel do
$linux_intel
    end
  end

  # For the target on this machine; covidctl finds Homebrew's servers.
  depends_on "postgresql@17" => :recommended

  def install
    bin.install "covidctl"
    bash_completion.install "completions/covidctl.bash" => "covidctl"
    zsh_completion.install "completions/_covidctl"
    fish_completion.install "completions/covidctl.fish"
    man1.install Dir["man/man1/*.gz"]
    doc.install "THIRD-PARTY-LICENSES.txt"
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/covidctl --version")
  end
end
END
