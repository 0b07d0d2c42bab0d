#!/bin/sh
# Compiles the eBPF programs. The one place where clang's flags stand.
#
#   compile-bpf.sh --swift OUT.swift BPF_DIR   every program, as one Swift file of base64 literals
#   compile-bpf.sh --object SRC.c OUT.o        one program
#   compile-bpf.sh --folder OUT_DIR BPF_DIR    every program as a file, for `ciliate run --datapath OUT_DIR`
#   compile-bpf.sh --tests DIR                 the unit tests of bpf/tests, for `ciliate test DIR`
#
# Objects are byte-identical from any folder: no absolute path goes into them.
set -eu

find_clang() {
  if [ -n "${CLANG:-}" ]; then echo "$CLANG"; return; fi
  for candidate in clang "$(dirname "$(command -v swift || echo /none/swift)")/clang" clang-19 clang-17 clang-14; do
    if command -v "$candidate" >/dev/null 2>&1; then command -v "$candidate"; return; fi
  done
  echo "compile-bpf.sh: no clang found; the Swift toolchain carries one, or set CLANG" >&2
  exit 1
}

clang=$(find_clang)
# Debug information is needed for BTF only, which is kept; objects shrink to a fifth.
objcopy=$(command -v "$(dirname "$clang")/llvm-objcopy" || command -v llvm-objcopy || true)

# -fno-split-cold-code: the toolchain's clang splits cold code by default, and the kernel refuses the BTF of it.
compile() { # SRC OUT BPF_DIR
  (cd "$3" && "$clang" -target bpf -mcpu=v3 -O2 -g -std=gnu11 \
    -Wall -Wextra -Werror -Wno-unused-parameter -Wno-address-of-packed-member \
    -Xclang -fno-split-cold-code \
    -ffile-prefix-map="$3"=bpf -fdebug-compilation-dir=. \
    -ffreestanding -nostdlibinc -I. \
    -c "$1" -o "$2")
  if [ -n "$objcopy" ]; then "$objcopy" --strip-debug "$2"; fi
}

case "${1:-}" in
  --object)
    dir=$(cd "$(dirname "$0")/../bpf" && pwd)
    src=$(cd "$(dirname "$2")" && pwd)/$(basename "$2")
    case "$3" in /*) out=$3 ;; *) out=$PWD/$3 ;; esac
    compile "$src" "$out" "$dir"
    ;;
  --folder)
    mkdir -p "$2"
    out=$(cd "$2" && pwd)
    dir=$(cd "$3" && pwd)
    for src in "$dir"/*.bpf.c; do
      compile "${src#"$dir"/}" "$out/$(basename "$src" .bpf.c).o" "$dir"
    done
    ;;
  --tests)
    dir=$(cd "$(dirname "$0")/../bpf" && pwd)
    mkdir -p "$2"
    out=$(cd "$2" && pwd)
    for src in "$dir"/tests/*.bpf.c; do
      compile "${src#"$dir"/}" "$out/$(basename "$src" .bpf.c).o" "$dir"
    done
    ;;
  --swift)
    out=$2
    dir=$(cd "$3" && pwd)
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    {
      echo "// Made by scripts/compile-bpf.sh; not kept in git."
      echo "extension BPFObject {"
      echo "  public static let embedded: [BPFObject] = ["
      for src in "$dir"/*.bpf.c "$dir"/test/*.bpf.c; do
        [ -f "$src" ] || continue
        name=$(basename "$src" .bpf.c)
        compile "${src#"$dir"/}" "$work/$name.o" "$dir"
        printf '    BPFObject(name: "%s", base64: "' "$name"
        base64 -w0 "$work/$name.o"
        echo '"),'
      done
      echo "  ]"
      echo "}"
    } >"$work/out.swift"
    mv "$work/out.swift" "$out"
    ;;
  *)
    sed -n '2,8p' "$0" >&2
    exit 2
    ;;
esac
