/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Records of cilium_events (perf event array). Each is followed by len_cap octets of the packet, from its first
 * octet. Versions: drop 3, trace 2, policy verdict 1. Modelled: bpf/lib/drop.h, trace.h, policy_log.h, notify.h.
 */
#pragma once

#include "basics.h"

enum notify_type {
	NOTIFY_UNSPEC = 0,
	NOTIFY_DROP = 1,
	NOTIFY_DBG_MSG = 2,
	NOTIFY_DBG_CAPTURE = 3,
	NOTIFY_TRACE = 4,
	NOTIFY_POLICY_VERDICT = 5,
	NOTIFY_CAPTURE = 6,
	NOTIFY_TRACE_SOCK = 7,
};
enum notify_version { NOTIFY_DROP_VERSION = 3, NOTIFY_TRACE_VERSION = 2, NOTIFY_POLICY_VERDICT_VERSION = 1 };

/* struct trace_notify.header.subtype */
enum trace_point {
	TRACE_TO_LXC = 0,
	TRACE_TO_PROXY = 1,
	TRACE_TO_HOST = 2,
	TRACE_TO_STACK = 3,
	TRACE_TO_OVERLAY = 4,
	TRACE_FROM_LXC = 5,
	TRACE_FROM_PROXY = 6,
	TRACE_FROM_HOST = 7,
	TRACE_FROM_STACK = 8,
	TRACE_FROM_OVERLAY = 9,
	TRACE_FROM_NETWORK = 10,
	TRACE_TO_NETWORK = 11,
	TRACE_FROM_CRYPTO = 12,
	TRACE_TO_CRYPTO = 13,
};

/* struct trace_notify.reason: a conntrack status, or one of these */
enum trace_reason {
	TRACE_REASON_POLICY = 0,
	TRACE_REASON_ESTABLISHED = 1,
	TRACE_REASON_REPLY = 2,
	TRACE_REASON_RELATED = 3,
	TRACE_REASON_UNKNOWN = 5,
	TRACE_REASON_ENCRYPTED = 0x80,
};

/* How much is hidden: enum values of monitor_aggregation. */
enum trace_aggregation { TRACE_AGGREGATE_NONE = 0, TRACE_AGGREGATE_RX = 1, TRACE_AGGREGATE_ACTIVE_CT = 3 };

/* .flags of drops and traces */
enum cls_flag { CLS_FLAG_IPV6 = 1, CLS_FLAG_L3_DEV = 2, CLS_FLAG_VXLAN = 4, CLS_FLAG_GENEVE = 8 };

struct ABI_SWIFT_NAME(CaptureHeader) capture_header {
	uint8_t type;
	uint8_t subtype;
	uint16_t source; /* endpoint id, or 0 */
	uint32_t hash;
	uint32_t len_orig;
	uint16_t len_cap;
	uint8_t version;
	uint8_t ext_version;
};
ABI_SIZE(struct capture_header, 16);

struct ABI_SWIFT_NAME(DropNotify) drop_notify {
	struct capture_header header; /* subtype: enum drop_reason */
	uint32_t src_label;
	uint32_t dst_label;
	uint32_t dst_id; /* 0 on egress */
	uint16_t line;
	uint8_t file;
	int8_t ext_error;
	uint32_t ifindex;
	uint8_t flags;
	uint8_t pad0, pad1, pad2;
	uint64_t ip_trace_id;
};
ABI_SIZE(struct drop_notify, 48);

struct ABI_SWIFT_NAME(TraceNotify) trace_notify {
	struct capture_header header; /* subtype: enum trace_point */
	uint32_t src_label;
	uint32_t dst_label;
	uint16_t dst_id; /* endpoint id; for TRACE_TO_PROXY the proxy port */
	uint8_t reason;
	uint8_t flags;
	uint32_t ifindex;
	struct v6addr orig_ip;
	uint64_t ip_trace_id;
};
ABI_SIZE(struct trace_notify, 56);

