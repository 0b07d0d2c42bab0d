#!/bin/sh
# What a change must pass before it lands, besides the tests: format, licences, no stray paths.
set -eu

cd "$(dirname "$0")/.."
swift format lint --strict --recursive Sources Tests Plugins bpf Package.swift
missing=$(grep -L 'SPDX-License-Identifier' $(git ls-files 'bpf/*.c' 'bpf/*.h') || true)
[ -z "$missing" ] || { echo "no licence in: $missing" >&2; exit 1; }
echo "checks passed"
