/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Neighbours: ARP and neighbour solicitations are answered by the programs, and so is a hop limit that runs out.
 * Modelled: bpf/lib/arp.h, icmp6.h.
 */
#pragma once

#include "lib/icmp.h"
#include "lib/identity.h"

enum { ARP_REQUEST = 1, ARP_REPLY = 2, ARP_ETHERNET = 1 };
enum { ND_SOLICITATION = 135, ND_ADVERTISEMENT = 136, ND_OPTION_TARGET = 2 };

struct arp_frame {
	uint8_t destination[6], source[6];
	be16 type;
	be16 hardware, protocol;
	uint8_t hardware_length, protocol_length;
	be16 operation;
	uint8_t sender_mac[6];
	be32 sender;
	uint8_t target_mac[6];
	be32 target;
} ABI_PACKED;
ABI_SIZE(struct arp_frame, 42);

INLINE int mac_equal(const uint8_t *mac, const volatile struct macaddr *b)
{
	return mac[0] == b->a0 && mac[1] == b->a1 && mac[2] == b->a2 && mac[3] == b->a3 && mac[4] == b->a4 &&
	       mac[5] == b->a5;
}

INLINE void put_mac(uint8_t *mac, const volatile struct macaddr *from)
{
	mac[0] = from->a0;
	mac[1] = from->a1;
	mac[2] = from->a2;
	mac[3] = from->a3;
	mac[4] = from->a4;
	mac[5] = from->a5;
}

/* Answers an endpoint's request for any address but its own with the device's address: the gateway may have changed
 * since the endpoint was made. What is no such request goes to the stack. Modelled: tail_handle_arp() of bpf_lxc.c.
 */
STAGE int answer_arp(struct __sk_buff *ctx, struct packet *p)
{
	static const struct macaddr broadcast = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0 };
	struct arp_frame f;
	be32 sender;

	if (bpf_skb_load_bytes(ctx, 0, &f, sizeof(f)) < 0 || f.operation != HTONS(ARP_REQUEST) ||
	    f.hardware != HTONS(ARP_ETHERNET) ||
	    (!mac_equal(f.destination, &broadcast) && !mac_equal(f.destination, &config.interface_mac)) ||
	    f.target == config.endpoint_ipv4)
		return TC_ACT_OK;
	/* the answer goes to the frame's source, whatever the request says */
	sender = f.sender;
	__builtin_memcpy(f.destination, f.source, 6);
	__builtin_memcpy(f.target_mac, f.source, 6);
	put_mac(f.source, &config.interface_mac);
	put_mac(f.sender_mac, &config.interface_mac);
	f.operation = HTONS(ARP_REPLY);
	f.sender = f.target;
	f.target = sender;
	if (bpf_skb_store_bytes(ctx, 0, &f, sizeof(f), 0) < 0)
		return drop_from(ctx, p, -DROP_WRITE_ERROR, IDENTITY_UNKNOWN, PLACE_REPLY, METRIC_EGRESS);
	return back(ctx);
}

/* Sends an ICMPv6 message back: from `source` to who sent the packet, whose MAC becomes the destination. */
INLINE int send_icmp6_back(struct __sk_buff *ctx, struct packet *p, const struct v6addr *source)
{
	uint32_t checksum = l3_offset() + sizeof(struct ipv6_header) + 2;
	struct v6addr old_source = p->saddr, old_destination = p->daddr;
	uint8_t mac[6];

	if (write_address(ctx, p, ADDRESS_SOURCE, source) < 0 ||
	    write_address(ctx, p, ADDRESS_DESTINATION, &old_source) < 0)
		return -DROP_WRITE_ERROR;
	if (bpf_l4_csum_replace(ctx, checksum, 0, bpf_csum_diff(&old_source, 16, source, 16, 0),
				BPF_F_PSEUDO_HDR) < 0 ||
	    bpf_l4_csum_replace(ctx, checksum, 0, bpf_csum_diff(&old_destination, 16, &old_source, 16, 0),
				BPF_F_PSEUDO_HDR) < 0)
		return -DROP_CSUM_L4;
	if (bpf_skb_load_bytes(ctx, 6, mac, 6) < 0)
		return -DROP_INVALID;
	if (bpf_skb_store_bytes(ctx, 0, mac, 6, 0) < 0)
		return -DROP_WRITE_ERROR;
	put_mac(mac, &config.interface_mac);
	if (bpf_skb_store_bytes(ctx, 6, mac, 6, 0) < 0)
		return -DROP_WRITE_ERROR;
	return back(ctx);
}

