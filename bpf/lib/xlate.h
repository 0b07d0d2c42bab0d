/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Translation of a service's address into a backend's, and of a backend's answers back. Modelled: lb4/6_xlate(),
 * lb4/6_dnat_request() and lb4/6_rev_nat() of bpf/lib/lb.h.
 */
#pragma once

#include "lib/lb.h"

/* Sends the packet to p->backend_*. An endpoint that would meet itself gets the loopback address as its source, or it
 * would refuse its own packet.
 */
SUBPROGRAM int translate(struct __sk_buff *ctx, struct packet *p)
{
	if (!p)
		return -DROP_INVALID;
	struct tuple *t = &p->ct.tuple;
	be16 port = t->sport;
	uint32_t sum;
	int ret;

	if (write_address(ctx, p, ADDRESS_DESTINATION, &p->backend_address) < 0)
		return -DROP_WRITE_ERROR;
	sum = address_difference(p, &p->daddr, &p->backend_address, 0);
	if (p->loopback) {
		struct v6addr source = config.service_loopback_ipv6;

		if (!is_ipv6(p))
			source = (struct v6addr){ .w0 = config.service_loopback_ipv4 };
		if (source.w0 || source.w1 || source.w2 || source.w3) {
			if (write_address(ctx, p, ADDRESS_SOURCE, &source) < 0)
				return -DROP_WRITE_ERROR;
			sum = address_difference(p, &p->saddr, &source, sum);
		}
	} else {
		t->daddr = p->backend_address;
	}
	if (p->backend_port)
		t->sport = p->backend_port;
	ret = fix_header_checksum(ctx, p, sum);
	if (ret < 0 || p->headless)
		return ret;
	ret = fix_l4_checksum(ctx, p, sum);
	if (ret < 0 || !p->backend_port || p->backend_port == port)
		return ret;
	return write_port(ctx, p, PORT_DESTINATION, port, p->backend_port);
}

/* The address that a service's clients know. */
STAGE int reverse_nat_of(struct packet *p, uint16_t index, struct v6addr *address, be16 *port)
{
	if (is_ipv6(p)) {
		struct lb6_reverse_nat *nat = bpf_map_lookup_elem(&cilium_lb6_reverse_nat, &index);

		if (!nat)
			return 0;
		*address = nat->address;
		*port = nat->port;
	} else {
		struct lb4_reverse_nat *nat = bpf_map_lookup_elem(&cilium_lb4_reverse_nat, &index);

		if (!nat)
			return 0;
		*address = (struct v6addr){ .w0 = nat->address };
		*port = nat->port;
	}
	return 1;
}

/* IPv6 has no header checksum that would make up for the addresses in a checksum that the device completes. Kernels
 * that know BPF_F_IPV6 do it right; on others the direction decides.
 */
INLINE int fix_l4_checksum6(struct __sk_buff *ctx, struct packet *p, uint32_t sum, int dir)
{
	uint8_t protocol = p->ct.tuple.nexthdr;
	uint32_t offset = p->l4_off + l4_checksum_offset(protocol);
	int ret;

	if (!l4_checksum_offset(protocol))
		return 0;
	ret = bpf_l4_csum_replace(ctx, offset, 0, sum, BPF_F_PSEUDO_HDR | BPF_F_IPV6 | l4_checksum_flags(protocol));
	if (ret == -EINVAL)
		ret = bpf_l4_csum_replace(ctx, offset, 0, sum,
					  (dir == CT_EGRESS ? BPF_F_PSEUDO_HDR : 0) | l4_checksum_flags(protocol));
	return ret < 0 ? -DROP_CSUM_L4 : 0;
}

INLINE int reverse_port(struct __sk_buff *ctx, struct packet *p, be16 port)
{
	uint8_t protocol = p->ct.tuple.nexthdr;

	if (has_ports(protocol))
		return port && port != p->ct.tuple.dport ? write_port(ctx, p, PORT_SOURCE, p->ct.tuple.dport, port) : 0;
	return protocol == L4_ICMP || protocol == L4_ICMPV6 ? 0 : -DROP_UNKNOWN_L4;
}

/* Gives an answer the source that its client expects; with `loopback` also its true destination, which is the address
 * it comes from. p->ct.tuple holds the packet's ports.
 */
SUBPROGRAM int translate_back(struct __sk_buff *ctx, struct packet *p, struct v6addr *source, be16 port, int dir)
{
	struct v6addr old_source, old_destination;
	int loopback, ret;
	uint32_t sum = 0;

	if (!p || !source)
		return -DROP_INVALID;
	old_source = p->saddr;
	old_destination = p->daddr;
	loopback = p->loopback;
	if (loopback) {
		if (write_address(ctx, p, ADDRESS_DESTINATION, &old_source) < 0)
			return -DROP_WRITE_ERROR;
		sum = address_difference(p, &old_destination, &old_source, 0);
		if (is_ipv6(p)) {
			ret = p->headless ? 0 : fix_l4_checksum6(ctx, p, sum, dir);
			if (ret < 0)
				return ret;
			sum = 0;
		}
	}
	if (write_address(ctx, p, ADDRESS_SOURCE, source) < 0)
		return -DROP_WRITE_ERROR;
	sum = address_difference(p, &old_source, source, sum);
	ret = fix_header_checksum(ctx, p, sum);
	if (ret < 0 || p->headless)
		return ret;
	if (port) {
		ret = reverse_port(ctx, p, port);
		if (ret < 0)
			return ret;
	}
	return is_ipv6(p) ? fix_l4_checksum6(ctx, p, sum, dir) : fix_l4_checksum(ctx, p, sum);
}
