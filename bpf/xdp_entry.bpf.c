// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* The first look at a packet from the network: attached to the native devices in XDP. Without load balancer
 * acceleration it only drops what comes from a prefix on the prefilter's lists. Modelled: cil_xdp_entry of bpf_xdp.c.
 */
#define THIS_OBJECT SOURCE_FILE_XDP
#include "lib/config.h"
#include "lib/maps.h"

enum { ETHERNET = 14, TYPE_IPV4 = 0x0800, TYPE_IPV6 = 0x86dd, TYPE_MIN = 0x0600 };

/* Refused: on a list, or too short to be looked up. */
INLINE int refused_ipv4(const uint8_t *packet, const uint8_t *end)
{
	struct lpm_v4_key key = { .prefixlen = 32 };

	if (packet + ETHERNET + 20 > end)
		return 1;
	__builtin_memcpy(&key.addr, packet + ETHERNET + 12, 4);
	return bpf_map_lookup_elem(&cilium_cidr_v4_dyn, &key) || bpf_map_lookup_elem(&cilium_cidr_v4_fix, &key);
}

INLINE int refused_ipv6(const uint8_t *packet, const uint8_t *end)
{
	struct lpm_v6_key key = { .prefixlen = 128 };

	if (packet + ETHERNET + 40 > end)
		return 1;
	__builtin_memcpy(&key.addr, packet + ETHERNET + 8, 16);
	return bpf_map_lookup_elem(&cilium_cidr_v6_dyn, &key) || bpf_map_lookup_elem(&cilium_cidr_v6_fix, &key);
}

SEC("xdp")
int cil_xdp_entry(struct xdp_md *ctx)
{
	const uint8_t *packet = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	be16 type;

	if (!config.enable_xdp_prefilter || packet + ETHERNET > end)
		return XDP_PASS;
	type = *(const be16 *)(packet + 12);
	if (type < HTONS(TYPE_MIN)) /* network order is compared as it is */
		return XDP_PASS;
	if (type == HTONS(TYPE_IPV4) && config.enable_ipv4)
		return refused_ipv4(packet, end) ? XDP_DROP : XDP_PASS;
	if (type == HTONS(TYPE_IPV6) && config.enable_ipv6)
		return refused_ipv6(packet, end) ? XDP_DROP : XDP_PASS;
	return XDP_PASS;
}

char program_license[] SEC("license") = "Dual BSD/GPL";
