// libbpf, the system's: object loading, map and program calls, BTF.
#pragma once
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
