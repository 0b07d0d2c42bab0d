#!/bin/sh
# Installs the Debian packages of scripts/packages.txt that are missing: `install-packages.sh [test]`.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
wanted=${1:-build}
missing=
while read -r package purpose; do
  case "$package" in '' | '#'*) continue ;; esac
  [ "${purpose:-build}" = build ] || [ "$wanted" = test ] || continue
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done <"$here/packages.txt"

[ -n "$missing" ] || exit 0
if [ "$(id -u)" = 0 ]; then run=; else run=sudo; fi
echo "Installing:$missing"
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086 # package names are words
$run apt-get update -qq && $run env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $missing >/dev/null
