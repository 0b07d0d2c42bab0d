/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Routing by the program itself: the kernel's table is asked, and the packet sent past the stack. Modelled:
 * bpf/lib/fib.h.
 */
#pragma once

#include "lib/deliver.h"

static long (*const bpf_skb_change_head)(struct __sk_buff *ctx, uint32_t room, uint64_t flags) = (void *)43;

enum { BPF_FIB_LKUP_RET_NOT_FWDED = 4 };

STAGE int fib_find(struct __sk_buff *ctx, struct packet *p, struct bpf_fib_lookup *fib)
{
	int ret;

	fib->family = is_ipv6(p) ? AF_INET6 : AF_INET;
	fib->ifindex = ctx->ifindex;
	ret = bpf_fib_lookup(ctx, fib, sizeof(*fib),
			     config.supports_fib_lookup_skip_neigh ? BPF_FIB_LOOKUP_SKIP_NEIGH : 0);
	if (ret == BPF_FIB_LKUP_RET_SUCCESS || ret == BPF_FIB_LKUP_RET_NO_NEIGH)
		return 0;
	p->drop.ext_err = ret;
	return -DROP_NO_FIB;
}

INLINE struct bpf_fib_lookup fib_query(const struct v6addr *source, const struct v6addr *destination)
{
	return (struct bpf_fib_lookup){
		.src = { source->w0, source->w1, source->w2, source->w3 },
		.dst = { destination->w0, destination->w1, destination->w2, destination->w3 },
	};
}

/* Out of the device that was found; neighbours are resolved by the kernel. A device without Ethernet needs none. */
STAGE int fib_send(struct __sk_buff *ctx, struct bpf_fib_lookup *fib)
{
	uint32_t device = fib->ifindex;
	struct device_state *state = bpf_map_lookup_elem(&cilium_devices, &device);
	struct bpf_redir_neigh next = {
		.nh_family = fib->family,
		.nh = { fib->dst[0], fib->dst[1], fib->dst[2], fib->dst[3] },
	};
	be16 proto = ctx->protocol;

	if (state && (state->l3 & 1))
		return bpf_redirect(device, 0);
	if (l3_offset() == 0) {
		if (bpf_skb_change_head(ctx, ETH_HEADER_LENGTH, 0))
			return -DROP_INVALID;
		if (bpf_skb_store_bytes(ctx, 12, &proto, 2, 0) < 0)
			return -DROP_WRITE_ERROR;
	}
	return bpf_redirect_neigh(device, &next, sizeof(next), 0);
}

/* Asks and sends. */
STAGE int fib_redirect(struct __sk_buff *ctx, struct packet *p)
{
	struct bpf_fib_lookup fib = fib_query(&p->saddr, &p->daddr);
	int ret = fib_find(ctx, p, &fib);

	return ret < 0 ? ret : fib_send(ctx, &fib);
}

/* As a router does: the hop is counted once there is a route. *device is where to, or 0 if the packet was answered. */
STAGE int route(struct __sk_buff *ctx, struct packet *p, uint32_t *device)
{
	struct bpf_fib_lookup fib = fib_query(&p->saddr, &p->daddr);
	int ret = fib_find(ctx, p, &fib), done;

	*device = 0;
	if (ret < 0)
		return ret;
	ret = next_hop(ctx, p, 0, 0, METRIC_EGRESS, &done);
	if (done)
		return ret;
	*device = fib.ifindex;
	return fib_send(ctx, &fib);
}
