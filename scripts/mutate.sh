#!/bin/sh
# Puts faults into the eBPF programs, one at a time, and says what finds each: the scenarios, and the fuzzer.
#
#   mutate.sh [NAME…]      the faults of scripts/mutations.tsv, or those named
#
# Needs the release binary and a kernel that runs the programs. Prints a Markdown table; exits with 1 when the scenarios
# miss a fault, or the fuzzer more than one in twenty.
set -eu

cd "$(dirname "$0")/.."
swift build -c release --static-swift-stdlib --product ciliate >/dev/null
ciliate=$(swift build -c release --static-swift-stdlib --show-bin-path)/ciliate
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
limit=60
count=0 missed=0 late=0

echo "| fault | found by the scenarios | by the fuzzer after |"
echo "|---|---|---|"
tab=$(printf '\t')
while IFS=$tab read -r name file expression; do
  case "$name" in '' | '#'*) continue ;; esac
  if [ $# -gt 0 ]; then
    case " $* " in *" $name "*) ;; *) continue ;; esac
  fi
  rm -rf "$work/bpf" "$work/objects" "$work/found"
  cp -r bpf "$work/bpf"
  sed -E -i "$expression" "$work/bpf/$file"
  if cmp -s "bpf/$file" "$work/bpf/$file"; then
    echo "mutate.sh: $name: the expression changes nothing in $file" >&2
    exit 2
  fi
  scripts/compile-bpf.sh --folder "$work/objects" "$work/bpf"
  count=$((count + 1))

  code=0
  "$ciliate" run scenarios --kernel required --datapath "$work/objects" --walk none -o json >"$work/run.json" 2>"$work/run.err" ||
    code=$?
  if [ "$code" = 3 ] || [ "$code" = 4 ]; then
    by=$(tr ',' '\n' <"$work/run.json" | sed -n 's/.*"hook":"\([a-z_0-9]*\)".*/\1/p' | sort | uniq -c | sort -rn | sed -n '1s/^ *[0-9]* //p')
    by="yes${by:+ (}${by}${by:+)}"
  else
    by="**no**"
    missed=$((missed + 1))
  fi

  code=0
  begin=$(date +%s%N)
  "$ciliate" fuzz --frames 300 --seeds 1..100000 --time "${limit}s" --first --kernel required \
    --datapath "$work/objects" --to "$work/found" >/dev/null 2>&1 || code=$?
  took=$((($(date +%s%N) - begin) / 100000000))
  if [ "$code" = 3 ]; then
    when="$((took / 10)).$((took % 10)) s"
  else
    when="**not in $limit s**"
    late=$((late + 1))
  fi
  echo "| $name | $by | $when |"
done <scripts/mutations.tsv
echo
echo "$count faults: the scenarios found $((count - missed)), the fuzzer $((count - late))"
[ "$missed" = 0 ] && [ $((late * 20)) -le "$count" ]
