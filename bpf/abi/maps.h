/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Keys and values of the maps that our programs and Cilium's share. Layouts: Cilium 1.20. */
#pragma once

#include "basics.h"

/* cilium_lxc: the endpoints of this node, by address. */
struct ABI_SWIFT_NAME(EndpointKey) endpoint_key {
	struct v6addr ip;
	uint8_t family;
	uint8_t key;
	uint16_t cluster_id;
};
ABI_SIZE(struct endpoint_key, 20);

struct ABI_SWIFT_NAME(EndpointInfo) endpoint_info {
	uint32_t ifindex;
	uint16_t unused;
	uint16_t lxc_id;
	uint32_t flags;
	uint32_t rt_info;
	struct macaddr mac;
	struct macaddr node_mac;
	uint32_t sec_id;
	uint32_t parent_ifindex;
	uint32_t pad0, pad1;
};
ABI_SIZE(struct endpoint_info, 48);

/* cilium_ipcache_v2 (LPM): identity and tunnel endpoint of every known address. */
struct ABI_SWIFT_NAME(IPCacheKey) ipcache_key {
	uint32_t prefixlen; /* 32 + address bits */
	uint16_t cluster_id;
	uint8_t pad1;
	uint8_t family;
	struct v6addr ip;
};
ABI_SIZE(struct ipcache_key, 24);

struct ABI_SWIFT_NAME(RemoteEndpointInfo) remote_endpoint_info {
	uint32_t sec_identity;
	struct v6addr tunnel_endpoint;
	uint16_t pad;
	uint8_t key;
	uint8_t flags;
};
ABI_SIZE(struct remote_endpoint_info, 24);

/* cilium_policy_v2 (LPM, one per endpoint). */
struct ABI_SWIFT_NAME(PolicyKey) policy_key {
	uint32_t prefixlen; /* 40, 48, or 49 to 64 */
	uint32_t sec_label;
	uint8_t egress; /* 1 for egress */
	uint8_t protocol;
	be16 dport;
};
ABI_SIZE(struct policy_key, 12);

struct ABI_SWIFT_NAME(PolicyEntry) policy_entry {
	be16 proxy_port;
	uint8_t bits; /* POLICY_ENTRY_DENY, prefix length << POLICY_ENTRY_PREFIX_SHIFT */
	uint8_t auth;
	uint32_t precedence;
	uint32_t cookie;
};
ABI_SIZE(struct policy_entry, 12);

/* cilium_policystats (per CPU) */
struct ABI_SWIFT_NAME(PolicyStatsKey) policy_stats_key {
	uint16_t endpoint_id;
	uint8_t pad1;
	uint8_t prefix_len;
	uint32_t sec_label;
	uint8_t egress;
	uint8_t protocol;
	be16 dport;
};
ABI_SIZE(struct policy_stats_key, 12);

/* cilium_policystats, cilium_metrics */
struct ABI_SWIFT_NAME(Counters) counters {
	uint64_t packets;
	uint64_t bytes;
};
ABI_SIZE(struct counters, 16);

/* cilium_ct4_global (TCP), cilium_ct_any4_global. The address fields are reversed: they read right for the reply. */
struct ABI_SWIFT_NAME(CTTuple4) ipv4_ct_tuple {
	be32 daddr;
	be32 saddr;
	be16 dport;
	be16 sport;
	uint8_t nexthdr;
	uint8_t flags;
} ABI_PACKED;
ABI_SIZE(struct ipv4_ct_tuple, 14);

/* cilium_ct6_global, cilium_ct_any6_global */
struct ABI_SWIFT_NAME(CTTuple6) ipv6_ct_tuple {
	struct v6addr daddr;
	struct v6addr saddr;
	be16 dport;
	be16 sport;
	uint8_t nexthdr;
	uint8_t flags;
} ABI_PACKED;
ABI_SIZE(struct ipv6_ct_tuple, 38);

struct ABI_SWIFT_NAME(CTEntry) ct_entry {
	/* An egress entry holds the address before NAT, an IPv4 address in the last four of these 16 octets; a service
	 * entry holds the backend in the upper half.
	 */
	uint64_t nat_addr_low;
	uint64_t backend_id;
	uint64_t packets;
	uint64_t bytes;
	uint32_t lifetime;
	uint16_t flags; /* enum ct_entry_flag */
	be16 rev_nat_index;
	be16 nat_port;
	uint8_t tx_flags_seen;
	uint8_t rx_flags_seen;
	uint32_t src_sec_id;
	uint32_t last_tx_report;
	uint32_t last_rx_report;
};
ABI_SIZE(struct ct_entry, 56);

/* cilium_lb4_services_v2, cilium_lb6_services_v2 */
struct ABI_SWIFT_NAME(ServiceKey4) lb4_key {
	be32 address;
	be16 dport;
	uint16_t backend_slot;
	uint8_t proto;
	uint8_t scope;
	uint16_t pad;
};
ABI_SIZE(struct lb4_key, 12);

