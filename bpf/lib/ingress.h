/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What an endpoint lets in. Shared by the policy stage and by the endpoint's own device. Modelled: ipv4_policy() and
 * ipv6_policy() of bpf_lxc.c.
 */
#pragma once

#include "lib/deliver.h"
#include "lib/policy.h"
#include "lib/xlate.h"

enum { TO_PROXY = 1 << 16 }; /* besides the actions: the packet is a proxy's */

/* An answer needs no policy; it gets back the address that its connection was opened to. */
INLINE int admit_answer(struct __sk_buff *ctx, struct packet *p, int *proxied)
{
	struct ct_state *s = &p->ct.state;
	struct v6addr address = s->nat_addr;
	be16 port = s->nat_port;

	*proxied = (s->flags & CT_FLAG_PROXY_REDIRECT) && !(ctx->tc_index & TC_INDEX_FROM_EGRESS_PROXY);
	if (*proxied || (!s->rev_nat_index && !port))
		return 0;
	if (!port && !reverse_nat_of(p, s->rev_nat_index, &address, &port))
		return 0;
	if (!is_ipv6(p) && s->nat_port)
		address = (struct v6addr){ .w0 = s->nat_addr.w3 };
	p->loopback = (s->flags & CT_FLAG_LOOPBACK) != 0;
	return translate_back(ctx, p, &address, port, CT_INGRESS);
}

/* Does an endpoint meet itself, through a service? Then there is nothing to enforce. */
INLINE int meets_itself(struct packet *p)
{
	struct v6addr loopback = config.service_loopback_ipv6;
	struct ct_entry *entry;

	if (!config.enable_per_packet_lb)
		return 0;
	if (!is_ipv6(p))
		loopback = (struct v6addr){ .w0 = config.service_loopback_ipv4 };
	if (p->ct.status == CT_NEW && address_equal(&p->saddr, &loopback)) {
		entry = ct_egress_entry(p, &p->ct.tuple);
		if (entry && (entry->flags & CT_FLAG_LOOPBACK))
			return 1;
	}
	return 0;
}

/* Decides over a packet from `source`, after conntrack: TC_ACT_OK, TO_PROXY with *proxy_port, or a drop reason. */
STAGE int admit(struct __sk_buff *ctx, struct packet *p, uint32_t source, int from_tunnel, be16 *proxy_port)
{
	struct verdict *v = &p->verdict;
	int ret = 0, proxied = 0, itself = 0;

	if (tuple_lost(p))
		return -DROP_INVALID_TC_BUFFER;
	p->trace = (struct trace){
		.reason = p->ct.status,
		.dst_id = config.endpoint_id,
		.src = source,
		.dst = config.security_label,
		.ifindex = config.interface_ifindex,
		.monitor = p->ct.monitor,
		.orig_ip = p->saddr,
	};
	if (p->ct.status == CT_REPLY || p->ct.status == CT_RELATED) {
		ret = admit_answer(ctx, p, &proxied);
	} else if (!(ctx->tc_index & TC_INDEX_FROM_INGRESS_PROXY)) {
		itself = meets_itself(p);
		if (!itself && !(config.enable_per_packet_lb && (p->ct.state.flags & CT_FLAG_LOOPBACK)))
			ret = decide(ctx, p, source, CT_INGRESS);
	}
	if (ret < 0)
		return ret;
	if (p->ct.status == CT_NEW) {
		p->ct.state = (struct ct_state){
			.src_sec_id = source,
			.flags = (itself ? CT_FLAG_LOOPBACK : 0) | (from_tunnel ? CT_FLAG_FROM_TUNNEL : 0) |
				 (v->proxy_port ? CT_FLAG_PROXY_REDIRECT : 0),
		};
		ret = ct_create(ctx, p, &p->ct, 1);
		if (ret < 0)
			return ret;
	}
	*proxy_port = v->proxy_port;
	if (!v->proxy_port && !proxied) {
		send_trace(ctx, p, TRACE_TO_LXC);
		return TC_ACT_OK;
	}
	p->trace.dst_id = NTOHS(v->proxy_port);
	send_trace(ctx, p, TRACE_TO_PROXY);
	return TO_PROXY;
}
