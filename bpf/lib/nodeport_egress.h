/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The node as a load balancer, outwards: answers of backends get the service's address, and the node's own connections
 * claim their port, so that NAT gives it to nobody else. Modelled: handle_nat_fwd() of bpf/lib/nodeport_egress.h
 * without BPF masquerading.
 */
#pragma once

#include "lib/nat.h"
#include "lib/reverse.h"

/* The service that a connection of the node's load balancer belongs to. */
INLINE int service_of_answer(struct packet *p, struct v6addr *address, be16 *port)
{
	struct ct_entry *entry = ct_egress_entry(p, &p->ct.tuple);

	return entry && (entry->flags & CT_FLAG_NODE_PORT) && entry->rev_nat_index &&
	       reverse_nat_of(p, entry->rev_nat_index, address, port);
}

/* With the service's address, the answer may belong on another device. TC_ACT_OK: on this one. */
INLINE int reroute(struct __sk_buff *ctx, struct packet *p, struct v6addr *address)
{
	struct bpf_fib_lookup fib = fib_query(address, &p->daddr);
	int ret = fib_find(ctx, p, &fib);

	if (ret < 0)
		return ret;
	return fib.ifindex == config.interface_ifindex ? TC_ACT_OK : fib_send(ctx, &fib);
}

/* Undoes the service translation of an answer; *done says that there was one. */
STAGE int answer_forward(struct __sk_buff *ctx, struct packet *p, int *done)
{
	struct ct_query *q = &p->service;
	struct v6addr address;
	be16 port;
	int ret;

	ret = parse_network(ctx, p);
	if (ret == 0)
		ret = parse_transport(ctx, p);
	if (ret == 0)
		ret = parse_service_tuple(ctx, p);
	if (ret < 0)
		return not_a_service(ret) ? TC_ACT_OK : ret;
	if (!service_of_answer(p, &address, &port))
		return TC_ACT_OK;
	if (IS_HOST) {
		ret = reroute(ctx, p, &address);
		if (ret != TC_ACT_OK)
			return ret;
	}
	q->tuple = p->ct.tuple;
	if (ct_lookup_tuple(ctx, p, q, CT_INGRESS, SCOPE_REVERSE, CT_MATCH_NODEPORT) != CT_REPLY)
		return TC_ACT_OK;
	p->trace.reason = TRACE_REASON_REPLY;
	p->trace.monitor = q->monitor;
	ret = translate_back(ctx, p, &address, port, CT_EGRESS);
	*done = ret == 0;
	return ret;
}

/* Whose connection is this? The router's on the tunnel device, the host's own on a native one. */
INLINE int claims_port(struct __sk_buff *ctx, struct packet *p)
{
	struct v6addr router = config.router_ipv6;
	struct endpoint_info *ep;

	if (!has_ports(p->ct.tuple.nexthdr))
		return 0;
	if (IS_OVERLAY) {
		if (!is_ipv6(p))
			router = (struct v6addr){ .w0 = config.ipv4_gateway };
		return config.tunnel_mode && address_equal(&p->saddr, &router);
	}
	ep = endpoint_at(p, &p->saddr);
	return (ctx->mark & MARK_MAGIC_MASK) == MARK_MAGIC_HOST || (ep && (ep->flags & ENDPOINT_FLAG_HOST));
}

/* A connection of the node claims its port, or gets another if it is taken. */
STAGE int claim_port(struct __sk_buff *ctx, struct packet *p)
{
	int ret;

	ret = parse_network(ctx, p);
	if (ret == 0)
		ret = parse_transport(ctx, p);
	if (ret < 0 || !claims_port(ctx, p))
		return ret;
	p->trace.orig_ip = p->saddr;
	if (!fragments_enabled(p) && p->fragment)
		return -DROP_FRAG_NOSUPPORT;
	p->ct.tuple.saddr = p->saddr;
	p->ct.tuple.daddr = p->daddr;
	p->ct.tuple.flags = TUPLE_OUT;
	ret = load_ports(ctx, p, CT_EGRESS);
	if (ret < 0)
		return ret;
	swap_ports(&p->ct.tuple);
	if (NTOHS(p->ct.tuple.sport) < nat_min_port())
		return 0;
	p->nat = (struct nat_target){
		.address = p->saddr,
		.min_port = nat_min_port(),
		.max_port = 65535,
		.needs_ct = 1,
	};
	ret = nat_map(ctx, p);
	p->trace.reason = p->service.status;
	p->trace.monitor = p->service.monitor;
	if (ret == 0)
		ret = nat_rewrite(ctx, p, 1);
	if (ret == 0 && IS_HOST)
		mark_snat_done(ctx);
	return ret;
}

/* Everything that the node does to a packet on its way out, told at `point`. Final, but for what is not IP. */
STAGE int forward_nat(struct __sk_buff *ctx, struct packet *p, uint32_t source, int point)
{
	int done = 0, ret;

	p->trace = (struct trace){
		.reason = TRACE_REASON_UNKNOWN,
		.src = source,
		.ifindex = config.interface_ifindex,
	};
	ret = answer_forward(ctx, p, &done);
	if (ret == TC_ACT_OK && !done)
		ret = claim_port(ctx, p);
	else if (ret == TC_ACT_OK && IS_HOST)
		mark_snat_done(ctx);
	if (ret < 0)
		return drop_from(ctx, p, ret, source, PLACE_NAT, METRIC_EGRESS);
	/* single-stack, Cilium runs this part inside cil_to_overlay, which tells nothing of such an answer */
	if (ret == TC_ACT_OK && (!done || !IS_OVERLAY || dual_stack()))
		send_trace(ctx, p, point);
	return ret;
}
