/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Rewriting addresses and ports, with every checksum that covers them. Modelled: bpf/lib/csum.h, l4.h, lb.h (xlate). */
#pragma once

#include "lib/parse.h"

/* Where the checksum of a protocol stands that covers a pseudo header; 0 where there is none (ICMPv4, SCTP, others). */
INLINE uint32_t l4_checksum_offset(uint8_t protocol)
{
	switch (protocol) {
	case L4_TCP:
		return 16;
	case L4_UDP:
		return 6;
	case L4_ICMPV6:
		return 2;
	default:
		return 0;
	}
}

INLINE uint64_t l4_checksum_flags(uint8_t protocol)
{
	return protocol == L4_UDP ? BPF_F_MARK_MANGLED_0 : 0;
}

enum address_field { ADDRESS_SOURCE, ADDRESS_DESTINATION };

INLINE uint32_t address_offset(const struct packet *p, int field)
{
	return l3_offset() + (is_ipv6(p) ? 8 : 12) + (field == ADDRESS_DESTINATION ? address_size(p) : 0);
}

INLINE int write_address(struct __sk_buff *ctx, struct packet *p, int field, const struct v6addr *address)
{
	if (is_ipv6(p))
		return bpf_skb_store_bytes(ctx, address_offset(p, field), address, 16, 0);
	return bpf_skb_store_bytes(ctx, address_offset(p, field), address, 4, 0);
}

/* The change that replacing one address by another makes to a ones' complement sum, added to `sum`. */
INLINE uint32_t address_difference(struct packet *p, const struct v6addr *from, const struct v6addr *to, uint32_t sum)
{
	return is_ipv6(p) ? bpf_csum_diff(from, 16, to, 16, sum) : bpf_csum_diff(from, 4, to, 4, sum);
}

/* IPv6 headers have no checksum. */
INLINE int fix_header_checksum(struct __sk_buff *ctx, struct packet *p, uint32_t sum)
{
	if (!is_ipv6(p) && bpf_l3_csum_replace(ctx, l3_offset() + 10, 0, sum, 0) < 0)
		return -DROP_CSUM_L3;
	return 0;
}

INLINE int fix_l4_checksum(struct __sk_buff *ctx, struct packet *p, uint32_t sum)
{
	uint8_t protocol = p->ct.tuple.nexthdr;
	uint32_t offset = l4_checksum_offset(protocol);

	if (offset && bpf_l4_csum_replace(ctx, p->l4_off + offset, 0, sum,
					  BPF_F_PSEUDO_HDR | l4_checksum_flags(protocol)) < 0)
		return -DROP_CSUM_L4;
	return 0;
}

enum port_field { PORT_SOURCE = 0, PORT_DESTINATION = 2 };

INLINE int write_port(struct __sk_buff *ctx, struct packet *p, int field, be16 from, be16 to)
{
	uint8_t protocol = p->ct.tuple.nexthdr;

	if (protocol == L4_SCTP && config.enable_sctp)
		return -DROP_CSUM_L4; /* CRC32c, which a program cannot compute */
	if (bpf_skb_store_bytes(ctx, p->l4_off + field, &to, 2, 0) < 0)
		return -DROP_WRITE_ERROR;
	if (bpf_l4_csum_replace(ctx, p->l4_off + l4_checksum_offset(protocol), from, to,
				2 | l4_checksum_flags(protocol)) < 0)
		return -DROP_CSUM_L4;
	return 0;
}
