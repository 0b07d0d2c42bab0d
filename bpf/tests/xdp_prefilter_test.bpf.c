// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* The prefilter: packets from a prefix on its list never reach the stack (xdp_entry.bpf.c). */
#define INITIAL_CONFIG { .enable_ipv4 = 1, .enable_xdp_prefilter = 1 }
#include "tests/unittest.h"
#include "tests/packets.h"
#include "xdp_entry.bpf.c"

PROGRAM_UNDER_TEST(cil_xdp_entry);

PKTGEN("xdp", "1_unlisted_passes")
int unlisted_packet(struct xdp_md *ctx)
{
	PUT_XDP(ctx, syn_from_outside);
}

SETUP("xdp", "1_unlisted_passes")
int unlisted_setup(struct xdp_md *ctx)
{
	RUN(ctx);
}

CHECK("xdp", "1_unlisted_passes")
int unlisted_check(struct xdp_md *ctx)
{
	EXPECT_EQUAL(verdict_of_xdp(ctx), XDP_PASS);
	return TEST_PASS;
}

PKTGEN("xdp", "2_listed_is_dropped")
int listed_packet(struct xdp_md *ctx)
{
	PUT_XDP(ctx, syn_from_outside);
}

SETUP("xdp", "2_listed_is_dropped")
int listed_setup(struct xdp_md *ctx)
{
	struct lpm_v4_key documentation = { .prefixlen = 24, .addr = HTONL(0xcb007100) }; /* 203.0.113.0/24 */
	uint8_t present = 1;

	bpf_map_update_elem(&cilium_cidr_v4_dyn, &documentation, &present, BPF_ANY);
	RUN(ctx);
}

CHECK("xdp", "2_listed_is_dropped")
int listed_check(struct xdp_md *ctx)
{
	EXPECT_EQUAL(verdict_of_xdp(ctx), XDP_DROP);
	return TEST_PASS;
}
