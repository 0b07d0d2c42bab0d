/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Into the tunnel: the virtual network identifier is the source identity. Modelled: bpf/lib/encap.h,
 * overloadable_skb.h.
 */
#pragma once

#include "lib/identity.h"
#include "lib/trace.h"

enum { TUNNEL_TTL = 64 };

INLINE int set_tunnel_key(struct __sk_buff *ctx, const struct remote_endpoint_info *to, uint32_t identity)
{
	struct bpf_tunnel_key key = { .tunnel_id = tunnel_id_of(identity), .tunnel_ttl = TUNNEL_TTL };
	uint64_t flags = BPF_F_ZERO_CSUM_TX;

	if (to->flags & IPCACHE_FLAG_IPV6_TUNNEL_EP) {
		key.remote_ipv6[0] = to->tunnel_endpoint.w0;
		key.remote_ipv6[1] = to->tunnel_endpoint.w1;
		key.remote_ipv6[2] = to->tunnel_endpoint.w2;
		key.remote_ipv6[3] = to->tunnel_endpoint.w3;
		flags = BPF_F_TUNINFO_IPV6;
	} else {
		key.remote_ipv4 = NTOHL(to->tunnel_endpoint.w0);
	}
	return bpf_skb_set_tunnel_key(ctx, &key, TUNNEL_KEY_SIZE, flags) < 0 ? -DROP_WRITE_ERROR : 0;
}

/* Sends the packet to the node behind `to`. p->trace says where to (dst) and why (reason, monitor). */
STAGE int encapsulate(struct __sk_buff *ctx, struct packet *p, struct remote_endpoint_info *to, uint32_t identity)
{
	int ret;

	/* for the node that receives it, this host is a remote node */
	if (identity == IDENTITY_HOST)
		identity = IDENTITY_REMOTE_NODE;
	p->trace.src = identity;
	p->trace.ifindex = config.encap_ifindex;
	send_trace(ctx, p, TRACE_TO_OVERLAY);
	ret = set_tunnel_key(ctx, to, identity);
	return ret < 0 ? ret : (int)bpf_redirect(config.encap_ifindex, 0);
}
