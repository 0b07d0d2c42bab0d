/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Connection tracking. An entry is keyed by the tuple in the direction of its first packet, with the addresses reversed
 * and a flag that says whether the endpoint opened the connection (OUT), accepted it (IN), or addressed a service.
 * A look-up tries the reply direction first, since what is a reply needs no policy. Modelled: bpf/lib/conntrack.h.
 */
#pragma once

#include "lib/parse.h"
#include "lib/tuple.h"

enum ct_scope { SCOPE_FORWARD, SCOPE_REVERSE, SCOPE_BIDIR };
/* Which entries count: all; of the service asked for; made by the node's load balancer. */
enum ct_match { CT_MATCH_ANY = 0, CT_MATCH_NODEPORT = 1, CT_MATCH_SERVICE = 4 };
enum tcp_flag { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_ACK = 16 };

#define CT_CLOSING (CT_FLAG_RX_CLOSING | CT_FLAG_TX_CLOSING)
/* the flags that pass between an entry and a state as they are */
#define CT_STATE_FLAGS \
	(CT_FLAG_LOOPBACK | CT_FLAG_NODE_PORT | CT_FLAG_PROXY_REDIRECT | CT_FLAG_DSR_INTERNAL | CT_FLAG_FROM_L7LB | \
	 CT_FLAG_FROM_TUNNEL)

INLINE uint8_t tuple_flag(int dir, int scope)
{
	if (dir == CT_SERVICE)
		return TUPLE_SERVICE;
	if (scope == SCOPE_FORWARD)
		return dir == CT_EGRESS ? TUPLE_OUT : TUPLE_IN;
	return dir == CT_EGRESS ? TUPLE_IN : TUPLE_OUT;
}

/* The last seen state of one direction, and when a trace last told of it. Returns how much to trace now: a new TCP
 * flag, or silence for longer than the report interval, makes a packet worth telling.
 */
SUBPROGRAM uint32_t refresh(struct ct_entry *entry, uint32_t lifetime, int dir, uint8_t tcp_flags)
{
	uint32_t now = now_mono(), last;
	uint8_t known, seen;

	if (!entry)
		return 0;
	known = dir == CT_INGRESS ? entry->rx_flags_seen : entry->tx_flags_seen;
	last = dir == CT_INGRESS ? entry->last_rx_report : entry->last_tx_report;
	seen = known | (tcp_flags & config.ct_report_flags);
	entry->lifetime = now + lifetime;
	if ((uint32_t)(last + mono_of_seconds(config.ct_report_interval)) >= now && known == seen)
		return 0;
	if (dir == CT_INGRESS) {
		entry->rx_flags_seen = seen;
		entry->last_rx_report = now;
	} else {
		entry->tx_flags_seen = seen;
		entry->last_tx_report = now;
	}
	return config.trace_payload_len;
}

SUBPROGRAM uint32_t ct_refresh(struct ct_entry *entry, int tcp, int dir, uint8_t tcp_flags)
{
	uint32_t lifetime = dir == CT_SERVICE ? config.ct_service_lifetime_nontcp :
						config.ct_connection_lifetime_nontcp;

	if (!entry)
		return 0;
	if (tcp) {
		if (!(tcp_flags & TCP_SYN))
			entry->flags |= CT_FLAG_SEEN_NON_SYN;
		if (!(entry->flags & CT_FLAG_SEEN_NON_SYN))
			lifetime = config.ct_syn_timeout;
		else
			lifetime = dir == CT_SERVICE ? config.ct_service_lifetime_tcp :
						       config.ct_connection_lifetime_tcp;
	}
	return refresh(entry, mono_of_seconds(lifetime), dir, tcp_flags);
}

INLINE int ct_alive(const struct ct_entry *entry)
{
	return (entry->flags & CT_CLOSING) != CT_CLOSING;
}

INLINE int ct_matches(const struct ct_entry *entry, const struct ct_query *q)
{
	if (q->types == CT_MATCH_ANY)
		return 1;
	if ((q->types & CT_MATCH_SERVICE) && entry->rev_nat_index == q->state.rev_nat_index)
		return 1;
	return (q->types & CT_MATCH_NODEPORT) && config.enable_nodeport && (entry->flags & CT_FLAG_NODE_PORT) &&
	       entry->rev_nat_index &&
	       (!q->state.rev_nat_index || entry->rev_nat_index == q->state.rev_nat_index);
}

/* FIN or RST: one direction, or both, is done. A reset ends both: Cilium asks whether both SYNs were seen, but tests
 * an octet for a bit of the second, so on little-endian machines the answer is always no.
 */
INLINE void ct_close(struct ct_entry *entry, int dir, uint8_t tcp_flags)
{
	if (dir == CT_SERVICE || (tcp_flags & TCP_RST))
		entry->flags |= CT_CLOSING;
	else
		entry->flags |= dir == CT_INGRESS ? CT_FLAG_RX_CLOSING : CT_FLAG_TX_CLOSING;
}

