/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Every map, once, under Cilium's name with Cilium's type, layout and flags. The defaults of max_entries are small:
 * whoever loads the objects sets the sizes and shares the maps between them by name.
 */
#pragma once

#include "abi/config.h"
#include "abi/maps.h"
#include "lib/kernel.h"

#define MAP(name, map_type, key_type, value_type, entries, map_flags_) \
	struct { \
		int (*type)[map_type]; \
		key_type *key; \
		value_type *value; \
		int (*max_entries)[entries]; \
		int (*map_flags)[map_flags_]; \
	} name SEC(".maps")

#define MAP_OF_PROGRAMS(name, entries) \
	struct { \
		int (*type)[BPF_MAP_TYPE_PROG_ARRAY]; \
		int (*key_size)[4]; \
		int (*value_size)[4]; \
		int (*max_entries)[entries]; \
	} name SEC(".maps")

#define MAP_OF_EVENTS(name) \
	struct { \
		int (*type)[BPF_MAP_TYPE_PERF_EVENT_ARRAY]; \
		int (*key_size)[4]; \
		int (*value_size)[4]; \
	} name SEC(".maps")

/* Cilium's flags for maps that only the agent writes; a test is its own agent (tests/unittest.h). */
#ifndef READ_ONLY
#define READ_ONLY (BPF_F_NO_PREALLOC | BPF_F_RDONLY_PROG)
#endif

/* What is where: endpoints of this node, identities of every address, policy of one endpoint. */
MAP(cilium_lxc, BPF_MAP_TYPE_HASH, struct endpoint_key, struct endpoint_info, 1024, READ_ONLY);
MAP(cilium_ipcache_v2, BPF_MAP_TYPE_LPM_TRIE, struct ipcache_key, struct remote_endpoint_info, 1024, READ_ONLY);
MAP(cilium_policy_v2, BPF_MAP_TYPE_LPM_TRIE, struct policy_key, struct policy_entry, 1024, READ_ONLY);
MAP(cilium_devices, BPF_MAP_TYPE_HASH, uint32_t, struct device_state, 512, BPF_F_NO_PREALLOC);
MAP_OF_PROGRAMS(cilium_call_policy, 65536);

/* Connections. */
MAP(cilium_ct4_global, BPF_MAP_TYPE_LRU_HASH, struct ipv4_ct_tuple, struct ct_entry, 1024, 0);
MAP(cilium_ct_any4_global, BPF_MAP_TYPE_LRU_HASH, struct ipv4_ct_tuple, struct ct_entry, 1024, 0);
MAP(cilium_ct6_global, BPF_MAP_TYPE_LRU_HASH, struct ipv6_ct_tuple, struct ct_entry, 1024, 0);
MAP(cilium_ct_any6_global, BPF_MAP_TYPE_LRU_HASH, struct ipv6_ct_tuple, struct ct_entry, 1024, 0);
MAP(cilium_ipv4_frag_datagrams, BPF_MAP_TYPE_LRU_HASH, struct ipv4_frag_id, struct frag_l4ports, 1024, 0);
MAP(cilium_ipv6_frag_datagrams, BPF_MAP_TYPE_LRU_HASH, struct ipv6_frag_id, struct frag_l4ports, 1024, 0);

/* Services. */
MAP(cilium_lb4_services_v2, BPF_MAP_TYPE_HASH, struct lb4_key, struct lb_service, 1024, READ_ONLY);
MAP(cilium_lb6_services_v2, BPF_MAP_TYPE_HASH, struct lb6_key, struct lb_service, 1024, READ_ONLY);
MAP(cilium_lb4_backends_v3, BPF_MAP_TYPE_HASH, uint32_t, struct lb4_backend, 1024, BPF_F_NO_PREALLOC);
MAP(cilium_lb6_backends_v3, BPF_MAP_TYPE_HASH, uint32_t, struct lb6_backend, 1024, BPF_F_NO_PREALLOC);
MAP(cilium_lb4_reverse_nat, BPF_MAP_TYPE_HASH, uint16_t, struct lb4_reverse_nat, 1024, BPF_F_NO_PREALLOC);
MAP(cilium_lb6_reverse_nat, BPF_MAP_TYPE_HASH, uint16_t, struct lb6_reverse_nat, 1024, BPF_F_NO_PREALLOC);
MAP(cilium_lb4_affinity, BPF_MAP_TYPE_LRU_HASH, struct lb4_affinity_key, struct lb_affinity_val, 1024, 0);
MAP(cilium_lb6_affinity, BPF_MAP_TYPE_LRU_HASH, struct lb6_affinity_key, struct lb_affinity_val, 1024, 0);
MAP(cilium_lb_affinity_match, BPF_MAP_TYPE_HASH, struct lb_affinity_match, uint8_t, 1024, READ_ONLY);
MAP(cilium_lb4_source_range, BPF_MAP_TYPE_LPM_TRIE, struct lb4_src_range_key, uint8_t, 1024, READ_ONLY);
MAP(cilium_lb6_source_range, BPF_MAP_TYPE_LPM_TRIE, struct lb6_src_range_key, uint8_t, 1024, READ_ONLY);
MAP(cilium_lb4_reverse_sk, BPF_MAP_TYPE_LRU_HASH, struct ipv4_revnat_tuple, struct ipv4_revnat_entry, 1024, 0);
MAP(cilium_lb6_reverse_sk, BPF_MAP_TYPE_LRU_HASH, struct socket_revnat_tuple, struct socket_revnat_entry, 1024, 0);

