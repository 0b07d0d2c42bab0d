/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What the kernel offers to a program: contexts, helper functions and constants, as far as we use them. Numbers and
 * layouts are the kernel's (include/uapi/linux/bpf.h), so no system header is needed and objects are the same
 * everywhere.
 */
#pragma once

#include "abi/basics.h"

#define SEC(name) __attribute__((section(name), used))
#define INLINE static inline __attribute__((always_inline))
/* A function of its own: its stack is given back when it returns. */
#define STAGE static __attribute__((noinline, unused))
/* The same, and the verifier checks it once, by itself, instead of along every path that leads to it. It may return
 * numbers only, and must ask whether its pointers are null.
 */
#define SUBPROGRAM __attribute__((noinline))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define HTONS(x) ((be16)__builtin_bswap16((uint16_t)(x)))
#define NTOHS(x) ((uint16_t)__builtin_bswap16((be16)(x)))
#define HTONL(x) ((be32)__builtin_bswap32((uint32_t)(x)))
#define NTOHL(x) ((uint32_t)__builtin_bswap32((be32)(x)))

/* A value that the compiler knows nothing about: keeps the checks that the verifier needs to see. */
INLINE uint32_t opaque(uint32_t value)
{
	asm volatile("" : "+r"(value));
	return value;
}

struct __sk_buff {
	uint32_t len;
	uint32_t pkt_type;
	uint32_t mark;
	uint32_t queue_mapping;
	uint32_t protocol;
	uint32_t vlan_present;
	uint32_t vlan_tci;
	uint32_t vlan_proto;
	uint32_t priority;
	uint32_t ingress_ifindex;
	uint32_t ifindex;
	uint32_t tc_index;
	uint32_t cb[5];
	uint32_t hash;
	uint32_t tc_classid;
	uint32_t data;
	uint32_t data_end;
};

struct xdp_md {
	uint32_t data;
	uint32_t data_end;
	uint32_t data_meta;
	uint32_t ingress_ifindex;
	uint32_t rx_queue_index;
	uint32_t egress_ifindex;
};

struct bpf_sock_addr {
	uint32_t user_family;
	be32 user_ip4;
	be32 user_ip6[4];
	be32 user_port;
	uint32_t family;
	uint32_t type;
	uint32_t protocol;
};

struct bpf_tunnel_key {
	uint32_t tunnel_id;
	union {
		uint32_t remote_ipv4; /* host order */
		be32 remote_ipv6[4];
	};
	uint8_t tunnel_tos;
	uint8_t tunnel_ttl;
	uint16_t tunnel_flags;
	uint32_t tunnel_label;
	union {
		uint32_t local_ipv4;
		be32 local_ipv6[4];
	};
};
#define TUNNEL_KEY_SIZE 28 /* without the local address: the kernel chooses it */

struct bpf_fib_lookup {
	uint8_t family;
	uint8_t l4_protocol;
	be16 sport;
	be16 dport;
	uint16_t tot_len;
	uint32_t ifindex;
	be32 flowinfo;
	be32 src[4];
	be32 dst[4]; /* after the look-up: the next hop */
	uint16_t vlan_proto;
	uint16_t vlan_tci;
	uint8_t smac[6];
	uint8_t dmac[6];
};

struct bpf_redir_neigh {
	uint32_t nh_family;
	be32 nh[4];
};

enum { TC_ACT_OK = 0, TC_ACT_SHOT = 2, TC_ACT_REDIRECT = 7 };
enum { XDP_DROP = 1, XDP_PASS = 2 };
enum { AF_INET = 2, AF_INET6 = 10 };
enum { PACKET_HOST = 0 };
enum { BPF_ANY = 0, BPF_NOEXIST = 1 };
enum { BPF_F_INGRESS = 1 };
enum { BPF_F_RECOMPUTE_CSUM = 1, BPF_F_PSEUDO_HDR = 1 << 4, BPF_F_MARK_MANGLED_0 = 1 << 5, BPF_F_IPV6 = 1 << 7 };
enum { BPF_F_TUNINFO_IPV6 = 1, BPF_F_ZERO_CSUM_TX = 2 };
enum { BPF_ADJ_ROOM_MAC = 1 };
enum { BPF_FIB_LOOKUP_SKIP_NEIGH = 4 };
enum { BPF_FIB_LKUP_RET_SUCCESS = 0, BPF_FIB_LKUP_RET_NO_NEIGH = 7 };
#define BPF_F_CURRENT_CPU 0xffffffffULL
#define EINVAL 22
#define ENOMEM 12
#define EHOSTUNREACH 113