/* One look-up in one direction: CT_NEW, or CT_ESTABLISHED with q->state filled. */
SUBPROGRAM int ct_probe(struct __sk_buff *ctx, struct packet *p, struct ct_query *q, uint8_t tcp_flags)
{
	int tcp, dir, syn = tcp_flags & TCP_SYN;
	struct ct_entry *entry;

	if (!p || !q)
		return CT_NEW;
	tcp = q->tuple.nexthdr == L4_TCP;
	dir = q->dir;
	entry = ct_entry_of(p, &q->tuple);
	if (!entry || !ct_matches(entry, q) ||
	    (dir == CT_SERVICE && syn && (entry->flags & CT_CLOSING) &&
	     (uint32_t)(entry->last_tx_report + mono_of_seconds(config.ct_service_close_rebalance)) <= now_mono())) {
		q->monitor = config.trace_payload_len;
		return CT_NEW;
	}
	if (ct_alive(entry))
		q->monitor = ct_refresh(entry, tcp, dir, tcp_flags);
	if (config.enable_conntrack_accounting) {
		__sync_fetch_and_add(&entry->packets, 1);
		__sync_fetch_and_add(&entry->bytes, ctx->len);
	}
	if (tcp_flags & (TCP_RST | TCP_FIN)) {
		ct_close(entry, dir, tcp_flags);
		q->monitor = config.trace_payload_len;
		if (!ct_alive(entry))
			refresh(entry, mono_of_seconds(config.ct_close_timeout), dir, tcp_flags);
	} else if (syn && !(tcp_flags & TCP_ACK) && (entry->flags & CT_CLOSING)) {
		/* A connection begins anew where an old one was closing: the caller makes a new entry. */
		entry->flags &= ~(CT_CLOSING | CT_FLAG_SEEN_NON_SYN);
		entry->rx_flags_seen = 0;
		entry->tx_flags_seen = 0;
		q->monitor = ct_refresh(entry, tcp, dir, tcp_flags);
		return CT_NEW;
	}
	q->state.rev_nat_index = entry->rev_nat_index;
	if (dir == CT_SERVICE) {
		q->state.backend_id = entry->backend_id;
		q->state.syn = syn != 0;
		return CT_ESTABLISHED;
	}
	q->state.flags = entry->flags & CT_STATE_FLAGS;
	__builtin_memcpy(&q->state.nat_addr, &entry->nat_addr_low, sizeof(q->state.nat_addr));
	q->state.nat_port = entry->nat_port;
	return CT_ESTABLISHED;
}

/* Looks q->tuple up in q->scope; the tuple's flags must be set. Returns enum ct_status, or a negated drop reason.
 * SCOPE_FORWARD expects the tuple in forward layout; the others leave it so if nothing was found in reverse.
 */
SUBPROGRAM int ct_find(struct __sk_buff *ctx, struct packet *p, struct ct_query *q)
{
	uint8_t tcp_flags = 0;

	if (!p || !q)
		return -DROP_UNKNOWN_CT;
	if (p->fragment && fragments_enabled(p))
		count(ctx, metric_of(q->dir), REASON_FRAG_PACKET, PLACE_FRAGMENT);
	if (q->tuple.nexthdr == L4_TCP && !p->headless) {
		uint8_t offset_flags[2];

		if (bpf_skb_load_bytes(ctx, p->l4_off + 12, offset_flags, 2) < 0)
			return -DROP_CT_INVALID_HDR;
		tcp_flags = offset_flags[1];
	}
	if (q->scope != SCOPE_FORWARD) {
		if (ct_probe(ctx, p, q, tcp_flags) != CT_NEW)
			return q->tuple.flags & TUPLE_RELATED ? CT_RELATED : CT_REPLY;
		if (q->scope == SCOPE_REVERSE)
			return CT_NEW;
		reverse_tuple(&q->tuple);
		q->tuple.flags ^= TUPLE_IN;
	}
	return ct_probe(ctx, p, q, tcp_flags);
}

