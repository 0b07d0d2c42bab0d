// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* What goes into the tunnel: attached to the tunnel device, on egress. Marks the packet, so that the native device
 * knows its outer packet by it, and does the node's NAT. Modelled: cil_to_overlay of bpf_overlay.c.
 */
#define THIS_OBJECT SOURCE_FILE_OVERLAY
#include "lib/nodeport_egress.h"

SEC("tc")
int cil_to_overlay(struct __sk_buff *ctx)
{
	struct packet *p = new_packet(ctx);
	uint32_t identity = IDENTITY_UNKNOWN;
	struct bpf_tunnel_key key = {};
	int translated = is_snat_done(ctx);

	if (!p)
		return TC_ACT_SHOT;
	clear_meta(ctx);
	if (bpf_skb_get_tunnel_key(ctx, &key, TUNNEL_KEY_SIZE, 0) == 0)
		identity = identity_of_tunnel_id(key.tunnel_id, ctx->protocol);
	set_identity_mark(ctx, identity, MARK_MAGIC_OVERLAY);
	if (!config.enable_nodeport || translated || !is_ip(p))
		return TC_ACT_OK;
	return forward_nat(ctx, p, identity, TRACE_TO_OVERLAY);
}

char program_license[] SEC("license") = "Dual BSD/GPL";
