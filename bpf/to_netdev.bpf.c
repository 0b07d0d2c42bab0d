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

/* The host's policies, about what it sends itself; p->trace says what the connection is. */
INLINE int guard(struct __sk_buff *ctx, struct packet *p, uint32_t source)
{
	int from_proxy = (ctx->mark & MARK_MAGIC_MASK) == MARK_MAGIC_PROXY_EGRESS;
	struct remote_endpoint_info *info;
	int ret;

	if (!ethertype_valid(p))
		return -DROP_UNSUPPORTED_L2;
	if (!is_ip(p))
		return is_arp(p) ? 0 : -DROP_UNKNOWN_L3;
	ret = pull_network_header(ctx, p);
	if (ret == 0)
		ret = parse_network(ctx, p);
	if (ret == 0 && is_ipv6(p))
		ret = parse_transport(ctx, p);
	if (ret == 0)
		ret = sort_icmpv6(ctx, p);
	if (ret != HOST_ICMPV6_POLICY)
		return ret == HOST_ICMPV6_PASS ? 0 : ret;
	source = resolve_source(p, source == IDENTITY_HOST ? source : IDENTITY_UNKNOWN);
	info = ipcache_at(p, &p->saddr);
	if (source != IDENTITY_HOST && (!info || info->sec_identity != IDENTITY_HOST))
		return 0;
	ret = track_host(ctx, p, CT_EGRESS);
	return ret < 0 ? ret : host_egress(ctx, p, source == IDENTITY_HOST, from_proxy);
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
	p->trace.reason = TRACE_REASON_UNKNOWN;
	if (config.enable_host_firewall && !is_snat_done(ctx)) {
		int ret = guard(ctx, p, source);

		if (ret < 0)
			return drop_from(ctx, p, ret, source, PLACE_ENTRY, METRIC_EGRESS);
	}
	if (config.enable_nodeport && is_ip(p) && !is_snat_done(ctx) &&
	    !(config.have_encap && (ctx->mark & MARK_MAGIC_MASK) == MARK_MAGIC_OVERLAY))
		return forward_nat(ctx, p, source, TRACE_TO_NETWORK);
	p->trace.src = source;
	p->trace.ifindex = config.interface_ifindex;
	send_trace(ctx, p, TRACE_TO_NETWORK);
	return TC_ACT_OK;
}

char program_license[] SEC("license") = "Dual BSD/GPL";
