/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Source NAT by the node: a pair of entries per connection, one for its packets and one for the answers. Their tuples
 * read as the packet does, ports not reversed. TCP and UDP only: without BPF masquerading, ICMP never comes here.
 * Modelled: bpf/lib/nat.h.
 */
#pragma once

#include "lib/csum.h"
#include "lib/nat_entry.h"

/* Conntrack of a translated connection, in the second query: its main one belongs to the packet as it came. */
INLINE int nat_track(struct __sk_buff *ctx, struct packet *p)
{
	struct ct_query *q = &p->service;
	int ret;

	q->tuple = p->ct.tuple;
	swap_addresses(&q->tuple);
	q->state = (struct ct_state){};
	q->monitor = 0;
	ret = ct_lookup_tuple(ctx, p, q, CT_EGRESS, SCOPE_FORWARD, CT_MATCH_ANY);
	q->status = ret;
	if (ret == CT_NEW) {
		q->state = (struct ct_state){};
		ret = ct_create(ctx, p, q, 0);
	}
	return ret < 0 ? ret : 0;
}

/* The entry of the packet's connection for p->nat, found or made, into p->nat_entry; whichever of the pair is missing
 * is made again.
 */
SUBPROGRAM int nat_map(struct __sk_buff *ctx, struct packet *p)
{
	struct ipv6_nat_entry *entry, other;
	struct nat_target *target;
	struct tuple back;
	int known, ret;

	if (!p)
		return -DROP_NAT_NO_MAPPING;
	target = &p->nat;
	entry = &p->nat_entry;
	known = nat_find(p, &p->ct.tuple, entry);
	if (target->needs_ct) {
		ret = nat_track(ctx, p);
		if (ret < 0)
			return ret;
	}
	if (known) {
		back = answers_to(&p->ct.tuple, entry);
		if (address_equal(&target->address, &entry->to_addr) && target->needs_ct == entry->needs_ct) {
			if (nat_find(p, &back, &other))
				return 0;
			other = (struct ipv6_nat_entry){
				.created = now_mono(),
				.needs_ct = target->needs_ct,
				.to_addr = p->ct.tuple.saddr,
				.to_port = p->ct.tuple.sport,
			};
			ret = nat_write(p, &back, &other, BPF_ANY);
			if (ret < 0) {
				p->drop.ext_err = ret;
				return -DROP_NAT_NO_MAPPING;
			}
			return 0;
		}
		ret = nat_delete(p, &p->ct.tuple);
		if (ret < 0)
			return ret;
		nat_delete(p, &back);
	}
	return nat_allocate(ctx, p);
}

/* Replaces one address and port of the packet by those of p->nat_entry. */
SUBPROGRAM int nat_rewrite(struct __sk_buff *ctx, struct packet *p, int source)
{
	struct ipv6_nat_entry *to;
	struct v6addr *from;
	uint32_t sum;
	be16 port;
	int ret;

	if (!p)
		return -DROP_INVALID;
	to = &p->nat_entry;
	from = source ? &p->saddr : &p->daddr;
	port = source ? p->ct.tuple.sport : p->ct.tuple.dport;
	if (address_equal(from, &to->to_addr) && port == to->to_port)
		return 0;
	sum = address_difference(p, from, &to->to_addr, 0);
	if (write_address(ctx, p, source ? ADDRESS_SOURCE : ADDRESS_DESTINATION, &to->to_addr) < 0)
		return -DROP_WRITE_ERROR;
	ret = fix_header_checksum(ctx, p, sum);
	if (ret < 0 || p->headless)
		return ret;
	if (port != to->to_port) {
		ret = write_port(ctx, p, source ? PORT_SOURCE : PORT_DESTINATION, port, to->to_port);
		if (ret < 0)
			return ret;
	}
	return fix_l4_checksum(ctx, p, sum);
}

/* An answer to a translated packet gets its true destination back. NAT_PUNT or -DROP_NAT_NO_MAPPING: it is none. */
SUBPROGRAM int nat_reverse(struct __sk_buff *ctx, struct packet *p)
{
	if (!p)
		return -DROP_INVALID;
	struct tuple *t = &p->ct.tuple, forth;
	struct ipv6_nat_entry *entry = &p->nat_entry, other;
	struct ct_query *q = &p->service;
	int ret;

	t->saddr = p->saddr;
	t->daddr = p->daddr;
	t->flags = TUPLE_IN;
	ret = load_ports(ctx, p, CT_INGRESS);
	if (ret < 0)
		return ret;
	swap_ports(t);
	if (NTOHS(t->dport) < nat_min_port())
		return NAT_PUNT;
	if (!nat_find(p, t, entry))
		return -DROP_NAT_NO_MAPPING;
	forth = (struct tuple){
		.saddr = entry->to_addr,
		.sport = entry->to_port,
		.daddr = t->saddr,
		.dport = t->sport,
		.nexthdr = t->nexthdr,
		.flags = TUPLE_OUT,
	};
	if (!nat_find(p, &forth, &other)) {
		other = (struct ipv6_nat_entry){
			.created = now_mono(),
			.needs_ct = entry->needs_ct,
			.to_addr = t->daddr,
			.to_port = t->dport,
		};
		if (nat_write(p, &forth, &other, BPF_ANY) < 0)
			return -DROP_NAT_NO_MAPPING;
	}
	if (entry->needs_ct) {
		q->tuple = *t;
		q->tuple.daddr = entry->to_addr;
		q->tuple.dport = entry->to_port;
		swap_ports(&q->tuple);
		q->state = (struct ct_state){};
		ret = ct_lookup_tuple(ctx, p, q, CT_INGRESS, SCOPE_REVERSE, CT_MATCH_ANY);
		if (ret < 0)
			return ret;
	}
	return nat_rewrite(ctx, p, 0);
}
