#!/bin/sh
# Writes the measured half of docs/FIDELITY.md anew: every scenario on our own programs, and on builds of Cilium's
# objects. The objects are not in the repository: CILIATE_CILIUM_OBJECTS names their folders, separated by colons.
# Needs root, jq, and a built ciliate (CILIATE=path, else .build/debug/ciliate).
set -eu

cd "$(dirname "$0")/.."
ciliate=${CILIATE:-.build/debug/ciliate}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM

# Builds of one version make one folder of folders, so that each scenario gets the one that fits.
IFS=:
for folder in ${CILIATE_CILIUM_OBJECTS:-}; do
  version=$("$ciliate" inspect "$folder/bpf_lxc.o" -o json | jq -r '.objects[0].profile')
  mkdir -p "$work/$version"
  ln -s "$(cd "$folder" && pwd)" "$work/$version/$(basename "$folder")"
done
unset IFS

versions=$(cd "$work" && ls | sort -r)
for version in builtin $versions; do
  [ "$version" = builtin ] && datapath=builtin || datapath=$work/$version
  # Differences, and builds that lack something, are what is to be written down; anything else is a failure.
  code=0
  "$ciliate" run scenarios --kernel required --datapath "$datapath" --walk none -o json \
    >"$work/$version.json" 2>"$work/$version.err" || code=$?
  case $code in 0 | 1 | 3 | 4) ;; *) cat "$work/$version.err" >&2; exit 2 ;; esac
done

files=$(for version in builtin $versions; do echo "$work/$version.json"; done)
{
  sed '/^<!-- measured -->$/q' docs/FIDELITY.md
  echo
  # shellcheck disable=SC2086
  jq -rs "$(cat scripts/fidelity/tables.jq)" $files --args builtin $versions
  echo
  echo '## What differs between versions'
  echo
  "$ciliate" doctor --profiles
  echo
  sed -n '/^<!-- end of measured -->$/,$p' docs/FIDELITY.md
} >"$work/FIDELITY.md"
cat "$work/FIDELITY.md" >docs/FIDELITY.md
