#!/bin/sh
# From a fresh Debian machine with a Swift toolchain to the first walk of a packet: installs what is missing,
# builds the release binary, runs the main scenario, and leaves its captures in out/.
set -eu

cd "$(dirname "$0")/.."
command -v swift >/dev/null 2>&1 || {
  echo "quickstart.sh: no swift in PATH; install a Swift 6.2 (or later) toolchain from swift.org first" >&2
  exit 4
}
scripts/install-packages.sh

echo "Building (a few minutes the first time) …"
swift build -c release --static-swift-stdlib --product ciliate

ciliate=$(swift build -c release --static-swift-stdlib --show-bin-path)/ciliate
"$ciliate" run scenarios/getting-started --pcap out "$@"
echo
echo "Captures: out/ — open them in Wireshark (Decode As: UDP 8472 → VXLAN)."
echo "The binary: $ciliate"
