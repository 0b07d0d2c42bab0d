// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* What comes out of the tunnel: attached to the tunnel device, on ingress.
 *
 *   the sender's identity from the tunnel key -> is it for a service or an answer to the node's NAT? ->
 *   to an endpoint of this node through its policy stage, or to the host
 *
 * Modelled: cil_from_overlay of bpf_overlay.c and the tail calls behind it.
 */
#define THIS_OBJECT SOURCE_FILE_OVERLAY
#include "lib/nodeport.h"

/* Who sent it: the tunnel key says so, and nobody may claim to be this host. */
INLINE int tunnel_identity(struct __sk_buff *ctx, struct packet *p, uint32_t *identity)
{
	struct bpf_tunnel_key key = {};

	if (!(config.enable_ipv4 && bpf_skb_get_tunnel_key(ctx, &key, TUNNEL_KEY_SIZE, 0) == 0) &&
	    !(config.enable_ipv6 && bpf_skb_get_tunnel_key(ctx, &key, TUNNEL_KEY_SIZE, BPF_F_TUNINFO_IPV6) == 0))
		return -DROP_NO_TUNNEL_KEY;
	*identity = identity_of_tunnel_id(key.tunnel_id, p->ethertype);
	return *identity == IDENTITY_HOST ? -DROP_INVALID_IDENTITY : 0;
}

INLINE int handle_ip(struct __sk_buff *ctx, struct packet *p, uint32_t identity)
{
	struct delivery d = {
		.magic = MARK_MAGIC_IDENTITY,
		.dir = METRIC_INGRESS,
		.from_tunnel = 1,
	};
	struct remote_endpoint_info *info;
	struct endpoint_info *ep;
	int ret, final = 0;

	ret = parse_network(ctx, p);
	if (ret == 0)
		ret = refuse_fragments(ctx, p);
	if (ret == 0 && config.enable_nodeport)
		ret = load_balance(ctx, p, identity, &final);
	if (ret == 0 && !final)
		ret = parse_network(ctx, p);
	if (ret < 0 || final)
		return ret;
	if (identity_is_remote_node(identity)) {
		info = ipcache_at(p, &p->saddr); /* the node may be known better than by its tunnel */
		if (info)
			identity = info->sec_identity;
		p->drop.src = identity;
	}
	ep = endpoint_at(p, &p->daddr);
	if (ep && !(ep->flags & ENDPOINT_MASK_HOST_DELIVERY)) {
		d.identity = identity;
		return deliver(ctx, p, ep, &d);
	}
	set_identity_mark(ctx, identity, MARK_MAGIC_IDENTITY);
	return deliver_to_host(ctx, p);
}

SEC("tc")
int cil_from_overlay(struct __sk_buff *ctx)
{
	struct packet *p = new_packet(ctx);
	uint32_t identity = IDENTITY_UNKNOWN;
	int ret;

	if (!p)
		return TC_ACT_SHOT;
	clear_meta(ctx);
	if (config.enable_nodeport)
		ctx->tc_index &= ~TC_INDEX_SKIP_NODEPORT;
	if (!ethertype_valid(p))
		return TC_ACT_OK;
	p->drop = (struct drop){ .place = PLACE_ENTRY, .dir = METRIC_INGRESS };
	if (pull_network_header(ctx, p) < 0)
		return send_drop(ctx, p, DROP_INVALID);
	if (is_ip(p)) {
		ret = tunnel_identity(ctx, p, &identity);
		p->drop.src = identity;
		if (ret < 0)
			return send_drop(ctx, p, ret);
	}
	p->trace = (struct trace){
		.reason = TRACE_REASON_UNKNOWN,
		.src = identity,
		.ifindex = ctx->ingress_ifindex,
		.monitor = config.trace_payload_len,
	};
	send_trace(ctx, p, TRACE_FROM_OVERLAY);
	if (is_ip(p)) {
		p->drop.place = PLACE_FAMILY;
		ret = handle_ip(ctx, p, identity);
		return ret < 0 ? send_drop(ctx, p, ret) : ret;
	}
	if (p->ethertype == HTONS(ETH_IPV4) || p->ethertype == HTONS(ETH_IPV6))
		return send_drop(ctx, p, DROP_UNKNOWN_L3); /* of a family that is switched off */
	return TC_ACT_OK;
}

char program_license[] SEC("license") = "Dual BSD/GPL";
