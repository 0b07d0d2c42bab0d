#!/bin/sh
# What policy costs: a look-up, Cyclonus' cases (where shared/conformance lies beside the repository), and a cluster of
# 10,000 pods, in a process of its own for its memory. Called by scripts/bench.sh.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
"$root/scripts/build-release.sh" --product ciliate-bench >&2
bench="$root/.build/release/ciliate-bench"
"$bench" policy lookup
folder=$root
while [ "$folder" != / ] && [ ! -e "$folder/shared/conformance/cyclonus.json" ]; do folder=$(dirname "$folder"); done
"$bench" policy cyclonus "$folder/shared/conformance"
"$bench" policy scale
