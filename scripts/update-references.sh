#!/bin/sh
# Writes Tests/References/*.ref and pcaps/golden anew from what the scenarios now do. Read the diff before committing it: the
# references are the tests' expectation.
set -eu

cd "$(dirname "$0")/.."
swift build --build-tests
CILIATE_UPDATE_REFERENCES=1 swift test --skip-build --filter RunnerTests.ScenarioFileTests >/dev/null
git --no-pager diff --stat -- Tests/References pcaps/golden
git ls-files --others --exclude-standard Tests/References pcaps/golden