enum map_type {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_PROG_ARRAY = 3,
	BPF_MAP_TYPE_PERF_EVENT_ARRAY = 4,
	BPF_MAP_TYPE_PERCPU_HASH = 5,
	BPF_MAP_TYPE_PERCPU_ARRAY = 6,
	BPF_MAP_TYPE_LRU_HASH = 9,
	BPF_MAP_TYPE_LRU_PERCPU_HASH = 10,
	BPF_MAP_TYPE_LPM_TRIE = 11,
	BPF_MAP_TYPE_HASH_OF_MAPS = 13,
};
enum { BPF_F_NO_PREALLOC = 1, BPF_F_NO_COMMON_LRU = 2, BPF_F_RDONLY_PROG = 0x80, BPF_F_MMAPABLE = 0x400 };

static void *(*const bpf_map_lookup_elem)(void *map, const void *key) = (void *)1;
static long (*const bpf_map_update_elem)(void *map, const void *key, const void *value, uint64_t flags) = (void *)2;
static long (*const bpf_map_delete_elem)(void *map, const void *key) = (void *)3;
static uint64_t (*const bpf_ktime_get_ns)(void) = (void *)5;
static uint32_t (*const bpf_get_prandom_u32)(void) = (void *)7;
static long (*const bpf_skb_store_bytes)(struct __sk_buff *ctx, uint32_t offset, const void *from, uint32_t len,
	uint64_t flags) = (void *)9;
static long (*const bpf_l3_csum_replace)(struct __sk_buff *ctx, uint32_t offset, uint64_t from, uint64_t to,
	uint64_t size) = (void *)10;
static long (*const bpf_l4_csum_replace)(struct __sk_buff *ctx, uint32_t offset, uint64_t from, uint64_t to,
	uint64_t flags) = (void *)11;
static long (*const bpf_tail_call)(void *ctx, void *prog_array, uint32_t index) = (void *)12;
static long (*const bpf_skb_get_tunnel_key)(struct __sk_buff *ctx, struct bpf_tunnel_key *key, uint32_t size,
	uint64_t flags) = (void *)20;
static long (*const bpf_skb_set_tunnel_key)(struct __sk_buff *ctx, struct bpf_tunnel_key *key, uint32_t size,
	uint64_t flags) = (void *)21;
static long (*const bpf_redirect)(uint32_t ifindex, uint64_t flags) = (void *)23;
static long (*const bpf_perf_event_output)(void *ctx, void *map, uint64_t flags, const void *data,
	uint64_t size) = (void *)25;
static long (*const bpf_skb_load_bytes)(const struct __sk_buff *ctx, uint32_t offset, void *to,
	uint32_t len) = (void *)26;
static int64_t (*const bpf_csum_diff)(const void *from, uint32_t from_size, const void *to, uint32_t to_size,
	uint32_t seed) = (void *)28;
static long (*const bpf_skb_change_type)(struct __sk_buff *ctx, uint32_t type) = (void *)32;
static long (*const bpf_skb_change_tail)(struct __sk_buff *ctx, uint32_t len, uint64_t flags) = (void *)38;
static long (*const bpf_skb_pull_data)(struct __sk_buff *ctx, uint32_t len) = (void *)39;
static uint64_t (*const bpf_get_socket_cookie)(void *ctx) = (void *)46;
static long (*const bpf_skb_adjust_room)(struct __sk_buff *ctx, int32_t difference, uint32_t mode,
	uint64_t flags) = (void *)50;
static long (*const bpf_fib_lookup)(void *ctx, struct bpf_fib_lookup *params, int size, uint32_t flags) = (void *)69;
static uint64_t (*const bpf_get_current_cgroup_id)(void) = (void *)80;
static uint64_t (*const bpf_jiffies64)(void) = (void *)118;
static uint64_t (*const bpf_get_netns_cookie)(void *ctx) = (void *)122;
static long (*const bpf_redirect_neigh)(uint32_t ifindex, struct bpf_redir_neigh *params, int size,
	uint64_t flags) = (void *)152;
static long (*const bpf_redirect_peer)(uint32_t ifindex, uint64_t flags) = (void *)155;
static int (*const bpf_set_retval)(int retval) = (void *)187;