/* Turns the solicitation into an advertisement of `mac`, making room for its option if there is none. */
INLINE int advertise(struct __sk_buff *ctx, struct packet *p, const uint8_t *mac, int router)
{
	uint32_t icmp = l3_offset() + sizeof(struct ipv6_header), option = icmp + 8 + 16, sum = 0;
	struct icmp_header old, new = { .type = ND_ADVERTISEMENT };
	be32 nothing = 0, eight = HTONL(8);
	uint8_t before[8], after[8] = { ND_OPTION_TARGET, 1 };
	struct v6addr target;

	if (bpf_skb_load_bytes(ctx, option, before, 8) < 0) {
		be16 length = HTONS(NTOHS(p->header.ip6.payload_length) + 8);
		uint8_t zero[8] = {};

		if (bpf_skb_change_tail(ctx, ctx->len + 8, 0) < 0 ||
		    bpf_skb_store_bytes(ctx, l3_offset() + 4, &length, 2, 0) < 0 ||
		    bpf_skb_store_bytes(ctx, option, zero, 8, 0) < 0)
			return -DROP_INVALID;
		sum = bpf_csum_diff(&nothing, 4, &eight, 4, 0);
	}
	if (bpf_skb_load_bytes(ctx, icmp, &old, sizeof(old)) < 0)
		return -DROP_INVALID;
	new.checksum = old.checksum;
	new.rest = router ? HTONL(0xc0000000) : HTONL(0x60000000); /* solicited, and router or override */
	if (bpf_skb_load_bytes(ctx, icmp + 8, &target, sizeof(target)) < 0 ||
	    bpf_skb_store_bytes(ctx, icmp, &new, sizeof(new), 0) < 0)
		return -DROP_WRITE_ERROR;
	sum = bpf_csum_diff(&old, sizeof(old), &new, sizeof(new), sum);
	if (bpf_skb_load_bytes(ctx, option, before, 8) < 0)
		return -DROP_INVALID;
	__builtin_memcpy(after + 2, mac, 6);
	if (bpf_skb_store_bytes(ctx, option, after, 8, 0) < 0)
		return -DROP_WRITE_ERROR;
	sum = bpf_csum_diff(before, 8, after, 8, sum);
	if (bpf_l4_csum_replace(ctx, icmp + 2, 0, sum, BPF_F_PSEUDO_HDR) < 0)
		return -DROP_CSUM_L4;
	return send_icmp6_back(ctx, p, &target);
}

/* The router, the loopback address of services and endpoints of this node are answered for; node addresses are left to
 * the stack. bpf_host leaves what it does not know to the stack, too.
 */
STAGE int advertised(struct __sk_buff *ctx, struct packet *p)
{
	struct v6addr target, router = config.router_ipv6, loopback = config.service_loopback_ipv6;
	struct endpoint_info *ep;
	uint8_t mac[6];

	if (bpf_skb_load_bytes(ctx, l3_offset() + sizeof(struct ipv6_header) + 8, &target, sizeof(target)) < 0)
		return -DROP_INVALID;
	put_mac(mac, &config.interface_mac);
	if (address_equal(&target, &router))
		return advertise(ctx, p, mac, 1);
	if (IS_LXC && address_equal(&target, &loopback))
		return bpf_skb_load_bytes(ctx, 6, mac, 6) < 0 ? -DROP_INVALID : advertise(ctx, p, mac, 0);
	ep = endpoint_at(p, &target);
	if (!ep)
		return IS_HOST ? TC_ACT_OK : -DROP_UNKNOWN_TARGET;
	return ep->flags & ENDPOINT_FLAG_HOST ? TC_ACT_OK : advertise(ctx, p, mac, 0);
}

