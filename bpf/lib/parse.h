/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Reading headers: the network header, IPv6 extension headers, fragments, ports. Nothing of a packet is trusted; what
 * cannot be read is a drop reason, returned negated. Modelled: bpf/lib/ipv4.h, ipv6.h, ipfrag.h, lb.h (extract_tuple).
 */
#pragma once

#include "lib/trace.h"

enum { IPV6_MAX_HEADERS = 4 };
enum {
	NEXTHDR_HOP = 0,
	NEXTHDR_ROUTING = 43,
	NEXTHDR_FRAGMENT = 44,
	NEXTHDR_AUTH = 51,
	NEXTHDR_NONE = 59,
	NEXTHDR_DEST = 60,
};

struct ipv6_fragment_header {
	uint8_t next_header, reserved;
	be16 offset;
	be32 id;
};

INLINE int fragments_enabled(const struct packet *p)
{
	return is_ipv6(p) ? config.enable_ipv6_fragments : config.enable_ipv4_fragments;
}

/* Reads the network header again; after a rewrite this is how the stages see the new addresses. */
SUBPROGRAM int parse_network(struct __sk_buff *ctx, struct packet *p)
{
	if (!p)
		return -DROP_INVALID;
	if (is_ipv6(p)) {
		if (bpf_skb_load_bytes(ctx, l3_offset(), &p->header.ip6, sizeof(p->header.ip6)) < 0)
			return -DROP_INVALID;
		p->saddr = p->header.ip6.saddr;
		p->daddr = p->header.ip6.daddr;
		p->next_header = p->header.ip6.next_header;
		return 0;
	}
	if (bpf_skb_load_bytes(ctx, l3_offset(), &p->header.ip4, sizeof(p->header.ip4)) < 0)
		return -DROP_INVALID;
	p->saddr = (struct v6addr){ .w0 = p->header.ip4.saddr };
	p->daddr = (struct v6addr){ .w0 = p->header.ip4.daddr };
	p->next_header = p->header.ip4.protocol;
	return 0;
}

/* Length of one extension header, 0 if `header` is not one. *next becomes what follows it. */
INLINE int extension_length(struct __sk_buff *ctx, uint8_t header, uint32_t offset, uint8_t *next)
{
	uint8_t option[2];

	switch (header) {
	case NEXTHDR_NONE:
		return -DROP_INVALID_EXTHDR;
	case NEXTHDR_FRAGMENT:
	case NEXTHDR_AUTH:
	case NEXTHDR_HOP:
	case NEXTHDR_ROUTING:
	case NEXTHDR_DEST:
		break;
	default:
		return 0;
	}
	if (bpf_skb_load_bytes(ctx, offset, option, sizeof(option)) < 0)
		return -DROP_INVALID;
	*next = option[0];
	if (header == NEXTHDR_FRAGMENT)
		return sizeof(struct ipv6_fragment_header);
	if (header == NEXTHDR_AUTH)
		return (option[1] + 2) * 4;
	return (option[1] + 1) * 8;
}

/* Walks the extension headers and notes a fragment header on the way. */
INLINE int parse_extensions(struct __sk_buff *ctx, struct packet *p)
{
	uint32_t length = sizeof(struct ipv6_header);
	uint8_t header = p->next_header;

	for (int i = 0; i < IPV6_MAX_HEADERS; i++) {
		uint8_t next = header;
		int size = extension_length(ctx, header, l3_offset() + length, &next);

		if (size < 0)
			return size;
		if (size == 0) {
			p->ct.tuple.nexthdr = header;
			p->l4_off = l3_offset() + length;
			return 0;
		}
		if (header == NEXTHDR_FRAGMENT) {
			struct ipv6_fragment_header f;

			if (bpf_skb_load_bytes(ctx, l3_offset() + length, &f, sizeof(f)) < 0)
				return -DROP_INVALID;
			p->fragment = (f.offset & HTONS(0xfff9)) != 0;
			p->headless = (f.offset & HTONS(0xfff8)) != 0;
			p->fragment_protocol = f.next_header;
			p->fragment_id = f.id;
		}
		length += size;
		header = next;
	}
	return -DROP_INVALID_EXTHDR;
}

/* Finds the layer 4 header: sets l4_off, ct.tuple.nexthdr and the fragment fields. */
SUBPROGRAM int parse_transport(struct __sk_buff *ctx, struct packet *p)
{
	struct ipv4_header *ip4;

	if (!p)
		return -DROP_INVALID;
	ip4 = &p->header.ip4;
	p->fragment = p->headless = p->fragment_protocol = 0;
	p->fragment_id = 0;
	if (is_ipv6(p))
		return parse_extensions(ctx, p);
	p->ct.tuple.nexthdr = ip4->protocol;
	p->l4_off = l3_offset() + (ip4->version_ihl & 0xf) * 4;
	p->fragment = (ip4->fragment & HTONS(0x3fff)) != 0;
	p->headless = (ip4->fragment & HTONS(0x1fff)) != 0;
	p->fragment_protocol = ip4->protocol;
	p->fragment_id = ip4->id;
	return 0;
}

