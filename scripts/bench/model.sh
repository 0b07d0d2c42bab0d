#!/bin/sh
# The model's speed on large tables. Called by scripts/bench.sh.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
"$root/scripts/build-release.sh" --product ciliate-bench >&2
exec "$root/.build/release/ciliate-bench" model
