// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* The driver of a tc hook under BPF_PROG_TEST_RUN: gives the unmodified hook what ctx_in cannot carry (tunnel key,
 * tc_index, frames too short for TEST_RUN), and reads what data_out does not show. The hook is tail-called from a
 * function of its own, so that control comes back.
 */
#define THIS_OBJECT 0
#include "abi/driver.h"
#include "lib/maps.h"

MAP(ciliate_driver_in, BPF_MAP_TYPE_ARRAY, uint32_t, struct driver_in, 1, BPF_F_MMAPABLE);
MAP(ciliate_driver_out, BPF_MAP_TYPE_ARRAY, uint32_t, struct driver_out, 1, BPF_F_MMAPABLE);
MAP_OF_PROGRAMS(ciliate_hooks, DRIVER_HOOKS);

/* No compiler may know what comes back: the value is the hook's, -1 only if there is none in the slot. */
__attribute__((noinline)) static int run_hook(struct __sk_buff *ctx, uint32_t slot)
{
	int none = opaque(-1);

	bpf_tail_call(ctx, &ciliate_hooks, slot);
	return none;
}

/* The kernel's key of a received packet has the other node as its source; a program that sets a key for sending names
 * the destination. One helper reads the source as "remote" and the other writes the destination as "remote", so both
 * addresses are passed here, by what they are.
 */
INLINE void set_tunnel(struct __sk_buff *ctx, const struct driver_in *in)
{
	struct bpf_tunnel_key key = {
		.tunnel_id = in->tunnel_id,
		.tunnel_tos = in->tunnel_tos,
		.tunnel_ttl = in->tunnel_ttl,
	};

	if (in->tunnel == DRIVER_TUNNEL_IPV6) {
		key.local_ipv6[0] = in->tunnel_source.w0;
		key.local_ipv6[1] = in->tunnel_source.w1;
		key.local_ipv6[2] = in->tunnel_source.w2;
		key.local_ipv6[3] = in->tunnel_source.w3;
	} else {
		key.local_ipv4 = NTOHL(in->tunnel_source.w0);
	}
	bpf_skb_set_tunnel_key(ctx, &key, sizeof(key), in->tunnel == DRIVER_TUNNEL_IPV6 ? BPF_F_TUNINFO_IPV6 : 0);
}

INLINE void read_tunnel(struct __sk_buff *ctx, struct driver_out *out)
{
	struct bpf_tunnel_key key = {};

	if (bpf_skb_get_tunnel_key(ctx, &key, sizeof(key), 0) == 0) {
		out->tunnel = DRIVER_TUNNEL_IPV4;
		out->tunnel_source.w0 = HTONL(key.remote_ipv4);
		out->tunnel_destination.w0 = HTONL(key.local_ipv4);
	} else if (bpf_skb_get_tunnel_key(ctx, &key, sizeof(key), BPF_F_TUNINFO_IPV6) == 0) {
		out->tunnel = DRIVER_TUNNEL_IPV6;
		__builtin_memcpy(&out->tunnel_source, key.remote_ipv6, 16);
		__builtin_memcpy(&out->tunnel_destination, key.local_ipv6, 16);
	} else {
		return;
	}
	out->tunnel_id = key.tunnel_id;
	out->tunnel_tos = key.tunnel_tos;
	out->tunnel_ttl = key.tunnel_ttl;
	out->tunnel_flags = key.tunnel_flags;
}

SEC("tc")
int ciliate_drive_tc(struct __sk_buff *ctx)
{
	uint32_t zero = 0;
	struct driver_in *in = bpf_map_lookup_elem(&ciliate_driver_in, &zero);
	struct driver_out *out = bpf_map_lookup_elem(&ciliate_driver_out, &zero);
	int action;

	if (!in || !out)
		return -1;
	__builtin_memset(out, 0, sizeof(*out));
	if (in->set_ethertype)
		bpf_skb_store_bytes(ctx, 12, &in->ethertype, 2, 0);
	if (in->cut)
		bpf_skb_change_tail(ctx, in->length, 0);
	if (in->tunnel)
		set_tunnel(ctx, in);
	ctx->tc_index = in->tc_index;
	out->packet_type_before = ctx->pkt_type;
	action = run_hook(ctx, in->slot);
	out->ran = action != -1;
	out->action = action;
	out->tc_index = ctx->tc_index;
	out->hash = ctx->hash;
	out->mark = ctx->mark;
	out->cb[0] = ctx->cb[0];
	out->cb[1] = ctx->cb[1];
	out->cb[2] = ctx->cb[2];
	out->cb[3] = ctx->cb[3];
	out->cb[4] = ctx->cb[4];
	out->length = ctx->len;
	out->packet_type = ctx->pkt_type;
	out->queue_mapping = ctx->queue_mapping;
	out->protocol = ctx->protocol;
	read_tunnel(ctx, out);
	return action;
}

char program_license[] SEC("license") = "Dual BSD/GPL";
