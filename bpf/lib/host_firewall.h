/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Policies of the node itself: asked about connections that the host opens, and about those that are opened to it.
 * Modelled: bpf/lib/host_firewall.h, and icmp6_host_handle() of bpf/lib/icmp6.h.
 */
#pragma once

#include "lib/policy.h"

/* What the firewall makes of an ICMPv6 message, by RFC 4890: echoes are policy's. */
enum host_icmpv6 { HOST_ICMPV6_POLICY, HOST_ICMPV6_PASS };

INLINE int host_icmpv6(uint8_t type)
{
	if (type == 128 || type == 129)
		return HOST_ICMPV6_POLICY;
	if ((type >= 1 && type <= 4) || (type >= 130 && type <= 136) || (type >= 141 && type <= 143) ||
	    type == 148 || type == 149 || (type >= 151 && type <= 153))
		return HOST_ICMPV6_PASS;
	return -DROP_FORBIDDEN_ICMP6;
}

/* The same for a packet whose transport header was found. */
INLINE int sort_icmpv6(struct __sk_buff *ctx, struct packet *p)
{
	uint8_t type;

	if (!is_ipv6(p) || p->ct.tuple.nexthdr != L4_ICMPV6)
		return HOST_ICMPV6_POLICY;
	return bpf_skb_load_bytes(ctx, p->l4_off, &type, 1) < 0 ? -DROP_INVALID : host_icmpv6(type);
}

/* The connection of a packet, its network header being read. */
SUBPROGRAM int track_host(struct __sk_buff *ctx, struct packet *p, int dir)
{
	int ret;

	if (!p)
		return -DROP_INVALID;
	ret = parse_transport(ctx, p);
	return ret < 0 ? ret : ct_lookup(ctx, p, dir, SCOPE_BIDIR);
}

/* Is the packet to the host itself? Only then its policies count. */
INLINE int is_for_host(struct packet *p)
{
	struct remote_endpoint_info *info = ipcache_at(p, &p->daddr);

	return info && info->sec_identity == IDENTITY_HOST;
}

INLINE int host_connection(struct __sk_buff *ctx, struct packet *p, uint32_t source)
{
	p->ct.state = (struct ct_state){
		.src_sec_id = source,
		.flags = p->verdict.proxy_port ? CT_FLAG_PROXY_REDIRECT : 0,
	};
	return ct_create(ctx, p, &p->ct, 1);
}

INLINE int needs_no_policy(struct packet *p)
{
	p->trace.reason = p->ct.status;
	p->trace.monitor = p->ct.monitor;
	return p->ct.status == CT_REPLY || p->ct.status == CT_RELATED;
}

/* May the host send it? A pod's packet with the host's address gets an entry, by which its answer is known, and no
 * policy; so does a proxy's, which was asked about before.
 */
SUBPROGRAM int host_egress(struct __sk_buff *ctx, struct packet *p, int is_host, int from_proxy)
{
	struct remote_endpoint_info *info;
	int ret = 0;

	if (!p)
		return -DROP_INVALID;
	if (needs_no_policy(p))
		return 0;
	if (is_host && !from_proxy) {
		info = ipcache_at(p, &p->daddr);
		ret = decide(ctx, p, info ? info->sec_identity : IDENTITY_UNKNOWN, CT_EGRESS);
	}
	if (ret == 0 && p->ct.status == CT_NEW)
		ret = host_connection(ctx, p, is_host ? IDENTITY_HOST : 0);
	return ret;
}

/* May the host receive it? p->drop.src becomes who the address says has sent it. */
SUBPROGRAM int host_ingress(struct __sk_buff *ctx, struct packet *p)
{
	struct remote_endpoint_info *info;
	int ret = 0;

	if (!p)
		return -DROP_INVALID;
	info = ipcache_at(p, &p->saddr);
	if (info)
		p->drop.src = info->sec_identity;
	if (!needs_no_policy(p)) {
		ret = decide(ctx, p, p->drop.src, CT_INGRESS);
		if (ret == 0 && p->ct.status == CT_NEW) {
			ret = host_connection(ctx, p, p->drop.src);
			if (ret < 0)
				return ret;
		}
	}
	bpf_skb_change_type(ctx, PACKET_HOST); /* what a pod's device redirected is the host's from now on */
	return ret;
}

/* The whole of it for a packet whose network header is to be read again. Where Cilium hands the tuple to another tail
 * call, one without source is taken for lost.
 */
STAGE int guard_host(struct __sk_buff *ctx, struct packet *p, int handed_on)
{
	int ret = parse_network(ctx, p);

	if (ret < 0 || !is_for_host(p))
		return ret;
	ret = track_host(ctx, p, CT_INGRESS);
	if (ret < 0)
		return ret;
	return handed_on && tuple_lost(p) ? -DROP_INVALID_TC_BUFFER : host_ingress(ctx, p);
}
