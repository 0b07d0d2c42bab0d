/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Words shared by the map ABI: fixed-width integers, byte-order marks, addresses.
 *
 * The headers of this folder are included by the eBPF programs and imported by Swift (module CDatapath), so that
 * every layout is written once. Padding is explicit, flags are plain integers with masks (no bit-fields), and the
 * size of every struct is asserted.
 */
#pragma once

#include <stdint.h>

/* Network byte order, as on the wire. Every other integer is in host order. */
typedef uint16_t be16;
typedef uint32_t be32;

#define ABI_SWIFT_NAME(name) __attribute__((swift_name(#name)))
#define ABI_PACKED __attribute__((packed))
#define ABI_SIZE(type, size) _Static_assert(sizeof(type) == (size), #type)

/* An IPv6 address, or an IPv4 address in word 0 with the other words zero. */
struct ABI_SWIFT_NAME(AddressWords) v6addr {
	be32 w0, w1, w2, w3;
};
ABI_SIZE(struct v6addr, 16);

/* An Ethernet address, padded to the eight octets that Cilium stores. */
struct ABI_SWIFT_NAME(MACBytes) macaddr {
	uint8_t a0, a1, a2, a3, a4, a5;
	uint16_t pad;
};
ABI_SIZE(struct macaddr, 8);
