#!/bin/sh
# A whole run of a scenario, from exec to exit: medians of eleven. Called by scripts/bench.sh.
#   run.sh [SCENARIO]
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
scenario=${1:-$root/scenarios/getting-started}
work=$root/.build/bench
mkdir -p "$work"
"$root/scripts/build-release.sh" >"$work/build.log" 2>&1 || { tail -20 "$work/build.log" >&2; exit 1; }
ciliate=$root/.build/release/ciliate
"${CC:-cc}" -O2 -o "$work/measure" "$root/scripts/bench/measure.c"

# measured MILLISECONDS OPTIONS...: the median wall and CPU time, and whether the wall time meets the target (0: none)
measured() {
  target=$1
  shift
  if ! "$ciliate" run "$scenario" "$@" --walk none >"$work/out" 2>&1; then
    echo "ciliate run $*: not measured:"
    tail -3 "$work/out"
    return 1
  fi
  "$work/measure" 11 "$ciliate" run "$scenario" "$@" --walk none |
    awk -v options="$*" -v target="$target" '{
      printf "ciliate run %-38s %6.1f ms wall, %6.1f ms CPU, %.1f MiB", options, $2 * 1000, $1 * 1000, $3 / 1024
      if (target) printf "   (target <= %d ms wall: %s)", target, $2 * 1000 <= target ? "met" : "NOT met"
      print ""
    }'
}

echo "load: $(cut -d' ' -f1-3 /proc/loadavg), $(nproc) processors"
measured 60 --kernel off
measured 250 --kernel required || exit 0
# Maps are compared once for each conversation; what it costs to compare them after every hop:
measured 0 --kernel required --check-maps hop

# Where the time goes: system calls by their time, which tracing itself makes longer.
if command -v strace >/dev/null 2>&1; then
  echo "of which, traced (calls, milliseconds summed over threads):"
  strace -f -T -e trace=bpf,unshare,setns,sendto,close -o "$work/trace" \
    "$ciliate" run "$scenario" --kernel required --walk none >/dev/null
  awk '{
    call = $2
    sub(/\(.*/, "", call)
    if (match($0, /BPF_[A-Z_]+/)) call = substr($0, RSTART, RLENGTH)
    if ($0 ~ /<unfinished ...>$/) begun[$1] = call
    if ($2 == "<...") call = begun[$1]
    if (!match($0, /<[0-9.]+>$/)) next
    time = substr($0, RSTART + 1, RLENGTH - 2)
    count[call]++
    sum[call] += time
  } END { for (call in sum) printf "  %-26s %6d %9.1f\n", call, count[call], sum[call] * 1000 }' "$work/trace" |
    sort -k3 -rn | head -6
fi
