#!/bin/sh
# The kernel harness against a bare C loop of the same calls. Needs the permission to use eBPF.
#   kernel.sh [DIR]    DIR: a build of Cilium's objects to measure besides ours
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${CC:-cc}" -O2 -Wall -o "$work/peer" "$root/scripts/bench/kernel_peer.c"
cd "$root"
scripts/build-release.sh --product ciliate-bench >&2
bench=$root/.build/release/ciliate-bench
"$bench" kernel --peer "$work/peer"
if [ $# -gt 0 ]; then "$bench" kernel --peer "$work/peer" --objects "$1"; fi
