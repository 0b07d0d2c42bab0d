// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* What reaches the host through cilium_host and cilium_net: attached to both, on ingress. A packet for a proxy gets its
 * mark here; everything else is the stack's. Modelled: cil_to_host of bpf_host.c.
 */
#define THIS_OBJECT SOURCE_FILE_HOST
#include "lib/host.h"

/* The host's policies, about what the tunnel, a pod's device or a proxy sends to it. */
INLINE int guard(struct __sk_buff *ctx, struct packet *p)
{
	int ret;

	if (!ethertype_valid(p))
		return send_drop(ctx, p, DROP_UNSUPPORTED_L2);
	if (pull_network_header(ctx, p) < 0)
		return send_drop(ctx, p, DROP_INVALID);
	if (!is_ip(p) && !is_arp(p))
		return send_drop(ctx, p, DROP_UNKNOWN_L3);
	if (is_ip(p)) {
		p->drop.place = PLACE_POLICY;
		ret = guard_host(ctx, p, 0);
		if (ret < 0)
			return send_drop(ctx, p, ret);
		p->trace.src = p->drop.src;
	} else {
		send_trace(ctx, p, TRACE_TO_STACK); /* Cilium tells of it twice */
	}
	send_trace(ctx, p, TRACE_TO_STACK);
	return TC_ACT_OK;
}

SEC("tc")
int cil_to_host(struct __sk_buff *ctx)
{
	struct packet *p = new_packet(ctx);
	uint32_t magic = ctx->cb[CB_PROXY_MAGIC], mark = ctx->mark, identity = IDENTITY_UNKNOWN;

	if (!p)
		return TC_ACT_SHOT;
	if (config.enable_identity_mark && (mark & MARK_MAGIC_MASK) == MARK_MAGIC_IDENTITY)
		identity = identity_of_mark(mark);
	if ((mark & MARK_MAGIC_MASK) == MARK_MAGIC_TO_PROXY)
		magic = mark;
	if ((magic & 0xffff) == MARK_MAGIC_TO_PROXY) {
		ctx->cb[CB_PROXY_MAGIC] = 0;
		ctx->mark = magic; /* the upper half is the port; the hook before has told of it */
		bpf_skb_change_type(ctx, PACKET_HOST);
		return TC_ACT_OK;
	}
	p->drop = (struct drop){ .src = identity, .place = PLACE_ENTRY, .dir = METRIC_INGRESS };
	p->trace = (struct trace){
		.reason = TRACE_REASON_UNKNOWN,
		.src = identity,
		.ifindex = config.cilium_host_ifindex,
	};
	if (config.enable_host_firewall)
		return guard(ctx, p);
	p->ethertype = 0; /* Cilium does not read it here, and classifies by the kernel's word */
	send_trace(ctx, p, TRACE_TO_STACK);
	return TC_ACT_OK;
}

char program_license[] SEC("license") = "Dual BSD/GPL";
