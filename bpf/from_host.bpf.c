// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* What the host sends to the cluster: attached to cilium_host, on egress. To an endpoint of this node through its
 * policy stage, into the tunnel, or back to the stack. Modelled: cil_from_host of bpf_host.c and the tail calls behind
 * it.
 */
#define THIS_OBJECT SOURCE_FILE_HOST
#include "lib/deliver.h"
#include "lib/encap.h"
#include "lib/host.h"

/* The magic of a proxy's packet, 0 if it is none. */
INLINE uint32_t proxy_magic(const struct __sk_buff *ctx)
{
	uint32_t tc_index = ctx->tc_index;

	if (tc_index & TC_INDEX_FROM_EGRESS_PROXY)
		return MARK_MAGIC_PROXY_EGRESS;
	return tc_index & TC_INDEX_FROM_INGRESS_PROXY ? MARK_MAGIC_PROXY_INGRESS : 0;
}

/* To the stack, by way of cilium_net, whose address makes the packet the host's own. */
INLINE int to_stack(struct __sk_buff *ctx)
{
	struct macaddr net = config.cilium_net_mac;

	return bpf_skb_store_bytes(ctx, 0, &net, 6, 0) < 0 ? -DROP_WRITE_ERROR : TC_ACT_OK;
}

/* The host's policies. */
INLINE int guard(struct __sk_buff *ctx, struct packet *p, uint32_t identity)
{
	struct remote_endpoint_info *info = ipcache_at(p, &p->saddr);
	int ret = parse_transport(ctx, p);

	if (ret == 0)
		ret = sort_icmpv6(ctx, p);
	if (ret == HOST_ICMPV6_PASS || ret < 0)
		return ret < 0 ? ret : 0;
	if (identity != IDENTITY_HOST && (!identity_is_reserved(identity) || !info || info->sec_identity != IDENTITY_HOST))
		return 0;
	ret = track_host(ctx, p, CT_EGRESS);
	if (ret < 0)
		return ret;
	if (tuple_lost(p))
		return -DROP_INVALID_TC_BUFFER;
	return host_egress(ctx, p, identity == IDENTITY_HOST, proxy_magic(ctx) != 0);
}

INLINE int handle_ip(struct __sk_buff *ctx, struct packet *p, uint32_t identity)
{
	uint32_t proxy = proxy_magic(ctx);
	struct delivery d = {
		.identity = identity,
		.magic = proxy ? proxy : MARK_MAGIC_IDENTITY,
		.dir = METRIC_INGRESS,
		.from_host = 1,
	};
	struct remote_endpoint_info *info;
	struct endpoint_info *ep;
	int ret;

	ret = refuse_fragments(ctx, p);
	if (ret == 0 && config.enable_host_firewall)
		ret = guard(ctx, p, identity);
	if (ret < 0)
		return ret;
	ep = endpoint_at(p, &p->daddr);
	if (ep)
		return ep->flags & ENDPOINT_MASK_HOST_DELIVERY ? to_stack(ctx) : deliver(ctx, p, ep, &d);
	info = ipcache_at(p, &p->daddr);
	if (config.tunnel_mode && info && (info->flags & IPCACHE_FLAG_HAS_TUNNEL_EP) &&
	    !(info->flags & IPCACHE_FLAG_SKIP_TUNNEL)) {
		p->trace.dst = info->sec_identity;
		return encapsulate(ctx, p, info, identity);
	}
	if (proxy)
		ctx->mark = MARK_MAGIC_SKIP_TPROXY;
	else if (!info || identity_is_world(info->sec_identity, is_ipv6(p)))
		return -DROP_UNROUTABLE; /* nothing that cilium_host has a route for */
	return to_stack(ctx);
}

SEC("tc")
int cil_from_host(struct __sk_buff *ctx)
{
	struct packet *p = new_packet(ctx);
	int ret, point = TRACE_FROM_HOST;
	uint32_t identity, magic;

	if (!p)
		return TC_ACT_SHOT;
	clear_meta(ctx);
	if (!ethertype_valid(p))
		return pass_unknown(ctx, p, IDENTITY_HOST, METRIC_EGRESS);
	magic = inherit_identity(ctx, &identity);
	if (magic == MARK_MAGIC_PROXY_INGRESS || magic == MARK_MAGIC_PROXY_EGRESS)
		point = TRACE_FROM_PROXY;
	ret = receive(ctx, p, &identity, point);
	if (ret != TC_ACT_OK || !is_ip(p))
		return ret;
	ret = handle_ip(ctx, p, identity);
	return ret < 0 ? send_drop(ctx, p, ret) : ret;
}

char program_license[] SEC("license") = "Dual BSD/GPL";
