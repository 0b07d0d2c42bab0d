#!/bin/sh
# Fuzzes the parsers with libFuzzer and the address sanitizer, and the hooks against the kernel.
#
#   fuzz.sh hooks [COUNT] [SEED]                           model against kernel, COUNT frames for each hook
#                                                          (default 100000); needs root
#   fuzz.sh decode [SECONDS] [further libFuzzer options]   captures, packet headers, names files
#                                                          (default 60 s); the last line tells executions
#
# The corpus grows in .build/fuzz/decode/corpus; an input that fails is left in .build/fuzz/decode.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)

fuzz_decode() {
  seconds=${1:-60}
  [ $# -gt 0 ] && shift
  work=$root/.build/fuzz/decode
  mkdir -p "$work/corpus"
  cd "$work"
  flags="-O -g -swift-version 6 -enable-upcoming-feature ExistentialAny -enable-upcoming-feature MemberImportVisibility \
    -parse-as-library -sanitize=fuzzer,address"
  maps=$(for module in CLibpcap CLinuxFiles CZlib CZstd; do printf -- '-Xcc -fmodule-map-file=%s ' "$root/Sources/$module/module.modulemap"; done)
  includes=$(pkg-config --cflags-only-I libpcap 2>/dev/null | sed 's/-I/-Xcc -I/g' || true)
  # shellcheck disable=SC2086
  {
    swiftc $flags -enable-experimental-feature Lifetimes -wmo -emit-module -emit-object -module-name Wire -o Wire.o "$root"/Sources/Wire/*.swift
    swiftc $flags $maps $includes -enable-testing -wmo -emit-module -emit-object -module-name Capture -I . -o Capture.o \
      "$root"/Sources/Capture/*.swift
    swiftc $flags $maps $includes -I . -o decode-fuzz "$root"/scripts/fuzz/DecodeFuzz.swift Wire.o Capture.o -lpcap -lz -lzstd
  }
  # Seeds: every sample as a capture (kind 0), and its first packet as one (kinds 1 and 3).
  for sample in "$root"/pcaps/samples/*; do
    name=$(basename "$sample")
    { printf '\000'; head -c 4000 "$sample"; } >"corpus/capture-$name"
    { printf '\001'; tail -c +117 "$sample" | head -c 200; } >"corpus/packet-$name"
    { printf '\003'; tail -c +41 "$sample" | head -c 150; } >"corpus/ethernet-$name"
  done
  { printf '\002'; printf 'ID LABELS\n62651 k8s:app=curl\n      k8s:x=y\n'; } >corpus/names-table
  { printf '\002'; printf '{"items":[{"metadata":{"name":"7"},"security-labels":{"a":"b"}}]}'; } >corpus/names-json
  ./decode-fuzz corpus -max_total_time="$seconds" -max_len=4096 -timeout=10 -rss_limit_mb=512 -print_final_stats=1 "$@"
}

fuzz_hooks() {
  cd "$root"
  swift build -c release --product ciliate-bench
  "$(swift build -c release --show-bin-path)/ciliate-bench" fuzz "$@"
}

case "${1:-}" in
  hooks)
    shift
    fuzz_hooks "$@"
    ;;
  decode)
    shift
    fuzz_decode "$@"
    ;;
  *)
    sed -n '2,9p' "$0" >&2
    exit 2
    ;;
esac
