// libpcap, the system's: filter expressions and live interfaces.
// <pcap/bpf.h> and <linux/bpf.h> both define `struct bpf_insn`; rename this one, so that both modules can meet.
#pragma once
#define bpf_insn pcap_bpf_insn
#include <pcap/pcap.h>
#undef bpf_insn