STAGE int answer_solicitation(struct __sk_buff *ctx, struct packet *p, int dir)
{
	int ret = advertised(ctx, p);

	return ret < 0 ? drop_from(ctx, p, ret, IDENTITY_UNKNOWN, PLACE_REPLY, dir) : ret;
}

/* A message about neighbours: its type, or 0. Only one that follows the IPv6 header directly is seen. */
INLINE uint8_t neighbour_message(struct __sk_buff *ctx, struct packet *p)
{
	uint8_t type;

	if (p->next_header != L4_ICMPV6 ||
	    bpf_skb_load_bytes(ctx, l3_offset() + sizeof(struct ipv6_header), &type, 1) < 0)
		return 0;
	return type == ND_SOLICITATION || type == ND_ADVERTISEMENT ? type : 0;
}

struct time_exceeded {
	struct icmp_header head;
	struct ipv6_header ip;
	uint8_t quoted[20];
	/* not sent, but summed: the pseudo header */
	struct v6addr source, destination;
	be32 length, next_header;
} ABI_PACKED;
ABI_SIZE(struct time_exceeded, 108);

/* A hop limit that ran out: time exceeded, quoting the IPv6 header and 8 octets, or 20 of TCP. */
STAGE int exceeded(struct __sk_buff *ctx, struct packet *p)
{
	uint32_t icmp = l3_offset() + sizeof(struct ipv6_header), quoted, sum;
	struct time_exceeded *m = (struct time_exceeded *)p->sample;
	struct v6addr router = config.router_ipv6;
	uint8_t protocol = L4_ICMPV6;
	be16 length;

	if (parse_network(ctx, p) < 0)
		return -DROP_INVALID;
	__builtin_memset(m, 0, sizeof(*m));
	m->head.type = 3;
	m->ip = p->header.ip6;
	if (bpf_skb_store_bytes(ctx, l3_offset() + 6, &protocol, 1, 0) < 0)
		return -DROP_WRITE_ERROR;
	switch (p->next_header) {
	case L4_TCP:
		quoted = 20;
		break;
	case L4_SCTP:
		if (!config.enable_sctp)
			return -DROP_UNKNOWN_L4;
		quoted = 8;
		break;
	case L4_ICMPV6:
	case L4_UDP:
		quoted = 8;
		break;
	default:
		return -DROP_UNKNOWN_L4;
	}
	if ((quoted == 20 ? bpf_skb_load_bytes(ctx, icmp, m->quoted, 20) : bpf_skb_load_bytes(ctx, icmp, m->quoted, 8)) < 0)
		return -DROP_INVALID;
	length = HTONS(48 + quoted);
	m->source = p->saddr;
	m->destination = p->daddr;
	m->length = HTONL(48 + quoted);
	m->next_header = HTONL(L4_ICMPV6);
	sum = bpf_csum_diff(0, 0, m, sizeof(*m), 0); /* what is not quoted is zero */
	if (bpf_skb_change_tail(ctx, ctx->len + 48 + quoted - NTOHS(p->header.ip6.payload_length), 0) < 0 ||
	    (quoted == 20 ? bpf_skb_store_bytes(ctx, icmp, m, 68, 0) : bpf_skb_store_bytes(ctx, icmp, m, 56, 0)) < 0 ||
	    bpf_skb_store_bytes(ctx, l3_offset() + 4, &length, 2, 0) < 0)
		return -DROP_WRITE_ERROR;
	if (bpf_l4_csum_replace(ctx, icmp + 2, 0, sum, BPF_F_PSEUDO_HDR) < 0)
		return -DROP_CSUM_L4;
	return send_icmp6_back(ctx, p, &router);
}

SUBPROGRAM int answer_time_exceeded(struct __sk_buff *ctx, struct packet *p, int dir)
{
	int ret;

	if (!p)
		return TC_ACT_SHOT;
	ret = exceeded(ctx, p);
	return ret < 0 ? drop_from(ctx, p, ret, IDENTITY_UNKNOWN, PLACE_REPLY, dir) : ret;
}
