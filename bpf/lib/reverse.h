/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Answers of backends: given the service's address, and sent on by the program. Modelled: nodeport_rev_dnat_ipv4/6() of
 * bpf/lib/nodeport.h.
 */
#pragma once

#include "lib/encap.h"
#include "lib/fib.h"
#include "lib/xlate.h"

/* A tunnel that leads to the packet's destination, or null. */
INLINE struct remote_endpoint_info *tunnel_to(struct packet *p, const struct v6addr *address)
{
	struct remote_endpoint_info *info = config.tunnel_mode ? ipcache_at(p, address) : 0;

	return info && (info->flags & IPCACHE_FLAG_HAS_TUNNEL_EP) && !(info->flags & IPCACHE_FLAG_SKIP_TUNNEL) ? info : 0;
}

/* An answer of a backend: gives it the service's address and sends it on. TC_ACT_OK: it is none. IPv6 counts the hop
 * before it translates, IPv4 after. Modelled: nodeport_rev_dnat_ipv4/6().
 */
SUBPROGRAM int reverse_service(struct __sk_buff *ctx, struct packet *p, int dir)
{
	struct remote_endpoint_info *info;
	struct v6addr address;
	struct ct_query *q;
	int ret, done;
	be16 port;

	if (!p)
		return -DROP_INVALID;
	q = &p->service;
	ret = parse_network(ctx, p);
	if (ret == 0)
		ret = parse_transport(ctx, p);
	if (ret == 0)
		ret = parse_service_tuple(ctx, p);
	if (ret < 0)
		return not_a_service(ret) ? TC_ACT_OK : ret;
	q->tuple = p->ct.tuple;
	q->state = (struct ct_state){};
	q->monitor = 0;
	if (ct_lookup_tuple(ctx, p, q, CT_INGRESS, SCOPE_REVERSE, CT_MATCH_NODEPORT) != CT_REPLY)
		return TC_ACT_OK;
	if (is_ipv6(p)) {
		ret = next_hop(ctx, p, 0, 0, METRIC_EGRESS, &done);
		if (done)
			return ret;
	}
	p->loopback = 0;
	if (reverse_nat_of(p, q->state.rev_nat_index, &address, &port)) {
		ret = translate_back(ctx, p, &address, port, dir);
		if (ret < 0)
			return ret;
	}
	mark_snat_done(ctx);
	ret = parse_network(ctx, p);
	if (ret < 0)
		return ret;
	info = tunnel_to(p, &p->daddr);
	if (!is_ipv6(p)) {
		ret = next_hop(ctx, p, 0, 0, METRIC_EGRESS, &done);
		if (done)
			return ret;
	}
	if (!info)
		return fib_redirect(ctx, p);
	p->trace = (struct trace){
		.reason = TRACE_REASON_REPLY,
		.dst = info->sec_identity,
		.monitor = q->monitor,
	};
	return encapsulate(ctx, p, info, IDENTITY_REMOTE_NODE);
}

/* The same for an endpoint of this node, where an answer must go on from here. */
STAGE int reverse_at_endpoint(struct __sk_buff *ctx, struct packet *p)
{
	int ret = reverse_service(ctx, p, CT_EGRESS);

	if (ret == TC_ACT_OK)
		ret = -DROP_NAT_NO_MAPPING;
	return ret < 0 ? drop_from(ctx, p, ret, IDENTITY_UNKNOWN, PLACE_NAT, METRIC_EGRESS) : ret;
}
