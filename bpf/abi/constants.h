/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Numbers of the datapath: identities, marks, conntrack directions, flags. Modelled: bpf/lib/common.h, lb.h,
 * policy.h, eps.h and the agent's reserved identities.
 */
#pragma once

#include "basics.h"

/* Reserved identities. 9 and 10 exist in dual stack only; in single stack the world is 2. */
enum identity {
	IDENTITY_UNKNOWN = 0,
	IDENTITY_HOST = 1,
	IDENTITY_WORLD = 2,
	IDENTITY_UNMANAGED = 3,
	IDENTITY_HEALTH = 4,
	IDENTITY_INIT = 5,
	IDENTITY_REMOTE_NODE = 6,
	IDENTITY_KUBE_APISERVER = 7,
	IDENTITY_INGRESS = 8,
	IDENTITY_WORLD_IPV4 = 9,
	IDENTITY_WORLD_IPV6 = 10,
	IDENTITY_LAST_RESERVED = 255,
	IDENTITY_SCOPE_MASK = (int)0xff000000u,
	IDENTITY_SCOPE_LOCAL = 1 << 24,
	IDENTITY_SCOPE_REMOTE_NODE = 2 << 24,
};

/* skb->mark: identity in the upper 16 and the lowest 8 bits, magic in bits 8-11, key in bits 12-15. */
enum mark_magic {
	MARK_MAGIC_MASK = 0x0f00,
	MARK_MAGIC_KEY_MASK = 0xff00,
	MARK_MAGIC_TO_PROXY = 0x0200,
	MARK_MAGIC_SNAT_DONE = 0x0300,
	MARK_MAGIC_OVERLAY = 0x0400,
	MARK_MAGIC_EGW_DONE = 0x0500,
	MARK_MAGIC_SKIP_TPROXY = 0x0800,
	MARK_MAGIC_PROXY_EGRESS_EPID = 0x0900,
	MARK_MAGIC_PROXY_INGRESS = 0x0a00,
	MARK_MAGIC_PROXY_EGRESS = 0x0b00,
	MARK_MAGIC_HOST = 0x0c00,
	MARK_MAGIC_DECRYPT = 0x0d00,
	MARK_MAGIC_ENCRYPT = 0x0e00,
	MARK_MAGIC_IDENTITY = 0x0f00,
};

/* skb->tc_index */
enum tc_index_flag {
	TC_INDEX_FROM_INGRESS_PROXY = 1,
	TC_INDEX_FROM_EGRESS_PROXY = 2,
	TC_INDEX_SKIP_NODEPORT = 4,
	TC_INDEX_SKIP_HEALTH_CHECK = 8,
	TC_INDEX_SKIP_HOST_FIREWALL = 16,
};

/* Slots of skb->cb; one slot serves several purposes that do not overlap in time. */
enum cb_slot {
	CB_SRC_LABEL = 0,
	CB_PROXY_MAGIC = 0,
	CB_DST_ENDPOINT_ID = 0,
	CB_VERDICT = 0,
	CB_DELIVERY_FLAGS = 1,
	CB_CLUSTER_ID_EGRESS = 1,
	CB_IPCACHE_SRC_LABEL = 1,
	CB_TRACED = 1,
	CB_CLUSTER_ID_INGRESS = 2,
	CB_NAT_FLAGS = 2,
	CB_FROM_HOST = 3,
	CB_CT_STATE = 4,
	CB_FROM_TUNNEL = 4,
};

enum delivery_flag {
	DELIVERY_REDIRECT = 1,
	DELIVERY_FROM_HOST = 2,
	DELIVERY_FROM_TUNNEL = 4,
	DELIVERY_USE_REDIRECT_PEER = 8,
	DELIVERY_FROM_INGRESS_PROXY = 16,
	DELIVERY_FROM_EGRESS_PROXY = 32,
};

/* Conntrack: direction of a look-up, its result, and the flags of a tuple. */
enum ct_dir { CT_EGRESS = 0, CT_INGRESS = 1, CT_SERVICE = 2 };
enum ct_status { CT_NEW = 0, CT_ESTABLISHED = 1, CT_REPLY = 2, CT_RELATED = 3 };
enum tuple_flag { TUPLE_OUT = 0, TUPLE_IN = 1, TUPLE_RELATED = 2, TUPLE_SERVICE = 4 };

/* struct ct_entry.flags */
enum ct_entry_flag {
	CT_FLAG_RX_CLOSING = 1 << 0,
	CT_FLAG_TX_CLOSING = 1 << 1,
	CT_FLAG_LOOPBACK = 1 << 3,
	CT_FLAG_SEEN_NON_SYN = 1 << 4,
	CT_FLAG_NODE_PORT = 1 << 5,
	CT_FLAG_PROXY_REDIRECT = 1 << 6,
	CT_FLAG_DSR_INTERNAL = 1 << 7,
	CT_FLAG_FROM_L7LB = 1 << 8,
	CT_FLAG_FROM_TUNNEL = 1 << 10,
};

