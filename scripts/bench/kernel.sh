#!/bin/sh
# The kernel harness against a bare C loop of the same calls. Needs the permission to use eBPF.
#   kernel.sh [DIR]    DIR: a build of Cilium's objects to measure besides ours; without it, the first folder that
#                      CILIATE_CILIUM_OBJECTS names
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${CC:-cc}" -O2 -Wall -o "$work/peer" "$root/scripts/bench/kernel_peer.c"
cd "$root"
scripts/build-release.sh --product ciliate-bench >&2
bench=$root/.build/release/ciliate-bench
"$bench" kernel --peer "$work/peer"
objects=${CILIATE_CILIUM_OBJECTS:-}
objects=${1:-${objects%%:*}}
if [ -n "$objects" ]; then
  "$bench" kernel --peer "$work/peer" --objects "$objects"
else
  echo "Cilium's objects: not measured: name a folder, or set CILIATE_CILIUM_OBJECTS"
fi