/* Source NAT. */
MAP(cilium_snat_v4_external, BPF_MAP_TYPE_LRU_HASH, struct ipv4_ct_tuple, struct ipv4_nat_entry, 1024, 0);
MAP(cilium_snat_v6_external, BPF_MAP_TYPE_LRU_HASH, struct ipv6_ct_tuple, struct ipv6_nat_entry, 1024, 0);
MAP(cilium_snat_v4_alloc_retries, BPF_MAP_TYPE_PERCPU_ARRAY, uint32_t, uint32_t, 33, 0);
MAP(cilium_snat_v6_alloc_retries, BPF_MAP_TYPE_PERCPU_ARRAY, uint32_t, uint32_t, 33, 0);
MAP(cilium_nodeport_neigh4, BPF_MAP_TYPE_LRU_HASH, be32, struct macaddr, 1024, 0);
MAP(cilium_nodeport_neigh6, BPF_MAP_TYPE_LRU_HASH, struct v6addr, struct macaddr, 1024, 0);

/* Authentication. */
MAP(cilium_auth_map, BPF_MAP_TYPE_HASH, struct auth_key, struct auth_info, 1024, READ_ONLY);
MAP(cilium_node_map_v2, BPF_MAP_TYPE_HASH, struct node_key, struct node_value, 1024, READ_ONLY);
MAP(cilium_runtime_config, BPF_MAP_TYPE_ARRAY, uint32_t, uint64_t, 256, BPF_F_RDONLY_PROG);

/* XDP prefilter: prefixes to be dropped, of one length (a hash) and of any (a trie). */
MAP(cilium_cidr_v4_dyn, BPF_MAP_TYPE_LPM_TRIE, struct lpm_v4_key, uint8_t, 1024, READ_ONLY);
MAP(cilium_cidr_v4_fix, BPF_MAP_TYPE_HASH, struct lpm_v4_key, uint8_t, 1024, READ_ONLY);
MAP(cilium_cidr_v6_dyn, BPF_MAP_TYPE_LPM_TRIE, struct lpm_v6_key, uint8_t, 1024, READ_ONLY);
MAP(cilium_cidr_v6_fix, BPF_MAP_TYPE_HASH, struct lpm_v6_key, uint8_t, 1024, READ_ONLY);

/* What is told and counted. */
MAP_OF_EVENTS(cilium_events);
MAP_OF_EVENTS(cilium_signals);
MAP(cilium_metrics, BPF_MAP_TYPE_PERCPU_HASH, struct metrics_key, struct counters, 1024, BPF_F_NO_PREALLOC);
MAP(cilium_policystats, BPF_MAP_TYPE_LRU_PERCPU_HASH, struct policy_stats_key, struct counters, 1024,
	BPF_F_NO_COMMON_LRU);
MAP(cilium_ratelimit, BPF_MAP_TYPE_LRU_HASH, struct ratelimit_key, struct ratelimit_value, 1024, 0);
MAP(cilium_ratelimit_metrics, BPF_MAP_TYPE_HASH, uint32_t, uint64_t, 64, BPF_F_NO_PREALLOC);

/* Ours: the pinned environment of one run (env.h). */
MAP(ciliate_env, BPF_MAP_TYPE_ARRAY, uint32_t, struct pinned_environment, 1, BPF_F_MMAPABLE);
