#!/bin/sh
# Benchmarks, each against peers measured in the same run; medians of seven.
#
#   bench.sh decode   ciliate decode against plain C, cat, libpcap and tshark, on a million packets
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)

case "${1:-}" in
  decode) exec "$root/scripts/bench/decode.sh" ;;
  *)
    sed -n '2,4p' "$0" >&2
    exit 2
    ;;
esac
