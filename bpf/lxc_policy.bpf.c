// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* The policy stage of an endpoint: other hooks of this node tail-call it through cilium_call_policy[endpoint] when they
 * have a packet for the endpoint, and tell it in cb where the packet came from (deliver.h).
 *
 *   conntrack -> ingress policy, or reverse translation of an answer -> redirect to the endpoint's device
 *
 * Modelled: cil_lxc_policy of bpf_lxc.c and the tail calls behind it.
 */
#define THIS_OBJECT SOURCE_FILE_LXC
#include "lib/ingress.h"

/* Admitted: into the pod, or to a proxy first. */
INLINE int pass_on(struct __sk_buff *ctx, uint32_t flags, int from_host, int from_tunnel)
{
	if (!config.enable_routing && !config.enable_nodeport && from_tunnel) {
		bpf_skb_change_type(ctx, PACKET_HOST); /* the stack must see its connections to undo its own NAT */
		return TC_ACT_OK;
	}
	if (!(flags & DELIVERY_REDIRECT))
		return TC_ACT_OK;
	return redirect_to_endpoint(ctx, config.interface_ifindex, peer_redirect_allowed(ctx, from_host), from_tunnel);
}

STAGE int after_conntrack(struct __sk_buff *ctx, struct packet *p, uint32_t source)
{
	uint32_t flags = ctx->cb[CB_DELIVERY_FLAGS], tc_index = 0;
	int from_host = (flags & DELIVERY_FROM_HOST) || take_meta(ctx, CB_FROM_HOST);
	int from_tunnel = config.have_encap && (take_meta(ctx, CB_FROM_TUNNEL) || (flags & DELIVERY_FROM_TUNNEL));
	be16 proxy_port = 0;
	int ret;

	ctx->cb[CB_SRC_LABEL] = 0;
	if (flags & DELIVERY_FROM_INGRESS_PROXY)
		tc_index |= TC_INDEX_FROM_INGRESS_PROXY;
	if (flags & DELIVERY_FROM_EGRESS_PROXY)
		tc_index |= TC_INDEX_FROM_EGRESS_PROXY;
	if (tc_index)
		ctx->tc_index |= tc_index;
	ret = admit(ctx, p, source, from_tunnel, &proxy_port);
	if (ret == TC_ACT_OK)
		return pass_on(ctx, flags, from_host, from_tunnel);
	if (ret == TO_PROXY) {
		if (from_tunnel)
			bpf_skb_change_type(ctx, PACKET_HOST);
		ret = hand_to_proxy(ctx, proxy_port);
		ctx->cb[CB_PROXY_MAGIC] = ctx->mark;
	}
	return ret;
}

STAGE int before_conntrack(struct __sk_buff *ctx, struct packet *p)
{
	int ret = parse_network(ctx, p);

	return ret < 0 ? ret : parse_transport(ctx, p);
}

SEC("tc")
int cil_lxc_policy(struct __sk_buff *ctx)
{
	struct packet *p = new_packet(ctx);
	uint32_t source = ctx->cb[CB_SRC_LABEL];
	int ret;

	if (!p)
		return TC_ACT_SHOT;
	p->drop = (struct drop){
		.src = source,
		.dst = config.security_label,
		.dst_id = config.endpoint_id,
		.dir = METRIC_INGRESS,
		.place = PLACE_ENTRY,
	};
	if (!ethertype_valid(p))
		return send_drop(ctx, p, DROP_UNSUPPORTED_L2);
	if (pull_network_header(ctx, p) < 0)
		return send_drop(ctx, p, DROP_INVALID);
	if (!is_ip(p))
		return send_drop(ctx, p, DROP_UNKNOWN_L3);
	p->drop.place = PLACE_CONNTRACK;
	ret = before_conntrack(ctx, p);
	if (ret == 0)
		ret = ct_lookup(ctx, p, CT_INGRESS, SCOPE_BIDIR);
	if (ret == 0) {
		p->drop.place = PLACE_POLICY;
		ret = after_conntrack(ctx, p, source);
	}
	return ret < 0 ? send_drop(ctx, p, ret) : ret;
}

char program_license[] SEC("license") = "Dual BSD/GPL";
