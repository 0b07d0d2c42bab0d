#!/bin/sh
# Unit tests of programs: `ciliate test`, which loads and runs them, beside plain libbpf, which only loads them, one
# object after the other at full size. Called by scripts/bench.sh.
#   tests.sh [DIR [STEP]]    DIR: test objects, by default ours; STEP: every how manieth of them, by default all
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$root/.build/bench
mkdir -p "$work"
"$root/scripts/build-release.sh" >"$work/build.log" 2>&1 || { tail -20 "$work/build.log" >&2; exit 1; }
ciliate=$root/.build/release/ciliate
"${CC:-cc}" -O2 -Wall -o "$work/tests_peer" "$root/scripts/bench/tests_peer.c" -lbpf

if [ $# -gt 0 ]; then
  objects=$1
else
  objects=$work/tests
  "$root/scripts/compile-bpf.sh" --tests "$objects"
fi
# shellcheck disable=SC2046
set -- $(find "$objects" -maxdepth 1 -name '*.o' | sort | awk -v step="${2:-1}" 'NR % step == 0')
[ $# -gt 0 ] || { echo "$objects: no objects" >&2; exit 2; }

seconds() { awk '{ print $1 }' /proc/uptime; }

echo "load: $(cut -d' ' -f1-3 /proc/loadavg), $(nproc) processors"
start=$(seconds)
"$ciliate" test "$@" >"$work/tests.out" || true
end=$(seconds)
tail -1 "$work/tests.out"
"$work/tests_peer" "$@" >"$work/tests.peer"
awk -v ours="$(awk -v a="$start" -v b="$end" 'BEGIN { print b - a }')" '{
  printf "ciliate test: %.1f s to load and run %d objects\n", ours, $1
  printf "plain libbpf: %.1f s to load them, %d refused\n", $3, $2
  printf "ratio %.1f   (target >= 2: %s)\n", $3 / ours, $3 / ours >= 2 ? "met" : "NOT met"
}' "$work/tests.peer"
