// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* A pod sends (from_container.bpf.c): its gateway answers ARP, policy is asked, services become backends, and what is
 * for another node goes into the tunnel. The tests build on each other: policy and identities stay in the maps.
 */
#define INITIAL_CONFIG { \
	.interface_mac = { 0x0a, 0x58, 0x0a, 0xf4, 0x01, 0x01, 0 }, \
	.security_label = 1234, \
	.endpoint_id = 7, \
	.endpoint_ipv4 = HTONL(0x0af4010a), \
	.encap_ifindex = 1, \
	.cluster_id_bits = 8, \
	.tunnel_port = 8472, \
	.lb_selection = 1, \
	.ct_connection_lifetime_tcp = 8000, \
	.ct_service_lifetime_tcp = 8000, \
	.ct_syn_timeout = 60, \
	.ct_close_timeout = 10, \
	.enable_ipv4 = 1, \
	.enable_routing = 1, \
	.tunnel_mode = 1, \
	.have_encap = 1, \
	.enable_identity_mark = 1, \
	.enable_arp_responder = 1, \
	.enable_per_packet_lb = 1, \
}
#include "tests/unittest.h"
#include "tests/packets.h"
#include "from_container.bpf.c"

PROGRAM_UNDER_TEST(cil_from_container);

enum { IDENTITY_SERVER = 4321, SERVICE_BACKEND = 11, SERVICE_REVERSE = 3 };
static const be32 server = HTONL(0x0af40214), service = HTONL(0x0a60000a), node = HTONL(0xac120003);

/* Everybody may be talked to. */
INLINE void allow_egress(void)
{
	struct policy_key all = { .prefixlen = POLICY_PREFIX_FULL - 24, .egress = 1 };
	struct policy_entry allow = {};

	bpf_map_update_elem(&cilium_policy_v2, &all, &allow, BPF_ANY);
}

/* The server is a pod of the node 172.18.0.3. */
INLINE void add_server(void)
{
	struct ipcache_key key = { .prefixlen = 64, .family = ENDPOINT_KEY_IPV4, .ip = { .w0 = server } };
	struct remote_endpoint_info info = {
		.sec_identity = IDENTITY_SERVER,
		.tunnel_endpoint = { .w0 = node },
		.flags = IPCACHE_FLAG_HAS_TUNNEL_EP,
	};

	bpf_map_update_elem(&cilium_ipcache_v2, &key, &info, BPF_ANY);
}

/* 10.96.0.10:80/TCP, with the server's port 8080 as its only backend. */
INLINE void add_service(void)
{
	struct lb4_key key = { .address = service, .dport = HTONS(80), .proto = L4_TCP };
	struct lb_service frontend = { .count = 1, .rev_nat_index = SERVICE_REVERSE };
	struct lb_service slot = { .backend_id = SERVICE_BACKEND, .rev_nat_index = SERVICE_REVERSE };
	struct lb4_backend backend = { .address = server, .port = HTONS(8080), .proto = L4_TCP };
	uint32_t id = SERVICE_BACKEND;

	bpf_map_update_elem(&cilium_lb4_services_v2, &key, &frontend, BPF_ANY);
	key.backend_slot = 1;
	bpf_map_update_elem(&cilium_lb4_services_v2, &key, &slot, BPF_ANY);
	bpf_map_update_elem(&cilium_lb4_backends_v3, &id, &backend, BPF_ANY);
}

/* The conntrack entry of the pod's connection to the server's port; null if there is none. */
INLINE struct ct_entry *connection(uint16_t port)
{
	struct ipv4_ct_tuple tuple = {
		.saddr = server, /* the addresses stand the other way round, as conntrack has them */
		.daddr = HTONL(0x0af4010a),
		.sport = HTONS(40000),
		.dport = HTONS(port),
		.nexthdr = L4_TCP,
		.flags = TUPLE_OUT,
	};

	return bpf_map_lookup_elem(&cilium_ct4_global, &tuple);
}

PKTGEN("tc", "1_gateway_answers_arp")
int arp_packet(struct __sk_buff *ctx)
{
	PUT_SKB(ctx, arp_request);
}

