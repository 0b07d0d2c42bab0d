/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The entries of source NAT: finding, writing and removing them, and a free port for a new one.
 * Modelled: bpf/lib/nat.h.
 */
#pragma once

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
	if (is_ipv6(p)) {
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
	if (is_ipv6(p)) {
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
	if (is_ipv6(p)) {
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
	uint32_t *known = is_ipv6(p) ? bpf_map_lookup_elem(&cilium_snat_v6_alloc_retries, &retries) :
				       bpf_map_lookup_elem(&cilium_snat_v4_alloc_retries, &retries);

	if (known)
		++*known;
}

/* Tries ports from back->dport on: the entry for the answers tells by not being there yet. Returns how many were
 * taken.
 */
SUBPROGRAM uint32_t nat_claim_port(struct packet *p, struct tuple *back, const struct ipv6_nat_entry *answer)
{
	uint32_t retries;
	uint16_t port;

	if (!p || !back || !answer)
		return SNAT_RETRIES;
	port = NTOHS(back->dport);
	for (retries = 0; retries < SNAT_RETRIES; retries++) {
		back->dport = HTONS(port);
		if (nat_write(p, back, answer, BPF_NOEXIST) == 0)
			break;
		port = port_in_range(&p->nat, retries ? port + 1 : (uint16_t)random_u32());
	}
	return retries;
}

/* Finds a free port, the packet's own if it may. */
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
	message.protocol = is_ipv6(p);
	port = NTOHS(t->sport);
	answer.created = now_mono();
	answer.needs_ct = target->needs_ct;
	answer.to_addr = t->saddr;
	answer.to_port = t->sport;
	*entry = (struct ipv6_nat_entry){ .needs_ct = target->needs_ct, .to_addr = target->address };
	back = answers_to(t, entry);
	if (port < target->min_port || port > target->max_port)
		port = port_in_range(target, random_u32());
	back.dport = HTONS(port);
	retries = nat_claim_port(p, &back, &answer);
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
