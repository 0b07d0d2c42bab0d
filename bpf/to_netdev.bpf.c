// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* What leaves for the network: attached to the native devices, on egress. Does the node's NAT, unless it is done or the
 * packet is a tunnel's. Modelled: cil_to_netdev of bpf_host.c.
 */
#define THIS_OBJECT SOURCE_FILE_HOST
#include "lib/host.h"
#include "lib/nodeport_egress.h"

/* Whose packet it is, as far as the mark says. */
INLINE uint32_t source_of_mark(uint32_t mark)
{
	switch (mark & MARK_MAGIC_MASK) {
	case MARK_MAGIC_HOST:
	case MARK_MAGIC_OVERLAY:
	case MARK_MAGIC_ENCRYPT:
		return IDENTITY_HOST;
	case MARK_MAGIC_PROXY_EGRESS:
		return identity_of_mark(mark);
	case MARK_MAGIC_IDENTITY:
		return config.enable_identity_mark ? identity_of_mark(mark) : IDENTITY_UNKNOWN;
	default:
		return IDENTITY_UNKNOWN;
	}
}

SEC("tc")
int cil_to_netdev(struct __sk_buff *ctx)
{
	struct packet *p = new_packet(ctx);
	uint32_t source = source_of_mark(ctx->mark);

	if (!p)
		return TC_ACT_SHOT;
	clear_meta(ctx);
	if (has_vlan(ctx))
		return drop_from(ctx, p, DROP_VLAN_FILTERED, source, PLACE_ENTRY, METRIC_EGRESS);
	if (config.enable_nodeport && is_ip(p) && !is_snat_done(ctx) &&
	    !(config.have_encap && (ctx->mark & MARK_MAGIC_MASK) == MARK_MAGIC_OVERLAY))
		return forward_nat(ctx, p, source, TRACE_TO_NETWORK);
	p->trace = (struct trace){
		.reason = TRACE_REASON_UNKNOWN,
		.src = source,
		.ifindex = config.interface_ifindex,
	};
	send_trace(ctx, p, TRACE_TO_NETWORK);
	return TC_ACT_OK;
}

char program_license[] SEC("license") = "Dual BSD/GPL";
