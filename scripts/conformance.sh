#!/bin/sh
# The policy suites against every oracle: cases, probes, mismatches (0), and the time that each took.
#
#   scripts/conformance.sh [FOLDER] [--follow kubernetes] [--kernel off]
#
# FOLDER holds cyclonus.json and cyclonus-cilium.json; without it CILIATE_CONFORMANCE counts, else the folder
# ../shared/conformance. Then come our own suites of scenarios. `--follow kubernetes` asks Intent alone, by the text of
# the NetworkPolicy API in place of what Cilium does. `--maps` reads the kernel's maps back after every hop as well.
set -eu

cd "$(dirname "$0")/.."
folder=${CILIATE_CONFORMANCE:-../shared/conformance}
follow=cilium
kernel=auto
maps=
while [ $# -gt 0 ]; do
  case $1 in
    --follow) follow=$2; shift 2 ;;
    --kernel) kernel=$2; shift 2 ;;
    --maps) maps=--maps; shift ;;
    -*) echo "usage: scripts/conformance.sh [FOLDER] [--follow cilium|kubernetes] [--kernel auto|required|off] [--maps]" >&2
        exit 2 ;;
    *) folder=$1; shift ;;
  esac
done

swift build -c release --product ciliate-conformance >&2
swift build -c release --product ciliate >&2
if [ -f "$folder/cyclonus.json" ]; then
  .build/release/ciliate-conformance "$folder" "--follow=$follow" "--kernel=$kernel" $maps
else
  echo "cyclonus: skipped: $folder/cyclonus.json is not there (name its folder, or set CILIATE_CONFORMANCE)"
fi
if [ "$follow" = cilium ]; then
  for suite in scenarios/policy/*/; do
    [ -d "$suite" ] || continue
    printf '%s: ' "$suite"
    .build/release/ciliate run "$suite" --kernel "$kernel" --walk none | tail -n 1
  done
fi