struct ABI_SWIFT_NAME(ServiceKey6) lb6_key {
	struct v6addr address;
	be16 dport;
	uint16_t backend_slot;
	uint8_t proto;
	uint8_t scope;
	uint16_t pad;
};
ABI_SIZE(struct lb6_key, 24);

struct ABI_SWIFT_NAME(ServiceEntry) lb_service {
	uint32_t backend_id; /* slot 0: affinity timeout, or the L7 proxy port */
	uint16_t count;
	be16 rev_nat_index;
	uint8_t flags;
	uint8_t flags2;
	uint16_t qcount;
};
ABI_SIZE(struct lb_service, 12);

/* cilium_lb4_backends_v3, cilium_lb6_backends_v3; keyed by backend id (uint32_t) */
struct ABI_SWIFT_NAME(Backend4) lb4_backend {
	be32 address;
	be16 port;
	uint8_t proto;
	uint8_t flags;
	uint16_t cluster_id;
	uint8_t zone;
	uint8_t pad;
};
ABI_SIZE(struct lb4_backend, 12);

struct ABI_SWIFT_NAME(Backend6) lb6_backend {
	struct v6addr address;
	be16 port;
	uint8_t proto;
	uint8_t flags;
	uint16_t cluster_id;
	uint8_t zone;
	uint8_t pad;
};
ABI_SIZE(struct lb6_backend, 24);

/* cilium_lb4_reverse_nat, cilium_lb6_reverse_nat; keyed by rev_nat_index (be16: the agent stores it so) */
struct ABI_SWIFT_NAME(ReverseNAT4) lb4_reverse_nat {
	be32 address;
	be16 port;
} ABI_PACKED;
ABI_SIZE(struct lb4_reverse_nat, 6);

struct ABI_SWIFT_NAME(ReverseNAT6) lb6_reverse_nat {
	struct v6addr address;
	be16 port;
} ABI_PACKED;
ABI_SIZE(struct lb6_reverse_nat, 18);

/* cilium_lb4_affinity, cilium_lb6_affinity, cilium_lb_affinity_match */
struct ABI_SWIFT_NAME(AffinityKey4) lb4_affinity_key {
	uint64_t client; /* the address in the first four octets, or a cookie */
	be16 rev_nat_id;
	uint8_t netns_cookie; /* 1 if client is a cookie */
	uint8_t pad1;
	uint32_t pad2;
};
ABI_SIZE(struct lb4_affinity_key, 16);

struct ABI_SWIFT_NAME(AffinityKey6) lb6_affinity_key {
	struct v6addr client;
	be16 rev_nat_id;
	uint8_t netns_cookie;
	uint8_t pad1;
	uint32_t pad2;
};
ABI_SIZE(struct lb6_affinity_key, 24);

struct ABI_SWIFT_NAME(AffinityValue) lb_affinity_val {
	uint64_t last_used;
	uint32_t backend_id;
	uint32_t pad;
};
ABI_SIZE(struct lb_affinity_val, 16);

struct ABI_SWIFT_NAME(AffinityMatch) lb_affinity_match {
	uint32_t backend_id;
	be16 rev_nat_id;
	uint16_t pad;
};
ABI_SIZE(struct lb_affinity_match, 8);

/* cilium_lb4_source_range, cilium_lb6_source_range (LPM) */
struct ABI_SWIFT_NAME(SourceRangeKey4) lb4_src_range_key {
	uint32_t prefixlen; /* 32 + address bits */
	be16 rev_nat_id;
	uint16_t pad;
	be32 addr;
};
ABI_SIZE(struct lb4_src_range_key, 12);

struct ABI_SWIFT_NAME(SourceRangeKey6) lb6_src_range_key {
	uint32_t prefixlen; /* 32 + address bits */
	be16 rev_nat_id;
	uint16_t pad;
	struct v6addr addr;
};
ABI_SIZE(struct lb6_src_range_key, 24);

/* cilium_lb4_reverse_sk: what a translated socket was asked to connect to */
struct ABI_SWIFT_NAME(SocketReverseKey4) ipv4_revnat_tuple {
	uint64_t cookie;
	be32 address;
	be16 port;
	uint16_t pad;
};
ABI_SIZE(struct ipv4_revnat_tuple, 16);

struct ABI_SWIFT_NAME(SocketReverseValue4) ipv4_revnat_entry {
	be32 address;
	be16 port;
	be16 rev_nat_index;
};
ABI_SIZE(struct ipv4_revnat_entry, 8);