/* Ports of the tuple for conntrack: for ICMP, the identifier of an echo; an ICMP error relates to a connection. */
SUBPROGRAM int ct_icmp_tuple(struct __sk_buff *ctx, struct packet *p, struct ct_query *q)
{
	if (!p || !q)
		return -DROP_INVALID;
	struct tuple *t = &q->tuple;
	uint8_t head[2];
	be16 identifier = 0;
	int request, reply, error, too_big;

	if (p->fragment)
		return -DROP_INVALID;
	if (bpf_skb_load_bytes(ctx, p->l4_off, head, 1) < 0)
		return -DROP_CT_INVALID_HDR;
	head[1] = 0;
	if (!is_ipv6(p) && bpf_skb_load_bytes(ctx, p->l4_off, head, 2) < 0)
		return -DROP_CT_INVALID_HDR;
	request = head[0] == (is_ipv6(p) ? 128 : 8);
	reply = head[0] == (is_ipv6(p) ? 129 : 0);
	error = is_ipv6(p) ? head[0] >= 1 && head[0] <= 4 : head[0] == 3 || head[0] == 11 || head[0] == 12;
	too_big = is_ipv6(p) ? head[0] == 2 : head[0] == 3 && head[1] == 4;
	if ((request || reply) && bpf_skb_load_bytes(ctx, p->l4_off + 4, &identifier, 2) < 0)
		return -DROP_CT_INVALID_HDR;
	if (too_big)
		count(ctx, metric_of(q->dir), REASON_MTU_ERROR_MSG, PLACE_HEADER);
	if (error)
		t->flags |= TUPLE_RELATED;
	t->sport = reply ? identifier : 0;
	t->dport = request ? identifier : 0;
	return 0;
}

/* Looks up the packet's connection, by p->ct.tuple.nexthdr and the addresses as parsed; p->ct.status says what was
 * found.
 */
STAGE int ct_lookup(struct __sk_buff *ctx, struct packet *p, int dir, int scope)
{
	struct ct_query *q = &p->ct;
	int ret;

	q->dir = dir;
	q->scope = scope;
	q->types = CT_MATCH_ANY;
	q->tuple.saddr = p->saddr;
	q->tuple.daddr = p->daddr;
	q->tuple.flags = tuple_flag(dir, scope);
	if (has_ports(q->tuple.nexthdr)) {
		ret = load_ports(ctx, p, dir);
	} else if (q->tuple.nexthdr == (is_ipv6(p) ? L4_ICMPV6 : L4_ICMP)) {
		ret = ct_icmp_tuple(ctx, p, q);
	} else {
		q->tuple.sport = 0;
		q->tuple.dport = 0;
		ret = config.enable_extended_ip_protocols ? 0 : -DROP_CT_UNKNOWN_PROTO;
	}
	if (ret < 0)
		return ret;
	if (scope == SCOPE_FORWARD)
		reverse_tuple(&q->tuple);
	ret = ct_find(ctx, p, q);
	q->status = ret;
	return ret < 0 ? ret : 0;
}

/* Cilium hands the tuple from one tail call to the next and takes a zero source for a tuple that never came. So a
 * packet to 0.0.0.0 or :: gets no further than conntrack (its tuple is reversed by then).
 */
INLINE int tuple_lost(const struct packet *p)
{
	const struct v6addr *a = &p->ct.tuple.saddr;

	return !(a->w0 | a->w1 | a->w2 | a->w3);
}

/* Looks up a tuple that is complete but for its flags. */
INLINE int ct_lookup_tuple(struct __sk_buff *ctx, struct packet *p, struct ct_query *q, int dir, int scope, int types)
{
	q->dir = dir;
	q->scope = scope;
	q->types = types;
	q->tuple.flags = tuple_flag(dir, scope);
	return ct_find(ctx, p, q);
}

/* Makes the entry of a new connection from q->tuple and q->state; with `related` also the one that lets ICMP errors
 * about it through.
 */
SUBPROGRAM int ct_create(struct __sk_buff *ctx, struct packet *p, struct ct_query *q, int related)
{
	struct ct_entry entry = {};
	struct ct_state *s;
	int tcp, err;

	if (!p || !q)
		return -DROP_CT_CREATE_FAILED;
	s = &q->state;
	tcp = q->tuple.nexthdr == L4_TCP;
	entry.rev_nat_index = s->rev_nat_index;
	entry.src_sec_id = s->src_sec_id;
	if (q->dir == CT_SERVICE) {
		entry.backend_id = s->backend_id;
	} else {
		__builtin_memcpy(&entry.nat_addr_low, &s->nat_addr, sizeof(s->nat_addr));
		entry.nat_port = s->nat_port;
		entry.flags = s->flags & CT_STATE_FLAGS;
	}
	ct_refresh(&entry, tcp, q->dir, tcp ? TCP_SYN : 0);
	if (related) {
		struct tuple icmp = {
			.daddr = q->tuple.daddr,
			.saddr = q->tuple.saddr,
			.nexthdr = is_ipv6(p) ? L4_ICMPV6 : L4_ICMP,
			.flags = q->tuple.flags | TUPLE_RELATED,
		};

		err = ct_write(p, &icmp, &entry);
		if (err < 0)
			goto failed;
	}
	if (config.enable_conntrack_accounting) {
		entry.packets = 1;
		entry.bytes = ctx->len;
	}
	err = ct_write(p, &q->tuple, &entry);
	if (err >= 0)
		return 0;
failed:
	p->drop.ext_err = err;
	return -DROP_CT_CREATE_FAILED;
}
