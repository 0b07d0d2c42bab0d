#!/bin/sh
# Benchmarks, each against peers or targets in the same run. Every figure with a target says "met" or "NOT met".
#
#   bench.sh model    the model's hops per second on tables of 100,000 entries, beside the same look-ups in C
#   bench.sh policy   a look-up of policy, Cyclonus' cases through Intent and model, a cluster of 10,000 pods
#   bench.sh kernel   the kernel harness beside a bare C loop of the same calls, and loading beside plain libbpf
#                     [DIR: a build of Cilium's objects; else the first folder of CILIATE_CILIUM_OBJECTS]
#   bench.sh run      a run of scenarios/getting-started, without the kernel and with it
#   bench.sh decode   ciliate decode against plain C, cat, libpcap and tshark, on a million packets
#   bench.sh tests    ciliate test beside plain libbpf, loading one after the other [DIR: Cilium's test objects]
#   bench.sh all      all of them
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
part=${1:-}
[ $# -eq 0 ] || shift

case "$part" in
  model | policy | kernel | run | decode | tests) exec "$root/scripts/bench/$part.sh" "$@" ;;
  all) for part in model policy kernel run decode tests; do echo "== $part"; "$root/scripts/bench/$part.sh"; done ;;
  *)
    sed -n '2,9p' "$0" >&2
    exit 2
    ;;
esac
