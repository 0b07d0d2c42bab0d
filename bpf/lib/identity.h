/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Identities: who an address is, and how skb->mark and tunnels carry the answer. Modelled: bpf/lib/identity.h,
 * clustermesh.h, eps.h, common.h (tunnel ids).
 */
#pragma once

#include "lib/packet.h"

enum { IDENTITY_BITS = 24 };

INLINE uint32_t world_of(int ipv6)
{
	if (!dual_stack())
		return IDENTITY_WORLD;
	return ipv6 ? IDENTITY_WORLD_IPV6 : IDENTITY_WORLD_IPV4;
}

/* The identity that an object stands for: its endpoint's, the host's, or for the overlay the world. */
INLINE uint32_t own_identity(int ipv6)
{
	return IS_OVERLAY ? world_of(ipv6) : config.security_label;
}

INLINE int identity_is_remote_node(uint32_t identity)
{
	return identity == IDENTITY_REMOTE_NODE || identity == IDENTITY_KUBE_APISERVER ||
	       (identity & IDENTITY_SCOPE_MASK) == IDENTITY_SCOPE_REMOTE_NODE;
}

/* Identities that say little; the ipcache may know better. */
INLINE int identity_is_reserved(uint32_t identity)
{
	return identity < IDENTITY_UNMANAGED || identity_is_remote_node(identity) ||
	       (dual_stack() && (identity == IDENTITY_WORLD_IPV4 || identity == IDENTITY_WORLD_IPV6));
}

INLINE int identity_is_world(uint32_t identity, int ipv6)
{
	return identity == IDENTITY_WORLD || identity == world_of(ipv6);
}

/* mark: identity without its cluster in the upper half, the cluster's low octet at the bottom, the rest of the cluster
 * above the identity where there is room.
 */
INLINE uint32_t identity_local_bits(void)
{
	return IDENTITY_BITS - config.cluster_id_bits;
}

INLINE uint32_t mark_of(uint32_t identity, uint32_t magic)
{
	uint32_t bits = identity_local_bits();
	uint32_t cluster = identity >> bits & ((1u << config.cluster_id_bits) - 1);

	return (cluster & 0xff) | (cluster & 0xffffff00) << (8 + bits) | (magic & MARK_MAGIC_KEY_MASK) |
	       (identity & ((1u << bits) - 1)) << 16;
}

INLINE uint32_t identity_of_mark(uint32_t mark)
{
	uint32_t bits = identity_local_bits();
	uint32_t upper = (((1u << config.cluster_id_bits) - 1) & ~0xffu) << (8 + bits);
	uint32_t cluster = (mark & 0xff) | (mark & upper) >> (8 + bits);

	return cluster << bits | (mark >> 16 & ((1u << bits) - 1));
}

INLINE void set_identity_mark(struct __sk_buff *ctx, uint32_t identity, uint32_t magic)
{
	ctx->mark = mark_of(identity, magic);
}

INLINE void mark_snat_done(struct __sk_buff *ctx)
{
	ctx->mark = (ctx->mark & ~MARK_MAGIC_MASK) | MARK_MAGIC_SNAT_DONE;
}

INLINE int is_snat_done(const struct __sk_buff *ctx)
{
	return (ctx->mark & MARK_MAGIC_MASK) == MARK_MAGIC_SNAT_DONE;
}

/* On the wire there is one world. */
INLINE uint32_t tunnel_id_of(uint32_t identity)
{
	if (dual_stack() && (identity == IDENTITY_WORLD_IPV4 || identity == IDENTITY_WORLD_IPV6))
		return IDENTITY_WORLD;
	return identity;
}

INLINE uint32_t identity_of_tunnel_id(uint32_t id, be16 proto)
{
	if (dual_stack() && id == IDENTITY_WORLD) {
		if (proto == HTONS(ETH_IPV4))
			return IDENTITY_WORLD_IPV4;
		if (proto == HTONS(ETH_IPV6))
			return IDENTITY_WORLD_IPV6;
	}
	return id;
}

/* The endpoint of this node with that address, or the node itself. */
STAGE struct endpoint_info *endpoint_at(struct packet *p, const struct v6addr *address)
{
	struct endpoint_key key = {
		.ip = *address,
		.family = is_ipv6(p) ? ENDPOINT_KEY_IPV6 : ENDPOINT_KEY_IPV4,
	};

	return bpf_map_lookup_elem(&cilium_lxc, &key);
}

/* Who has that address anywhere, and where its node is. */
STAGE struct remote_endpoint_info *ipcache_at(struct packet *p, const struct v6addr *address)
{
	struct ipcache_key key = {
		.prefixlen = 32 + (is_ipv6(p) ? 128 : 32),
		.family = is_ipv6(p) ? ENDPOINT_KEY_IPV6 : ENDPOINT_KEY_IPV4,
		.ip = *address,
	};

	return bpf_map_lookup_elem(&cilium_ipcache_v2, &key);
}

/* A reserved source identity gives way to the ipcache's, unless that says "host": traffic that was masqueraded on its
 * way in has the host's address without being the host's. Modelled: resolve_srcid_ipv4/6() of bpf_host.c.
 */
INLINE uint32_t resolve_source(struct packet *p, uint32_t identity)
{
	struct remote_endpoint_info *info;

	if (!identity_is_reserved(identity))
		return identity;
	info = ipcache_at(p, &p->saddr);
	return info && info->sec_identity != IDENTITY_HOST ? info->sec_identity : identity;
}

/* What the host's stack says about a packet by its mark, which is cleared. Returns the magic. */
INLINE uint32_t inherit_identity(struct __sk_buff *ctx, uint32_t *identity)
{
	uint32_t mark = ctx->mark, magic = mark & MARK_MAGIC_MASK;
	be16 proto = ctx->protocol;

	switch (magic) {
	case MARK_MAGIC_PROXY_INGRESS:
		*identity = identity_of_mark(mark);
		ctx->tc_index |= TC_INDEX_FROM_INGRESS_PROXY;
		break;
	case MARK_MAGIC_PROXY_EGRESS:
		*identity = identity_of_mark(mark);
		ctx->tc_index |= TC_INDEX_FROM_EGRESS_PROXY;
		break;
	case MARK_MAGIC_IDENTITY:
		*identity = identity_of_mark(mark);
		break;
	case MARK_MAGIC_HOST:
		*identity = IDENTITY_HOST;
		break;
	default:
		*identity = identity_of_tunnel_id(IDENTITY_WORLD, proto);
	}
	ctx->mark = 0;
	return magic;
}
