/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What passes between the test harness and the drivers (bpf/test): what TEST_RUN cannot give a hook or take from it.
 * Maps ciliate_driver_in and ciliate_driver_out, arrays of one, memory-mapped; the hooks are in ciliate_hooks.
 */
#pragma once

#include "basics.h"

enum driver_tunnel { DRIVER_TUNNEL_NONE = 0, DRIVER_TUNNEL_IPV4 = 1, DRIVER_TUNNEL_IPV6 = 2 };
enum { DRIVER_HOOKS = 256 };

struct ABI_SWIFT_NAME(DriverInput) driver_in {
	uint32_t slot; /* which of ciliate_hooks */
	uint32_t tc_index;
	uint32_t tunnel; /* enum driver_tunnel: the packet came out of a tunnel */
	uint32_t tunnel_id;
	struct v6addr tunnel_source; /* the node that it came from */
	uint8_t tunnel_tos;
	uint8_t tunnel_ttl;
	uint8_t set_ethertype; /* 1: write `ethertype` into the frame first */
	uint8_t cut; /* 1: cut the frame to `length` octets, which TEST_RUN itself would refuse */
	uint16_t length;
	be16 ethertype;
};
ABI_SIZE(struct driver_in, 40);

struct ABI_SWIFT_NAME(DriverOutput) driver_out {
	uint32_t ran; /* 1: the hook ran and control came back */
	int32_t action;
	uint32_t tunnel; /* enum driver_tunnel: a tunnel key is set */
	uint32_t tunnel_id;
	struct v6addr tunnel_source;
	struct v6addr tunnel_destination; /* where a key that the hook set leads; zero if it set none */
	uint8_t tunnel_tos;
	uint8_t tunnel_ttl;
	uint16_t tunnel_flags;
	uint32_t tc_index;
	uint32_t hash;
	uint32_t mark;
	uint32_t cb[5];
	uint32_t length;
	uint32_t packet_type_before; /* as the kernel made the packet, which TEST_RUN cannot be told */
	uint32_t packet_type;
	uint32_t queue_mapping;
	uint32_t protocol;
};
ABI_SIZE(struct driver_out, 104);
