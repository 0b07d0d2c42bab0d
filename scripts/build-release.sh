#!/bin/sh
# Builds the release binary that starts fast: the Swift runtime and libstdc++ are linked statically, at fixed addresses
# (no relocations at start, which take half of a short run's time otherwise). libpcap is not linked at all, but loaded
# by the program when it is needed (see PcapLibrary).
#
#   build-release.sh [further arguments of swift build]
set -eu
cd "$(dirname "$0")/.."
archives=.build/archives
mkdir -p "$archives"
for library in stdc++; do
  archive=$(gcc -print-file-name="lib$library.a" 2>/dev/null || true)
  # The name alone means that there is none: the shared library does it then.
  case "$archive" in /*) ln -sf "$archive" "$archives/lib$library.a" ;; esac
done
exec swift build -c release --static-swift-stdlib --product ciliate \
  -Xswiftc -Xclang-linker -Xswiftc -no-pie -Xlinker "-L$PWD/$archives" "$@"