SETUP("tc", "1_gateway_answers_arp")
int arp_setup(struct __sk_buff *ctx)
{
	RUN(ctx);
}

CHECK("tc", "1_gateway_answers_arp")
int arp_check(struct __sk_buff *ctx)
{
	EXPECT_EQUAL(verdict_of_skb(ctx), TC_ACT_REDIRECT);
	EXPECT_PACKET(ctx, "Ether", arp_reply);
	return TEST_PASS;
}

PKTGEN("tc", "2_own_address_is_not_answered")
int own_packet(struct __sk_buff *ctx)
{
	PUT_SKB(ctx, arp_probe);
}

SETUP("tc", "2_own_address_is_not_answered")
int own_setup(struct __sk_buff *ctx)
{
	RUN(ctx);
}

CHECK("tc", "2_own_address_is_not_answered")
int own_check(struct __sk_buff *ctx)
{
	EXPECT_EQUAL(verdict_of_skb(ctx), TC_ACT_OK);
	EXPECT_PACKET(ctx, "Ether", arp_probe);
	return TEST_PASS;
}

PKTGEN("tc", "3_no_policy_no_packet")
int denied_packet(struct __sk_buff *ctx)
{
	PUT_SKB(ctx, syn_to_pod);
}

SETUP("tc", "3_no_policy_no_packet")
int denied_setup(struct __sk_buff *ctx)
{
	add_server();
	RUN(ctx);
}

CHECK("tc", "3_no_policy_no_packet")
int denied_check(struct __sk_buff *ctx)
{
	EXPECT_EQUAL(verdict_of_skb(ctx), TC_ACT_SHOT);
	EXPECT(!connection(80));
	return TEST_PASS;
}

PKTGEN("tc", "4_another_node_is_behind_the_tunnel")
int remote_packet(struct __sk_buff *ctx)
{
	PUT_SKB(ctx, syn_to_pod);
}

SETUP("tc", "4_another_node_is_behind_the_tunnel")
int remote_setup(struct __sk_buff *ctx)
{
	allow_egress();
	RUN(ctx);
}

CHECK("tc", "4_another_node_is_behind_the_tunnel")
int remote_check(struct __sk_buff *ctx)
{
	struct ct_entry *entry = connection(80);

	EXPECT_EQUAL(verdict_of_skb(ctx), TC_ACT_REDIRECT);
	EXPECT_EQUAL(identity_of_mark(ctx->mark), 1234);
	EXPECT_PACKET(ctx, "Ether", syn_to_pod);
	EXPECT(entry);
	EXPECT_EQUAL(entry ? entry->src_sec_id : 0, 1234);
	return TEST_PASS;
}

PKTGEN("tc", "5_service_becomes_backend")
int service_packet(struct __sk_buff *ctx)
{
	PUT_SKB(ctx, syn_to_service);
}

SETUP("tc", "5_service_becomes_backend")
int service_setup(struct __sk_buff *ctx)
{
	add_service();
	RUN(ctx);
}

CHECK("tc", "5_service_becomes_backend")
int service_check(struct __sk_buff *ctx)
{
	struct ct_entry *entry = connection(8080);

	EXPECT_EQUAL(verdict_of_skb(ctx), TC_ACT_REDIRECT);
	EXPECT_PACKET(ctx, "Ether", syn_to_backend);
	EXPECT(entry);
	EXPECT_EQUAL(entry ? entry->rev_nat_index : 0, SERVICE_REVERSE);
	return TEST_PASS;
}

PKTGEN("tc", "6_foreign_source_is_dropped")
int spoofed_packet(struct __sk_buff *ctx)
{
	PUT_SKB(ctx, syn_spoofed);
}

SETUP("tc", "6_foreign_source_is_dropped")
int spoofed_setup(struct __sk_buff *ctx)
{
	RUN(ctx);
}

CHECK("tc", "6_foreign_source_is_dropped")
int spoofed_check(struct __sk_buff *ctx)
{
	EXPECT_EQUAL(verdict_of_skb(ctx), TC_ACT_SHOT);
	return TEST_PASS;
}
