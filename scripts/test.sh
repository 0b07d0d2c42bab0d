#!/bin/sh
# Installs what is missing, builds, and runs every test. Arguments go to `swift test` (`--filter KernelTests`).
# With CILIATE_REQUIRE_KERNEL=1 tests that need the kernel fail where they cannot run, instead of being skipped.
set -eu

cd "$(dirname "$0")/.."
scripts/install-packages.sh test
swift build --build-tests
swift test --skip-build "$@"
