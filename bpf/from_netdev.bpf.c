// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* What comes in from the network: attached to the native devices, on ingress.
 *
 *   neighbours -> is it for a service or an answer to the node's NAT? -> the stack, which routes it; with BPF host
 *   routing straight to the endpoint
 *
 * Modelled: cil_from_netdev of bpf_host.c and the tail calls behind it.
 */
#define THIS_OBJECT SOURCE_FILE_HOST
#include "lib/host.h"
#include "lib/nodeport.h"

/* Neighbour solicitations for endpoints and the router, wherever the ICMPv6 header is. */
INLINE int neighbours(struct __sk_buff *ctx, struct packet *p, int *final)
{
	uint8_t type;
	int ret = parse_transport(ctx, p);

	if (ret < 0 || p->ct.tuple.nexthdr != L4_ICMPV6)
		return ret;
	if (bpf_skb_load_bytes(ctx, p->l4_off, &type, 1) < 0)
		return -DROP_INVALID;
	*final = type == ND_SOLICITATION;
	if (*final)
		return answer_solicitation(ctx, p, METRIC_INGRESS);
	return config.enable_host_firewall ? host_icmpv6(type) : 0;
}

/* The host's policies, unless they were asked about this packet before. */
INLINE int guard(struct __sk_buff *ctx, struct packet *p)
{
	uint32_t source = p->drop.src, skip = ctx->tc_index & TC_INDEX_SKIP_HOST_FIREWALL;
	int ret;

	ctx->tc_index &= ~TC_INDEX_SKIP_HOST_FIREWALL;
	if (skip)
		return 0;
	p->drop.src = is_ipv6(p) ? world_of(1) : IDENTITY_UNKNOWN; /* for policy; the drop is told of the sender as known before */
	ret = guard_host(ctx, p, 1);
	p->drop.src = source;
	return ret;
}

INLINE int handle_ip(struct __sk_buff *ctx, struct packet *p, uint32_t identity)
{
	struct delivery d = { .identity = identity, .magic = MARK_MAGIC_IDENTITY, .dir = METRIC_INGRESS };
	struct endpoint_info *ep;
	int ret, final = 0, passes = 0;

	ret = refuse_fragments(ctx, p);
	if (ret == 0 && is_ipv6(p)) {
		ret = neighbours(ctx, p, &final);
		passes = !final && ret == HOST_ICMPV6_PASS;
		ret = passes ? 0 : ret;
	}
	if (ret < 0 || final)
		return ret;
	if (config.enable_nodeport)
		ret = load_balance(ctx, p, identity, &final);
	if (ret < 0 || final)
		return ret;
	if (config.enable_host_firewall && !passes)
		ret = guard(ctx, p);
	if (ret < 0 || !config.enable_host_routing)
		return ret;
	ret = parse_network(ctx, p);
	if (ret < 0)
		return ret;
	ep = endpoint_at(p, &p->daddr);
	return ep && !(ep->flags & ENDPOINT_MASK_HOST_DELIVERY) ? deliver(ctx, p, ep, &d) : TC_ACT_OK;
}

SEC("tc")
int cil_from_netdev(struct __sk_buff *ctx)
{
	struct packet *p = new_packet(ctx);
	uint32_t identity = IDENTITY_UNKNOWN;
	int ret;

	if (!p)
		return TC_ACT_SHOT;
	clear_meta(ctx);
	if (has_vlan(ctx))
		return drop_from(ctx, p, DROP_VLAN_FILTERED, identity, PLACE_ENTRY, METRIC_INGRESS);
	if (config.enable_nodeport)
		ctx->tc_index &= ~TC_INDEX_SKIP_NODEPORT;
	if (!ethertype_valid(p))
		return pass_unknown(ctx, p, identity, METRIC_INGRESS);
	ret = receive(ctx, p, &identity, TRACE_FROM_NETWORK);
	if (ret != TC_ACT_OK || !is_ip(p))
		return ret;
	ret = handle_ip(ctx, p, identity);
	return ret < 0 ? send_drop(ctx, p, ret) : ret;
}

char program_license[] SEC("license") = "Dual BSD/GPL";
