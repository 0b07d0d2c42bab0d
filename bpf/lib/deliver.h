/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Delivery on this node: to an endpoint through its policy stage, to the host, to a proxy. Modelled:
 * bpf/lib/local_delivery.h, l3.h, proxy.h.
 */
#pragma once

#include "lib/neighbour.h"

/* One hop further: TTL or hop limit, and the two MACs unless null. */
INLINE int decrement_ttl(struct __sk_buff *ctx, struct packet *p)
{
	uint32_t offset = l3_offset() + (is_ipv6(p) ? 7 : 8);
	uint8_t ttl, new_ttl;

	if (bpf_skb_load_bytes(ctx, offset, &ttl, 1) < 0)
		return -DROP_INVALID;
	if (ttl <= 1)
		return -DROP_TTL_EXCEEDED;
	new_ttl = ttl - 1;
	if (bpf_skb_store_bytes(ctx, offset, &new_ttl, 1, is_ipv6(p) ? BPF_F_RECOMPUTE_CSUM : 0) < 0)
		return -DROP_WRITE_ERROR;
	if (!is_ipv6(p) && bpf_l3_csum_replace(ctx, l3_offset() + 10, ttl, new_ttl, 2) < 0)
		return -DROP_CSUM_L3;
	return 0;
}

/* Modelled: ipv4_l3(), ipv6_l3(). An IPv6 packet whose hop limit ends here is answered; *done says that the returned
 * value is final.
 */
INLINE int next_hop(struct __sk_buff *ctx, struct packet *p, const struct macaddr *source,
	const struct macaddr *destination, int dir, int *done)
{
	int ret = decrement_ttl(ctx, p);

	*done = 1;
	if (ret == -DROP_TTL_EXCEEDED && is_ipv6(p))
		return answer_time_exceeded(ctx, p, dir);
	if (ret < 0)
		return ret;
	if ((source && bpf_skb_store_bytes(ctx, 6, source, 6, 0) < 0) ||
	    (destination && bpf_skb_store_bytes(ctx, 0, destination, 6, 0) < 0))
		return -DROP_WRITE_ERROR;
	*done = 0;
	return 0;
}

/* Straight into the pod's namespace, where BPF host routing is on. From the host it must go through the device. */
INLINE int peer_redirect_allowed(struct __sk_buff *ctx, int from_host)
{
	return config.enable_host_routing && !from_host && (!config.enable_netkit || ctx->ingress_ifindex > 0);
}

INLINE int redirect_to_endpoint(struct __sk_buff *ctx, uint32_t ifindex, int peer, int from_tunnel)
{
	if (!peer)
		return bpf_redirect(ifindex, 0);
	if (from_tunnel)
		bpf_skb_change_type(ctx, PACKET_HOST);
	return bpf_redirect_peer(ifindex, 0);
}

/* How a packet came to an endpoint of this node. */
struct delivery {
	uint32_t identity;
	uint32_t magic; /* for the mark, with endpoint routes */
	uint8_t dir; /* enum metric_dir */
	uint8_t from_host;
	uint8_t from_tunnel;
};

/* What the policy stage is told, in cb. */
INLINE void tell_policy_stage(struct __sk_buff *ctx, const struct delivery *d, int peer)
{
	uint32_t flags = DELIVERY_REDIRECT, tc_index = ctx->tc_index;

	if (peer)
		flags |= DELIVERY_USE_REDIRECT_PEER;
	if (d->from_host)
		flags |= DELIVERY_FROM_HOST;
	if (d->from_tunnel)
		flags |= DELIVERY_FROM_TUNNEL;
	if (tc_index & TC_INDEX_FROM_INGRESS_PROXY)
		flags |= DELIVERY_FROM_INGRESS_PROXY;
	if (tc_index & TC_INDEX_FROM_EGRESS_PROXY)
		flags |= DELIVERY_FROM_EGRESS_PROXY;
	ctx->cb[CB_SRC_LABEL] = d->identity;
	ctx->cb[CB_DELIVERY_FLAGS] = flags;
	ctx->cb[CB_FROM_HOST] = d->from_host;
	ctx->cb[CB_FROM_TUNNEL] = d->from_tunnel;
	ctx->cb[CB_CLUSTER_ID_INGRESS] = 0;
}

/* To an endpoint of this node: its policy stage decides, and redirects. With endpoint routes its own device does. */
STAGE int deliver(struct __sk_buff *ctx, struct packet *p, struct endpoint_info *ep, struct delivery *d)
{
	int peer = peer_redirect_allowed(ctx, d->from_host), done, ret;

	ret = next_hop(ctx, p, &ep->node_mac, &ep->mac, d->dir, &done);
	if (done)
		return ret;
	if (config.local_delivery_metrics)
		count(ctx, d->dir, REASON_FORWARDED, PLACE_DELIVERY);
	if (config.enable_endpoint_routes && !peer && (!config.enable_netkit || ctx->ingress_ifindex > 0)) {
		set_identity_mark(ctx, d->identity, d->magic);
		if (!config.enable_nodeport && d->from_tunnel) {
			bpf_skb_change_type(ctx, PACKET_HOST);
			return TC_ACT_OK;
		}
		return redirect_to_endpoint(ctx, ep->ifindex, 0, d->from_tunnel);
	}
	tell_policy_stage(ctx, d, peer);
	bpf_tail_call(ctx, &cilium_call_policy, ep->lxc_id);
	return -DROP_EP_NOT_READY;
}

/* To the host, through cilium_host. */
STAGE int deliver_to_host(struct __sk_buff *ctx, struct packet *p)
{
	struct macaddr router = config.interface_mac, host = config.cilium_host_mac;
	int done, ret = next_hop(ctx, p, &router, &host, METRIC_INGRESS, &done);

	return done ? ret : (int)bpf_redirect(config.cilium_host_ifindex, BPF_F_INGRESS);
}

/* To a proxy of this node: the stack takes the packet, and the mark names the port. */
INLINE int hand_to_proxy(struct __sk_buff *ctx, be16 port)
{
	ctx->mark = MARK_MAGIC_TO_PROXY | (uint32_t)port << 16;
	return TC_ACT_OK;
}
