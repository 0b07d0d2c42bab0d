/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What the node's own devices have in common: how a packet is received. Modelled: do_netdev() of bpf_host.c. */
#pragma once

#include "lib/host_firewall.h"

/* Tells where the packet came from; then the caller handles it if it is IP. Returns TC_ACT_SHOT if it was dropped. */
STAGE int receive(struct __sk_buff *ctx, struct packet *p, uint32_t *identity, int point)
{
	p->drop = (struct drop){ .src = *identity, .place = PLACE_ENTRY, .dir = METRIC_INGRESS };
	if (pull_network_header(ctx, p) < 0)
		return send_drop(ctx, p, DROP_INVALID);
	if (is_ip(p)) {
		if (parse_network(ctx, p) < 0)
			return send_drop(ctx, p, DROP_INVALID);
		*identity = resolve_source(p, *identity);
	}
	p->trace = (struct trace){
		.reason = TRACE_REASON_UNKNOWN,
		.src = *identity,
		.ifindex = ctx->ingress_ifindex,
		.monitor = config.trace_payload_len,
	};
	send_trace(ctx, p, point);
	p->drop.src = *identity;
	if (config.enable_host_firewall && !is_ip(p) && !is_arp(p))
		return send_drop(ctx, p, DROP_UNKNOWN_L3);
	p->drop.place = PLACE_FAMILY;
	return TC_ACT_OK;
}

/* A frame that is not Ethernet II is the stack's, unless a firewall stands before it. */
INLINE int pass_unknown(struct __sk_buff *ctx, struct packet *p, uint32_t identity, uint8_t dir)
{
	if (config.enable_host_firewall)
		return drop_from(ctx, p, DROP_UNSUPPORTED_L2, identity, PLACE_ENTRY, dir);
	p->trace = (struct trace){ .reason = TRACE_REASON_UNKNOWN, .src = identity };
	send_trace(ctx, p, TRACE_TO_STACK);
	return TC_ACT_OK;
}

/* Frames of a VLAN are refused: none is let through by default. */
INLINE int has_vlan(const struct __sk_buff *ctx)
{
	return ctx->vlan_present && (ctx->vlan_tci & 0xfff);
}