struct ABI_SWIFT_NAME(PolicyVerdictNotify) policy_verdict_notify {
	struct capture_header header;
	uint32_t remote_label;
	int32_t verdict; /* 0 allow, positive proxy port, negative drop reason */
	uint16_t dst_port;
	uint8_t proto;
	uint8_t bits; /* direction:2, ipv6:1, match type:3, audited:1, l3:1 */
	uint8_t auth_type;
	uint8_t pad0, pad1, pad2;
	uint32_t cookie;
	uint32_t pad3;
};
ABI_SIZE(struct policy_verdict_notify, 40);

/* A socket that was translated at connect(); this record has no packet. */
struct ABI_SWIFT_NAME(TraceSockNotify) trace_sock_notify {
	uint8_t type;
	uint8_t xlate_point; /* enum xlate_point */
	uint8_t l4_proto; /* 1 TCP, 2 UDP */
	uint8_t ipv6;
	uint16_t dst_port;
	uint16_t pad;
	uint64_t sock_cookie;
	uint64_t cgroup_id;
	struct v6addr dst_ip;
};
ABI_SIZE(struct trace_sock_notify, 40);
enum xlate_point { XLATE_PRE_FORWARD = 1, XLATE_POST_FORWARD = 2, XLATE_PRE_REVERSE = 3, XLATE_POST_REVERSE = 4 };

/* cilium_signals */
enum signal { SIGNAL_NAT_FILL_UP = 0, SIGNAL_CT_FILL_UP = 1, SIGNAL_AUTH_REQUIRED = 2 };

/* Source positions in our programs' drops and metrics. Cilium writes source file and line; ours are names that
 * stay when code moves. The file is Cilium's number of the object that the hook belongs to.
 *
 * The line is a place. For a drop, and for a metric that is counted as one, it is chosen by the Cilium function that
 * sends the notification, whatever function found the reason:
 *   PLACE_ENTRY      cil_* itself: from_container, lxc_policy, to_container, from_overlay, to_overlay (its own
 *                    errors), do_netdev, cil_from_netdev, cil_to_netdev (its own errors), cil_to_host
 *   PLACE_FAMILY     tail_handle_ipv4/6 of bpf_lxc and bpf_overlay, tail_handle_ipv4/6_from_netdev and _from_host
 *   PLACE_CONNTRACK  the conntrack tails, tail_ipv4/6_ct_*
 *   PLACE_FORWARD    tail_handle_ipv4/6_cont of bpf_lxc
 *   PLACE_POLICY     tail_ipv4/6_policy and tail_ipv4/6_to_endpoint
 *   PLACE_NAT        the NAT tails: nat_ingress, nat_egress, rev_dnat, nat_fwd, snat_fwd
 *   PLACE_REPLY      tails that make an answer: ARP, neighbour advertisement, time exceeded, no service, denied
 * Metrics of forwarded packets have the place that counts them:
 *   PLACE_TRACE      a trace point     PLACE_DELIVERY  local delivery
 *   PLACE_FRAGMENT   fragments         PLACE_HEADER    ICMP messages about the MTU
 *   PLACE_SERVICE    socket translation
 */
enum source_file {
	SOURCE_FILE_HOST = 1,
	SOURCE_FILE_LXC = 2,
	SOURCE_FILE_OVERLAY = 3,
	SOURCE_FILE_XDP = 4,
	SOURCE_FILE_SOCK = 5,
};
enum source_place {
	PLACE_ENTRY = 1,
	PLACE_FAMILY = 2,
	PLACE_CONNTRACK = 3,
	PLACE_FORWARD = 4,
	PLACE_POLICY = 5,
	PLACE_DELIVERY = 6,
	PLACE_ENCAP = 7, /* not used */
	PLACE_SERVICE = 8,
	PLACE_NAT = 9,
	PLACE_REPLY = 10,
	PLACE_TRACE = 11,
	PLACE_HEADER = 12,
	PLACE_FRAGMENT = 13,
	PLACE_NETDEV = 14, /* not used */
};
