/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Source NAT by the node: a pair of entries per connection, one for its packets and one for the answers. Their tuples
 * read as the packet does, ports not reversed. TCP and UDP only: without BPF masquerading, ICMP never comes here.
 * Modelled: bpf/lib/nat.h.
 */
#pragma once

#include "lib/csum.h"
#include "lib/ct.h"
#include "lib/identity.h"

enum { SNAT_RETRIES = 32, SNAT_SIGNAL_RETRIES = 16, NAT_PUNT = -DROP_NAT_NOT_NEEDED };

/* Node ports come first, and what is above them is for NAT. */
INLINE uint16_t nat_min_port(void)
{
	return config.nodeport_port_max + 1;
}

/* Reads an entry in the layout of IPv6; 0 if there is none. */
SUBPROGRAM int nat_find(struct packet *p, const struct tuple *t, struct ipv6_nat_entry *entry)
{
	if (!p || !t || !entry)
		return 0;
	if (p->ipv6) {
		struct ipv6_nat_entry *e = bpf_map_lookup_elem(&cilium_snat_v6_external, t);

		if (e)
			*entry = *e;
		return e != 0;
	} else {
		struct ipv4_ct_tuple t4 = tuple4(t);
		struct ipv4_nat_entry *e = bpf_map_lookup_elem(&cilium_snat_v4_external, &t4);

		if (e)
			*entry = (struct ipv6_nat_entry){
				.created = e->created,
				.needs_ct = e->needs_ct,
				.to_addr = { .w0 = e->to_addr },
				.to_port = e->to_port,
			};
		return e != 0;
	}
}

SUBPROGRAM int nat_write(struct packet *p, const struct tuple *t, const struct ipv6_nat_entry *entry, int flags)
{
	if (!p || !t || !entry)
		return -EINVAL;
	if (p->ipv6) {
		return bpf_map_update_elem(&cilium_snat_v6_external, t, entry, flags);
	} else {
		struct ipv4_ct_tuple t4 = tuple4(t);
		struct ipv4_nat_entry e4 = {
			.created = entry->created,
			.needs_ct = entry->needs_ct,
			.to_addr = entry->to_addr.w0,
			.to_port = entry->to_port,
		};

		return bpf_map_update_elem(&cilium_snat_v4_external, &t4, &e4, flags);
	}
}

SUBPROGRAM int nat_delete(struct packet *p, const struct tuple *t)
{
	if (!p || !t)
		return -DROP_INVALID;
	if (p->ipv6) {
		return bpf_map_delete_elem(&cilium_snat_v6_external, t);
	} else {
		struct ipv4_ct_tuple t4 = tuple4(t);

		return bpf_map_delete_elem(&cilium_snat_v4_external, &t4);
	}
}

/* The tuple of the answers to a translated packet. */
INLINE struct tuple answers_to(const struct tuple *t, const struct ipv6_nat_entry *entry)
{
	return (struct tuple){
		.saddr = t->daddr,
		.daddr = entry->to_addr,
		.sport = t->dport,
		.dport = entry->to_port,
		.nexthdr = t->nexthdr,
		.flags = TUPLE_IN,
	};
}

INLINE uint16_t port_in_range(const struct nat_target *target, uint16_t value)
{
	uint32_t ports = (uint32_t)(uint16_t)(target->max_port - target->min_port) + 1;

	return target->min_port + ((uint32_t)value * ports >> 16);
}

INLINE void count_retries(struct packet *p, uint32_t retries)
{
	uint32_t *known = p->ipv6 ? bpf_map_lookup_elem(&cilium_snat_v6_alloc_retries, &retries) :
				    bpf_map_lookup_elem(&cilium_snat_v4_alloc_retries, &retries);

	if (known)
		++*known;
}

/* Finds a free port, the packet's own if it may: the entry for the answers tells by not being there yet. */
SUBPROGRAM int nat_allocate(struct __sk_buff *ctx, struct packet *p)
{
	struct { uint32_t signal, protocol; } message = { .signal = SIGNAL_NAT_FILL_UP };
	struct ipv6_nat_entry *entry, answer = {};
	int ret = -DROP_NAT_NO_MAPPING;
	struct nat_target *target;
	struct tuple *t, back;
	uint32_t retries;
	uint16_t port;

	if (!p)
		return ret;
	t = &p->ct.tuple;
	target = &p->nat;
	entry = &p->nat_entry;
	message.protocol = p->ipv6;
	port = NTOHS(t->sport);
	answer.created = now_mono();
	answer.needs_ct = target->needs_ct;
	answer.to_addr = t->saddr;
	answer.to_port = t->sport;
	*entry = (struct ipv6_nat_entry){ .needs_ct = target->needs_ct, .to_addr = target->address };
	back = answers_to(t, entry);
	if (port < target->min_port || port > target->max_port)
		port = port_in_range(target, random_u32());
	for (retries = 0; retries < SNAT_RETRIES; retries++) {
		back.dport = HTONS(port);
		if (nat_write(p, &back, &answer, BPF_NOEXIST) == 0)
			break;
		port = port_in_range(target, retries ? port + 1 : (uint16_t)random_u32());
	}
	retries = opaque(retries); /* so that the verifier sees what follows once, not once for each number */
	count_retries(p, retries);
	if (retries < SNAT_RETRIES) {
		entry->to_port = back.dport;
		entry->created = answer.created;
		ret = nat_write(p, t, entry, BPF_ANY);
		if (ret < 0) {
			nat_delete(p, &back);
			p->drop.ext_err = ret;
			ret = -DROP_NAT_NO_MAPPING;
		}
	}
	if (retries > SNAT_SIGNAL_RETRIES)
		bpf_perf_event_output(ctx, &cilium_signals, BPF_F_CURRENT_CPU, &message, sizeof(message));
	return ret;
}

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