/* cilium_lb6_reverse_sk */
struct ABI_SWIFT_NAME(SocketReverseKey6) socket_revnat_tuple {
	uint64_t cookie;
	struct v6addr address;
	be16 port;
	uint16_t pad;
	uint32_t pad2;
};
ABI_SIZE(struct socket_revnat_tuple, 32);

struct ABI_SWIFT_NAME(SocketReverseValue6) socket_revnat_entry {
	struct v6addr address;
	be16 port;
	be16 rev_nat_index;
};
ABI_SIZE(struct socket_revnat_entry, 20);

/* cilium_cidr_v4_dyn, cilium_cidr_v4_fix, cilium_cidr_v6_dyn, cilium_cidr_v6_fix: prefixes that XDP drops */
struct ABI_SWIFT_NAME(PrefixKey4) lpm_v4_key {
	uint32_t prefixlen;
	be32 addr;
};
ABI_SIZE(struct lpm_v4_key, 8);

struct ABI_SWIFT_NAME(PrefixKey6) lpm_v6_key {
	uint32_t prefixlen;
	struct v6addr addr;
};
ABI_SIZE(struct lpm_v6_key, 20);

/* cilium_snat_v4_external, cilium_snat_v6_external; keyed by conntrack tuples in wire order */
struct ABI_SWIFT_NAME(NATEntry4) ipv4_nat_entry {
	uint64_t created;
	uint64_t needs_ct;
	uint64_t pad1;
	uint64_t pad2;
	be32 to_addr;
	be16 to_port;
	uint16_t pad3;
};
ABI_SIZE(struct ipv4_nat_entry, 40);

struct ABI_SWIFT_NAME(NATEntry6) ipv6_nat_entry {
	uint64_t created;
	uint64_t needs_ct;
	uint64_t pad1;
	uint64_t pad2;
	struct v6addr to_addr;
	be16 to_port;
	uint16_t pad3;
	uint32_t pad4;
};
ABI_SIZE(struct ipv6_nat_entry, 56);

/* cilium_ipv4_frag_datagrams, cilium_ipv6_frag_datagrams: ports of the first fragment */
struct ABI_SWIFT_NAME(FragmentKey4) ipv4_frag_id {
	be32 daddr;
	be32 saddr;
	be16 id;
	uint8_t proto;
	uint8_t pad;
};
ABI_SIZE(struct ipv4_frag_id, 12);

struct ABI_SWIFT_NAME(FragmentKey6) ipv6_frag_id {
	be32 id;
	uint8_t proto;
	uint8_t pad0, pad1, pad2;
	struct v6addr saddr;
	struct v6addr daddr;
};
ABI_SIZE(struct ipv6_frag_id, 40);

struct ABI_SWIFT_NAME(FragmentPorts) frag_l4ports {
	be16 sport;
	be16 dport;
};
ABI_SIZE(struct frag_l4ports, 4);

/* cilium_metrics (per CPU) */
struct ABI_SWIFT_NAME(MetricsKey) metrics_key {
	uint8_t reason;
	uint8_t dir; /* two bits */
	uint16_t line;
	uint8_t file;
	uint8_t reserved0, reserved1, reserved2;
};
ABI_SIZE(struct metrics_key, 8);

/* cilium_auth_map */
struct ABI_SWIFT_NAME(AuthKey) auth_key {
	uint32_t local_sec_label;
	uint32_t remote_sec_label;
	uint16_t remote_node_id;
	uint8_t auth_type;
	uint8_t pad;
};
ABI_SIZE(struct auth_key, 12);

struct ABI_SWIFT_NAME(AuthInfo) auth_info {
	uint64_t expiration; /* unix time in units of 512 ns */
};
ABI_SIZE(struct auth_info, 8);

/* cilium_node_map_v2 */
struct ABI_SWIFT_NAME(NodeKey) node_key {
	uint16_t pad1;
	uint8_t pad2;
	uint8_t family;
	struct v6addr ip;
};
ABI_SIZE(struct node_key, 20);

struct ABI_SWIFT_NAME(NodeValue) node_value {
	uint16_t id;
	uint8_t spi;
	uint8_t pad;
};
ABI_SIZE(struct node_value, 4);

/* cilium_devices */
struct ABI_SWIFT_NAME(DeviceState) device_state {
	struct macaddr mac;
	uint8_t l3; /* 1 if the device has no Ethernet header */
	uint8_t pad1;
	uint16_t pad2;
	uint32_t pad3;
};
ABI_SIZE(struct device_state, 16);

/* cilium_ratelimit: token buckets */
struct ABI_SWIFT_NAME(RateLimitKey) ratelimit_key {
	uint32_t usage;
	uint32_t netdev_idx;
};
ABI_SIZE(struct ratelimit_key, 8);

struct ABI_SWIFT_NAME(RateLimitValue) ratelimit_value {
	uint64_t last_topup;
	uint64_t tokens;
};
ABI_SIZE(struct ratelimit_value, 16);
