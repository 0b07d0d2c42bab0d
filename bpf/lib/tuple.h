/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Tuples, and the conntrack maps that are keyed by them: TCP has maps of its own, and so has each family. */
#pragma once

#include "lib/packet.h"

INLINE struct ipv4_ct_tuple tuple4(const struct tuple *t)
{
	return (struct ipv4_ct_tuple){
		.daddr = t->daddr.w0,
		.saddr = t->saddr.w0,
		.dport = t->dport,
		.sport = t->sport,
		.nexthdr = t->nexthdr,
		.flags = t->flags,
	};
}

STAGE struct ct_entry *ct_entry_of(const struct packet *p, const struct tuple *t)
{
	struct ipv4_ct_tuple t4;

	if (is_ipv6(p))
		return t->nexthdr == L4_TCP ? bpf_map_lookup_elem(&cilium_ct6_global, t) :
					      bpf_map_lookup_elem(&cilium_ct_any6_global, t);
	t4 = tuple4(t);
	return t->nexthdr == L4_TCP ? bpf_map_lookup_elem(&cilium_ct4_global, &t4) :
				      bpf_map_lookup_elem(&cilium_ct_any4_global, &t4);
}

/* Writes an entry; those that relate ICMP errors go into the map for "any" protocol. */
STAGE int ct_write(const struct packet *p, const struct tuple *t, const struct ct_entry *entry)
{
	struct ipv4_ct_tuple t4;

	if (is_ipv6(p))
		return t->nexthdr == L4_TCP ? bpf_map_update_elem(&cilium_ct6_global, t, entry, BPF_ANY) :
					      bpf_map_update_elem(&cilium_ct_any6_global, t, entry, BPF_ANY);
	t4 = tuple4(t);
	return t->nexthdr == L4_TCP ? bpf_map_update_elem(&cilium_ct4_global, &t4, entry, BPF_ANY) :
				      bpf_map_update_elem(&cilium_ct_any4_global, &t4, entry, BPF_ANY);
}

INLINE void swap_addresses(struct tuple *t)
{
	struct v6addr a = t->saddr;

	t->saddr = t->daddr;
	t->daddr = a;
}

INLINE void swap_ports(struct tuple *t)
{
	be16 port = t->sport;

	t->sport = t->dport;
	t->dport = port;
}

INLINE void reverse_tuple(struct tuple *t)
{
	swap_addresses(t);
	swap_ports(t);
}

/* The entry that an endpoint's or the node's own packet would have made for this tuple. */
INLINE struct ct_entry *ct_egress_entry(const struct packet *p, const struct tuple *t)
{
	struct tuple out = *t;

	out.flags = TUPLE_OUT;
	return ct_entry_of(p, &out);
}
