/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The packet that a run is about: what was read from its headers, and what the stages learn about it.
 *
 * One struct serves both families. An IPv4 address stands in the first word of a v6addr, and `ipv6` says which maps and
 * header layouts apply. It lives in a per-CPU map, because a program's stack is small, and is cleared at every entry.
 */
#pragma once

#include "lib/env.h"

enum l4_protocol { L4_ICMP = 1, L4_TCP = 6, L4_UDP = 17, L4_ICMPV6 = 58, L4_SCTP = 132 };
enum ether_type { ETH_IPV4 = 0x0800, ETH_ARP = 0x0806, ETH_IPV6 = 0x86dd, ETH_MIN = 0x0600 };

/* A tuple of IPv6, or of IPv4 with its addresses in the first words. It is struct ipv6_ct_tuple but for its alignment,
 * so that it is copied by words; the maps read its first 38 octets.
 */
struct tuple {
	struct v6addr daddr, saddr;
	be16 dport, sport;
	uint8_t nexthdr, flags;
};
_Static_assert(__builtin_offsetof(struct tuple, flags) == sizeof(struct ipv6_ct_tuple) - 1, "layout");

/* What one look-up in conntrack asks and finds (ct.h). */
struct ct_state {
	struct v6addr nat_addr; /* a reply gets this address back instead of the one from reverse NAT */
	be16 nat_port;
	uint16_t rev_nat_index;
	uint32_t src_sec_id;
	uint32_t backend_id;
	uint16_t flags; /* enum ct_entry_flag */
	uint8_t syn; /* a service entry was found for a SYN */
	uint8_t pad;
};

struct ct_query {
	struct tuple tuple;
	uint8_t dir; /* enum ct_dir */
	uint8_t scope; /* enum ct_scope */
	uint8_t types; /* enum ct_match: which entries count */
	int8_t status; /* found: enum ct_status */
	uint32_t monitor; /* found: how much of the packet a trace may show, 0 for none */
	struct ct_state state;
};

/* What policy says (policy.h). */
struct verdict {
	int code; /* 0 allows; else a negated drop reason */
	uint32_t cookie;
	be16 proxy_port;
	uint8_t match; /* enum policy_match */
	uint8_t auth_type;
	uint8_t audited;
	uint8_t pad[3];
};

/* The next trace, and the drop that would be told now (trace.h). */
struct trace {
	uint8_t point; /* enum trace_point */
	uint8_t reason; /* enum trace_reason */
	uint16_t dst_id;
	uint32_t src;
	uint32_t dst;
	uint32_t ifindex;
	uint32_t monitor;
	struct v6addr orig_ip;
};

struct drop {
	uint32_t src;
	uint32_t dst;
	uint32_t dst_id;
	uint16_t place; /* enum source_place */
	uint8_t dir; /* enum metric_dir */
	int8_t ext_err;
};

/* What source NAT gives a connection's packets (nat.h): an address, a port of a range, an entry in conntrack or not. */
struct nat_target {
	struct v6addr address;
	uint16_t min_port, max_port;
	uint32_t needs_ct;
};

struct ipv4_header {
	uint8_t version_ihl, tos;
	be16 total_length, id, fragment;
	uint8_t ttl, protocol;
	be16 checksum;
	be32 saddr, daddr;
};

struct ipv6_header {
	be32 version_class_flow;
	be16 payload_length;
	uint8_t next_header, hop_limit;
	struct v6addr saddr, daddr;
};

struct packet {
	struct v6addr saddr, daddr;
	struct ct_query ct; /* the connection */
	struct ct_query service; /* the service entry of the connection, or another entry that NAT needs */
	struct ct_state found; /* the connection's state before its entry was made again */
	struct verdict verdict;
	struct trace trace;
	struct drop drop;
	struct nat_target nat;
	struct ipv6_nat_entry nat_entry; /* what was found or made; of IPv4 in the layout of IPv6 */
	be16 ethertype;
	uint8_t ipv6;
	uint8_t next_header; /* of the IP header; ct.tuple.nexthdr is the one after all extension headers */
	uint8_t fragment; /* is a fragment */
	uint8_t headless; /* a fragment without a layer 4 header */
	uint8_t fragment_protocol;
	uint8_t next; /* enum node_step (nodeport.h) */
	be32 fragment_id;
	uint32_t l4_off;

