#!/bin/sh
# ciliate decode against its peers, on a capture that is made here. Called by scripts/bench.sh.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$root/.build/bench
mkdir -p "$work"
cc=${CC:-cc}

# BENCH_CILIATE: a release binary to be measured instead of a fresh one.
ciliate=${BENCH_CILIATE:-$root/.build/release/ciliate}
if [ -z "${BENCH_CILIATE:-}" ]; then
  "$root/scripts/build-release.sh" >"$work/build.log" 2>&1 || { tail -20 "$work/build.log" >&2; exit 1; }
fi
"$cc" -O2 -o "$work/generate" "$root/scripts/bench/generate.c"
"$cc" -O2 -march=native -o "$work/peer" "$root/scripts/bench/peer.c" -lpcap
"$cc" -O2 -o "$work/measure" "$root/scripts/bench/measure.c"

# A real capture if there is one, else the sample that is like it.
source=$root/pcaps/samples/http.pcap
for place in "$root/../shared" "$root/../../shared"; do
  [ -r "$place/captures/vxlan_traffic.pcap" ] && source=$place/captures/vxlan_traffic.pcap && break
done
small=$source
big=$work/million.pcap
"$work/generate" "$source" "$big" 1000000
bigng=$work/million.pcapng
"$work/generate" "$source" "$bigng" 1000000
"$ciliate" decode --by identity --write "$work/copy.pcapng" "$big" >/dev/null

echo "$(basename "$big"): $(stat -c %s "$big") octets; $("$work/peer" flow "$big" 2>&1 >/dev/null)"

# take NAME…: reads a line per name, CPU seconds, wall seconds and peak KiB, into variables NAME_cpu and so on
take() {
  for name in "$@"; do
    read -r a b c || exit 1
    eval "${name}_cpu=$a ${name}_wall=$b ${name}_kib=$c"
  done
}
ratio() { awk "BEGIN { printf \"%.2f\", $1 / $2 }"; }
row() { printf '%-28s %9.4f s CPU %9.4f s wall %7.1f MiB\n' "$1" "$2" "$3" "$(awk "BEGIN { print $4 / 1024 }")"; }
# claim TEXT RATIO OPERATOR LIMIT
claim() {
  met=$(awk "BEGIN { print ($2 $3 $4) ? \"met\" : \"NOT MET\" }")
  printf '%-56s %8.2f   (target %s %s: %s)\n' "$1" "$2" "$3" "$4" "$met"
}

"$work/measure" 7 cat "$big" -- "$work/peer" identity "$big" -- "$ciliate" decode --by identity "$big" \
  -- "$ciliate" decode --by identity "$bigng" -- "$work/peer" flow "$big" -- "$ciliate" decode "$big" \
  -- "$ciliate" decode "$bigng" -- "$work/peer" libpcap "$big" -- "$ciliate" decode "$small" \
  -- cp --reflink=never "$work/copy.pcapng" "$work/copy" \
  -- "$ciliate" decode --by identity --write "$work/copy.pcapng" "$big" >"$work/medians"
take cat cid id idng cflow flow flowng pcap tiny cp write <"$work/medians"

row cat "$cat_cpu" "$cat_wall" "$cat_kib"
row "C, per identity" "$cid_cpu" "$cid_wall" "$cid_kib"
row "ciliate, per identity" "$id_cpu" "$id_wall" "$id_kib"
row "ciliate, same as pcapng" "$idng_cpu" "$idng_wall" "$idng_kib"
row "C, per flow" "$cflow_cpu" "$cflow_wall" "$cflow_kib"
row "ciliate, per flow" "$flow_cpu" "$flow_wall" "$flow_kib"
row "ciliate, same as pcapng" "$flowng_cpu" "$flowng_wall" "$flowng_kib"
row "C over libpcap, per identity" "$pcap_cpu" "$pcap_wall" "$pcap_kib"
row "ciliate, $(basename "$small")" "$tiny_cpu" "$tiny_wall" "$tiny_kib"
row cp "$cp_cpu" "$cp_wall" "$cp_kib"
row "ciliate, decode and write" "$write_cpu" "$write_wall" "$write_kib"
echo
claim "per identity: CPU, to plain C" "$(ratio "$id_cpu" "$cid_cpu")" '<=' 1.15
claim "per identity: CPU, to cat" "$(ratio "$id_cpu" "$cat_cpu")" '<=' 1.4
claim "per identity: libpcap loop, to ciliate" "$(ratio "$pcap_cpu" "$id_cpu")" '>=' 3
printf '%-56s %8.2f\n' "  (for comparison: libpcap loop, to plain C)" "$(ratio "$pcap_cpu" "$cid_cpu")"
claim "per flow: CPU, to plain C" "$(ratio "$flow_cpu" "$cflow_cpu")" '<=' 1.2
claim "per flow, stretch" "$(ratio "$flow_cpu" "$cflow_cpu")" '<=' 0.7
claim "pcapng to pcap, per identity" "$(ratio "$idng_cpu" "$id_cpu")" '<=' 1.1
claim "pcapng to pcap, per flow" "$(ratio "$flowng_cpu" "$flow_cpu")" '<=' 1.1
claim "peak memory, MiB" "$(awk "BEGIN { print $flow_kib / 1024 }")" '<=' "$(awk 'BEGIN { print 16 + 43000 * 64 / 1048576 }')"
claim "48 packets: milliseconds from exec to exit" "$(awk "BEGIN { print $tiny_wall * 1000 }")" '<=' 6
claim "decode and write a million: wall, to cp" "$(ratio "$write_wall" "$cp_wall")" '<=' 2

if command -v tshark >/dev/null 2>&1; then
  "$work/measure" 7 tshark -r "$small" -q >"$work/medians"
  take sharktiny <"$work/medians"
  claim "48 packets: tshark to ciliate, wall" "$(ratio "$sharktiny_wall" "$tiny_wall")" '>=' 40
  if [ "${BENCH_TSHARK:-1}" = 1 ]; then
    # Once each: together these take a minute. BENCH_TSHARK_PACKETS takes fewer packets, and reckons for a million.
    part=$big
    packets=${BENCH_TSHARK_PACKETS:-1000000}
    if [ "$packets" != 1000000 ]; then
      part=$work/part.pcap
      "$work/generate" "$source" "$part" "$packets"
    fi
    scaled() { awk "BEGIN { print $1 * 1000000 / $packets / $flow_cpu }"; }
    # shellcheck disable=SC2046
    set -- $("$work/measure" 1 tshark -r "$part" -d udp.port==8472,vxlan -q -z conv,tcp)
    row "tshark -q -z conv,tcp" "$1" "$2" "$3"
    claim "per flow: tshark -z conv,tcp to ciliate, CPU" "$(scaled "$1")" '>=' 200
    # shellcheck disable=SC2046
    set -- $("$work/measure" 1 tshark -r "$part" -d udp.port==8472,vxlan -T fields -e frame.time_epoch -e frame.len \
      -e ip.src -e ip.dst -e vxlan.vni -e ip.proto -e tcp.srcport -e tcp.dstport -e udp.srcport -e udp.dstport)
    row "tshark -T fields" "$1" "$2" "$3"
    claim "per flow: tshark -T fields to ciliate, CPU" "$(scaled "$1")" '>=' 900
    rm -f "$work/part.pcap"
  fi
fi
rm -f "$work/copy" "$work/copy.pcapng"