/* Where fragments are not tracked they are dropped before anything else. IPv6 needs a walk to know one; unlike
 * parse_transport() it stops at the fragment header.
 */
STAGE int refuse_fragments(struct __sk_buff *ctx, struct packet *p)
{
	uint32_t length = sizeof(struct ipv6_header);
	uint8_t header = p->next_header;

	if (fragments_enabled(p))
		return 0;
	if (!is_ipv6(p))
		return p->header.ip4.fragment & HTONS(0x3fff) ? -DROP_FRAG_NOSUPPORT : 0;
	for (int i = 0; i < IPV6_MAX_HEADERS; i++) {
		uint8_t next = header;
		int size = extension_length(ctx, header, l3_offset() + length, &next);

		if (size <= 0)
			return size;
		if (header == NEXTHDR_FRAGMENT) {
			struct ipv6_fragment_header f;

			if (bpf_skb_load_bytes(ctx, l3_offset() + length, &f, sizeof(f)) < 0)
				return -DROP_INVALID;
			return f.offset & HTONS(0xfff9) ? -DROP_FRAG_NOSUPPORT : 0;
		}
		length += size;
		header = next;
	}
	return -DROP_INVALID_EXTHDR;
}

INLINE int metric_of(int ct_dir)
{
	return ct_dir == CT_INGRESS ? METRIC_INGRESS : ct_dir == CT_EGRESS ? METRIC_EGRESS : METRIC_SERVICE;
}

/* Ports of the first fragment, remembered for those that come without a layer 4 header. */
INLINE struct frag_l4ports *remembered_ports(struct packet *p, struct frag_l4ports *learn)
{
	if (is_ipv6(p)) {
		struct ipv6_frag_id id = {
			.id = p->fragment_id,
			.proto = p->fragment_protocol,
			.saddr = p->saddr,
			.daddr = p->daddr,
		};

		if (learn)
			return bpf_map_update_elem(&cilium_ipv6_frag_datagrams, &id, learn, BPF_ANY) ? 0 : learn;
		return bpf_map_lookup_elem(&cilium_ipv6_frag_datagrams, &id);
	} else {
		struct ipv4_frag_id id = {
			.daddr = p->daddr.w0,
			.saddr = p->saddr.w0,
			.id = (be16)p->fragment_id,
			.proto = p->fragment_protocol,
		};

		if (learn)
			return bpf_map_update_elem(&cilium_ipv4_frag_datagrams, &id, learn, BPF_ANY) ? 0 : learn;
		return bpf_map_lookup_elem(&cilium_ipv4_frag_datagrams, &id);
	}
}

/* Reads the ports into ct.tuple, source port first: conntrack keeps a tuple's ports reversed. */
SUBPROGRAM int load_ports(struct __sk_buff *ctx, struct packet *p, int ct_dir)
{
	struct frag_l4ports ports;

	if (!p)
		return -DROP_INVALID;
	if (p->headless) {
		struct frag_l4ports *known;

		if (!fragments_enabled(p))
			return -DROP_FRAG_NOSUPPORT;
		known = remembered_ports(p, 0);
		if (!known)
			return -DROP_FRAG_NOT_FOUND;
		ports = *known;
	} else {
		if (bpf_skb_load_bytes(ctx, p->l4_off, &ports, sizeof(ports)) < 0)
			return -DROP_CT_INVALID_HDR;
		if (p->fragment && fragments_enabled(p) && !remembered_ports(p, &ports))
			count(ctx, metric_of(ct_dir), REASON_FRAG_PACKET_UPDATE, PLACE_FRAGMENT);
	}
	p->ct.tuple.dport = ports.sport;
	p->ct.tuple.sport = ports.dport;
	return 0;
}

INLINE int has_ports(uint8_t protocol)
{
	return protocol == L4_TCP || protocol == L4_UDP || (protocol == L4_SCTP && config.enable_sctp);
}

/* The tuple of a packet that may belong to a service. -DROP_UNSUPP_SERVICE_PROTO for ICMP and -DROP_UNKNOWN_L4 for
 * other protocols mean that it cannot; every other error is one.
 */
STAGE int parse_service_tuple(struct __sk_buff *ctx, struct packet *p)
{
	p->ct.tuple.saddr = p->saddr;
	p->ct.tuple.daddr = p->daddr;
	if (has_ports(p->ct.tuple.nexthdr))
		return load_ports(ctx, p, CT_EGRESS);
	return p->ct.tuple.nexthdr == (is_ipv6(p) ? L4_ICMPV6 : L4_ICMP) ? -DROP_UNSUPP_SERVICE_PROTO :
									   -DROP_UNKNOWN_L4;
}

INLINE int not_a_service(int error)
{
	return error == -DROP_UNSUPP_SERVICE_PROTO || error == -DROP_UNKNOWN_L4;
}
