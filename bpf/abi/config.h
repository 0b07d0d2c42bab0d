/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What a program is told when it is loaded: one struct in .rodata per object, set before load.
 *
 * Where Cilium has a configuration variable, the field has its name and meaning; where Cilium compiles a macro in
 * (ENABLE_NODEPORT, TUNNEL_MODE, …), the field has the macro's name in lower case. So one rendering serves our
 * programs, `.rodata.config` of Cilium's objects, and the check that an object's macros fit.
 */
#pragma once

#include "basics.h"

struct ABI_SWIFT_NAME(DatapathConfig) datapath_config {
	/* the device that the program is attached to */
	struct macaddr interface_mac;
	uint32_t interface_ifindex;
	uint16_t device_mtu;
	uint8_t eth_header_length;
	uint8_t pad0;

	/* the endpoint that the program serves (bpf_lxc; the host endpoint in bpf_host) */
	uint32_t security_label;
	uint16_t endpoint_id;
	uint16_t host_ep_id;
	be32 endpoint_ipv4;
	uint32_t policy_verdict_log_filter;
	struct v6addr endpoint_ipv6;
	uint64_t endpoint_netns_cookie; /* in sock: of the agent's namespace, which is the host's; 0: the first one */

	/* the node */
	struct macaddr cilium_net_mac;
	struct macaddr cilium_host_mac;
	uint32_t cilium_net_ifindex;
	uint32_t cilium_host_ifindex;
	uint32_t direct_routing_dev_ifindex;
	uint32_t encap_ifindex;
	be32 ipv4_gateway; /* the node's router address */
	be32 ipv4_direct_routing;
	struct v6addr router_ipv6;
	struct v6addr ipv6_direct_routing;
	be32 service_loopback_ipv4;
	be32 nat_ipv4_masquerade;
	struct v6addr service_loopback_ipv6;
	struct v6addr nat_ipv6_masquerade;
	uint32_t trace_payload_len;
	uint32_t trace_payload_len_overlay;
	uint32_t cluster_id;
	uint32_t cluster_id_bits;
	uint32_t hash_init4_seed;
	uint32_t hash_init6_seed;
	uint32_t events_map_rate_limit;
	uint32_t events_map_burst_limit;
	uint32_t kernel_hz;
	uint16_t tunnel_port;
	uint16_t nodeport_port_min;
	uint16_t nodeport_port_max;
	uint16_t ephemeral_min;
	uint8_t tunnel_protocol; /* enum tunnel_protocol */
	uint8_t monitor_aggregation;
	uint8_t ct_report_flags;
	uint8_t lb_selection; /* 1 random, 2 maglev */

	/* lifetimes in seconds */
	uint32_t ct_connection_lifetime_tcp;
	uint32_t ct_connection_lifetime_nontcp;
	uint32_t ct_service_lifetime_tcp;
	uint32_t ct_service_lifetime_nontcp;
	uint32_t ct_service_close_rebalance;
	uint32_t ct_syn_timeout;
	uint32_t ct_close_timeout;
	uint32_t ct_report_interval;

	/* features: 0 or 1 */
	uint8_t enable_ipv4;
	uint8_t enable_ipv6;
	uint8_t enable_nodeport;
	uint8_t enable_routing; /* off with endpoint routes */
	uint8_t enable_host_routing; /* the FIB is asked by the program, the stack is passed by */
	uint8_t tunnel_mode;
	uint8_t have_encap;
	uint8_t enable_socket_lb_full;
	uint8_t enable_socket_lb_host_only;
	uint8_t enable_endpoint_routes;
	uint8_t enable_identity_mark;
	uint8_t enable_arp_responder;
	uint8_t enable_ipv4_fragments;
	uint8_t enable_ipv6_fragments;
	uint8_t allow_icmp_frag_needed;
	uint8_t enable_icmp_rule;
	uint8_t enable_policy_accounting;
	uint8_t enable_conntrack_accounting;
	uint8_t policy_deny_response_enabled;
	uint8_t enable_no_service_endpoints_routable;
	uint8_t service_no_backend_response;
	uint8_t policy_audit_mode;
	uint8_t enable_extended_ip_protocols;
	uint8_t enable_jiffies;
	uint8_t enable_sctp;
	uint8_t enable_host_firewall;
	uint8_t enable_netkit;
	uint8_t enable_lrp;
	uint8_t enable_remote_node_masquerade;
	uint8_t enable_masquerade_ipv4;
	uint8_t enable_masquerade_ipv6;
	uint8_t enable_tproxy;
	uint8_t drop_notify;
	uint8_t trace_notify;
	uint8_t policy_verdict_notify;
	uint8_t local_delivery_metrics;
	uint8_t enable_l7_lb;
	uint8_t enable_wireguard;
	uint8_t supports_fib_lookup_skip_neigh;
	uint8_t enable_xdp_prefilter;
	uint8_t enable_per_packet_lb; /* derived as bpf_lxc derives ENABLE_PER_PACKET_LB */

	/* 1: time and randomness come from the map ciliate_env instead of the kernel's helpers */
	uint8_t env_pinned;
	uint8_t pad1[6];
};
ABI_SIZE(struct datapath_config, 296);

/* The pinned environment of one run (map ciliate_env, array of one, memory-mapped by the harness). */
struct ABI_SWIFT_NAME(PinnedEnvironment) pinned_environment {
	uint64_t ktime_ns;
	uint64_t random_state; /* splitmix64: each draw advances it */
};
ABI_SIZE(struct pinned_environment, 16);