	/* what service translation decided */
	uint16_t rev_nat_index;
	uint8_t loopback; /* an endpoint talks to itself through a service */
	uint8_t pad1;
	be16 wildcard_port; /* with wildcard_address: the node port that was asked for */
	be16 backend_port;
	struct v6addr wildcard_address;
	struct v6addr backend_address;

	union {
		struct ipv4_header ip4;
		struct ipv6_header ip6;
	} header;
	uint8_t sample[128]; /* room for ICMP answers (icmp.h) */
};

MAP(ciliate_packet, BPF_MAP_TYPE_PERCPU_ARRAY, uint32_t, struct packet, 1, 0);

INLINE int address_equal(const struct v6addr *a, const struct v6addr *b)
{
	return a->w0 == b->w0 && a->w1 == b->w1 && a->w2 == b->w2 && a->w3 == b->w3;
}

/* Asked once it is known that the family is enabled. Where IPv6 is off the verifier knows the answer, and neither
 * checks nor keeps what only IPv6 needs.
 */
INLINE int is_ipv6(const struct packet *p)
{
	return config.enable_ipv6 && p->ipv6;
}

INLINE uint32_t address_size(const struct packet *p)
{
	return is_ipv6(p) ? 16 : 4;
}

/* Clears the mark of the run before it. Cilium does this with cb and tc_classid at every entry. */
INLINE void clear_meta(struct __sk_buff *ctx)
{
	volatile struct __sk_buff *c = ctx;

	c->cb[0] = 0;
	c->cb[1] = 0;
	c->cb[2] = 0;
	c->cb[3] = 0;
	c->cb[4] = 0;
	c->tc_classid = 0;
}

INLINE uint32_t take_meta(struct __sk_buff *ctx, int slot)
{
	volatile struct __sk_buff *c = ctx;
	uint32_t value = c->cb[slot];

	c->cb[slot] = 0;
	return value;
}

/* What stands in the frame as its ethertype, or on a device without Ethernet what the kernel says. */
INLINE be16 read_ethertype(struct __sk_buff *ctx)
{
	be16 proto = 0;

	if (l3_offset() == 0)
		return ctx->protocol;
	return bpf_skb_load_bytes(ctx, 12, &proto, 2) < 0 ? 0 : proto;
}

/* A cleared struct packet with the ethertype of the frame. Null only in theory, but the verifier wants it said. */
STAGE struct packet *new_packet(struct __sk_buff *ctx)
{
	uint32_t zero = 0;
	struct packet *p = bpf_map_lookup_elem(&ciliate_packet, &zero);

	if (!p)
		return 0;
	__builtin_memset(p, 0, sizeof(*p));
	p->ethertype = read_ethertype(ctx);
	p->ipv6 = p->ethertype == HTONS(ETH_IPV6);
	return p;
}

/* Is this Ethernet II? Network order is compared as it is, as Cilium does it. Modelled: validate_ethertype(). */
INLINE int ethertype_valid(const struct packet *p)
{
	return p->ethertype >= HTONS(ETH_MIN) || l3_offset() == 0;
}

/* Of a family that is enabled? */
INLINE int is_ip(const struct packet *p)
{
	return (p->ethertype == HTONS(ETH_IPV4) && config.enable_ipv4) ||
	       (p->ethertype == HTONS(ETH_IPV6) && config.enable_ipv6);
}

INLINE int is_arp(const struct packet *p)
{
	return p->ethertype == HTONS(ETH_ARP) && config.enable_ipv4;
}

/* Makes the network header linear, as the programs read it there. */
STAGE int pull_network_header(struct __sk_buff *ctx, struct packet *p)
{
	uint32_t size = l3_offset();
	be16 proto = p->ethertype;

	if (proto == HTONS(ETH_IPV4) && config.enable_ipv4)
		size += sizeof(struct ipv4_header);
	else if (proto == HTONS(ETH_IPV6) && config.enable_ipv6)
		size += sizeof(struct ipv6_header);
	else if (proto == HTONS(ETH_ARP) && config.enable_ipv4)
		size += 28;
	else
		return 0;
	bpf_skb_pull_data(ctx, size);
	return ctx->len < size ? -DROP_INVALID : 0;
}
