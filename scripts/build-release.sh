#!/bin/sh
# Builds the release binary that starts fast: the Swift runtime and every library that can be are linked statically, at
# fixed addresses. Loading and relocating shared ones takes as long as reading a small capture. The C library stays
# shared, and libpcap is not linked at all but loaded by the program when it is needed (see PcapLibrary).
#
#   build-release.sh [further arguments of swift build]
set -eu
cd "$(dirname "$0")/.."
archives=$PWD/.build/archives
mkdir -p "$archives"

# use LIBRARY [PACKAGE]: has the archive of a library linked, if there is one; else the shared library does it. Swift
# asks pkg-config where a package's library lies, so that has to answer with the folder of the archives.
use() {
  archive=$(gcc -print-file-name="lib$1.a" 2>/dev/null || true)
  case "$archive" in /*) ln -sf "$archive" "$archives/lib$1.a" ;; *) return 0 ;; esac
  [ -z "${2:-}" ] || printf 'Name: %s\nDescription: %s, static\nVersion: 0\nLibs: -L%s -l%s\n' \
    "$2" "$2" "$archives" "$1" >"$archives/$2.pc"
}
use stdc++
use gcc_eh
use z zlib
use zstd libzstd
use elf libelf
use bpf libbpf

PKG_CONFIG_PATH=$archives exec swift build -c release --static-swift-stdlib --product ciliate \
  -Xswiftc -Xclang-linker -Xswiftc -no-pie -Xswiftc -Xclang-linker -Xswiftc -static-libgcc -Xlinker "-L$archives" "$@"