/* struct policy_entry.bits (octet 2) and .auth (octet 3) */
enum policy_entry_bits {
	POLICY_ENTRY_DENY = 1,
	POLICY_ENTRY_PREFIX_SHIFT = 3,
	POLICY_ENTRY_AUTH_MASK = 0x7f,
	POLICY_ENTRY_AUTH_EXPLICIT = 0x80,
};
enum policy_prefix {
	POLICY_PREFIX_STATIC = 40, /* sec_label, direction */
	POLICY_PREFIX_PROTOCOL = 8,
	POLICY_PREFIX_FULL = 64,
};
#define POLICY_MAX_PRECEDENCE 0xffffffffu

enum policy_dir { POLICY_INGRESS = 1, POLICY_EGRESS = 2 };
enum policy_match {
	POLICY_MATCH_NONE = 0,
	POLICY_MATCH_L3_ONLY = 1,
	POLICY_MATCH_L3_L4 = 2,
	POLICY_MATCH_L4_ONLY = 3,
	POLICY_MATCH_ALL = 4,
	POLICY_MATCH_L3_PROTO = 5,
	POLICY_MATCH_PROTO_ONLY = 6,
};

/* struct lb4_service.flags, .flags2; struct lb4_backend.flags */
enum service_flag {
	SVC_FLAG_EXTERNAL_IP = 1 << 0,
	SVC_FLAG_NODEPORT = 1 << 1,
	SVC_FLAG_EXT_LOCAL_SCOPE = 1 << 2,
	SVC_FLAG_HOSTPORT = 1 << 3,
	SVC_FLAG_AFFINITY = 1 << 4,
	SVC_FLAG_LOADBALANCER = 1 << 5,
	SVC_FLAG_ROUTABLE = 1 << 6,
	SVC_FLAG_SOURCE_RANGE = 1 << 7,
};
enum service_flag2 {
	SVC_FLAG2_LOCALREDIRECT = 1 << 0,
	SVC_FLAG2_NAT46X64 = 1 << 1,
	SVC_FLAG2_L7LB = 1 << 2,
	SVC_FLAG2_LOOPBACK = 1 << 3,
	SVC_FLAG2_INT_LOCAL_SCOPE = 1 << 4,
	SVC_FLAG2_TWO_SCOPES = 1 << 5,
	SVC_FLAG2_QUARANTINED = 1 << 6,
	SVC_FLAG2_FWD_DSR = 1 << 7,
};
enum backend_state { BACKEND_ACTIVE = 0, BACKEND_TERMINATING = 1, BACKEND_QUARANTINED = 2, BACKEND_MAINTENANCE = 3 };
enum lb_scope { LB_SCOPE_EXTERNAL = 0, LB_SCOPE_INTERNAL = 1 };

/* struct remote_endpoint_info.flags and struct endpoint_info.flags */
enum ipcache_flag {
	IPCACHE_FLAG_SKIP_TUNNEL = 1,
	IPCACHE_FLAG_HAS_TUNNEL_EP = 2,
	IPCACHE_FLAG_IPV6_TUNNEL_EP = 4,
	IPCACHE_FLAG_REMOTE_CLUSTER = 8,
};
enum endpoint_flag {
	ENDPOINT_FLAG_HOST = 1,
	ENDPOINT_FLAG_ATHOSTNS = 2,
	ENDPOINT_FLAG_SKIP_MASQUERADE_V4 = 4,
	ENDPOINT_FLAG_SKIP_MASQUERADE_V6 = 8,
	ENDPOINT_MASK_HOST_DELIVERY = 3,
};
enum endpoint_key_family { ENDPOINT_KEY_IPV4 = 1, ENDPOINT_KEY_IPV6 = 2 };

/* struct metrics_key */
enum metric_dir { METRIC_INGRESS = 1, METRIC_EGRESS = 2, METRIC_SERVICE = 3 };
enum metric_reason {
	REASON_FORWARDED = 0,
	REASON_PLAINTEXT = 3,
	REASON_DECRYPT = 4,
	REASON_LB_NO_BACKEND_SLOT = 5,
	REASON_LB_NO_BACKEND = 6,
	REASON_LB_REVNAT_UPDATE = 7,
	REASON_LB_REVNAT_STALE = 8,
	REASON_FRAG_PACKET = 9,
	REASON_FRAG_PACKET_UPDATE = 10,
	REASON_MTU_ERROR_MSG = 15,
};

enum tunnel_protocol { TUNNEL_VXLAN = 1, TUNNEL_GENEVE = 2 };
