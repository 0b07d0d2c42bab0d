// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Identities in skb->mark and in tunnels (lib/identity.h): checks alone, no packet is needed. */
#define THIS_OBJECT SOURCE_FILE_HOST
#define INITIAL_CONFIG { .enable_ipv4 = 1, .enable_ipv6 = 1, .cluster_id_bits = 8 }
#include "tests/unittest.h"
#include "lib/identity.h"

CHECK("tc", "mark_carries_identity")
int mark_carries_identity(struct __sk_buff *ctx)
{
	set_identity_mark(ctx, 0x31234, MARK_MAGIC_IDENTITY);
	EXPECT_EQUAL(ctx->mark & MARK_MAGIC_MASK, MARK_MAGIC_IDENTITY);
	EXPECT_EQUAL(identity_of_mark(ctx->mark), 0x31234);
	return TEST_PASS;
}

CHECK("tc", "one_world_on_the_wire")
int one_world_on_the_wire(struct __sk_buff *ctx)
{
	EXPECT_EQUAL(tunnel_id_of(IDENTITY_WORLD_IPV6), IDENTITY_WORLD);
	EXPECT_EQUAL(identity_of_tunnel_id(IDENTITY_WORLD, HTONS(ETH_IPV6)), IDENTITY_WORLD_IPV6);
	EXPECT_EQUAL(identity_of_tunnel_id(IDENTITY_WORLD, HTONS(ETH_IPV4)), IDENTITY_WORLD_IPV4);
	EXPECT_EQUAL(identity_of_tunnel_id(1234, HTONS(ETH_IPV4)), 1234);
	return TEST_PASS;
}

CHECK("tc", "remote_nodes")
int remote_nodes(struct __sk_buff *ctx)
{
	EXPECT(identity_is_remote_node(IDENTITY_KUBE_APISERVER));
	EXPECT(identity_is_remote_node(IDENTITY_SCOPE_REMOTE_NODE + 5));
	EXPECT(!identity_is_remote_node(IDENTITY_HOST));
	EXPECT(!identity_is_remote_node(1234));
	return TEST_PASS;
}

char program_license[] SEC("license") = "Dual BSD/GPL";
