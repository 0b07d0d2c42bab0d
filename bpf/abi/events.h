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

/* cilium_signals */
enum signal { SIGNAL_NAT_FILL_UP = 0, SIGNAL_CT_FILL_UP = 1, SIGNAL_AUTH_REQUIRED = 2 };

/* Source positions in our programs' drops and metrics. Cilium writes source file and line; ours are names that
 * stay when code moves: the file is the hook's (Cilium's number of the object that holds it), the line is one of
 * these places.
 */
enum source_file { SOURCE_FILE_HOST = 1, SOURCE_FILE_LXC = 2, SOURCE_FILE_OVERLAY = 3, SOURCE_FILE_XDP = 4 };
enum source_place {
	PLACE_ENTRY = 1, /* the attached program itself */
	PLACE_FAMILY = 2, /* its IPv4 or IPv6 half */
	PLACE_CONNTRACK = 3, /* the conntrack look-up stage */
	PLACE_FORWARD = 4, /* policy and forwarding after conntrack */
	PLACE_POLICY = 5, /* the endpoint-policy stage */
	PLACE_DELIVERY = 6, /* local delivery */
	PLACE_ENCAP = 7, /* tunnel encapsulation */
	PLACE_SERVICE = 8, /* service translation */
	PLACE_NAT = 9, /* NAT on ingress or egress of the node */
	PLACE_REPLY = 10, /* an ICMP or ARP answer made by the program */
	PLACE_TRACE = 11, /* a trace point's own counter */
	PLACE_HEADER = 12, /* header parsing */
	PLACE_FRAGMENT = 13, /* fragment tracking */
	PLACE_NETDEV = 14, /* forwarding at a native device */
};
