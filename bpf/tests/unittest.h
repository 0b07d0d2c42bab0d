/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Unit tests of the programs, run by `ciliate test`. The convention is that of Cilium's own datapath tests: a test is up
 * to three programs, in sections that name it.
 *
 *   PKTGEN   makes a packet, out of 3520 zeros
 *   SETUP    fills maps and runs the program under test on that packet (RUN)
 *   CHECK    looks at what came of it: the packet, preceded by four octets that hold what SETUP returned
 *
 * A test needs only a CHECK. Tests of one file share its maps and run in the order of their names. A test file defines
 * its configuration, includes this header and the program as it is shipped, and says what RUN runs:
 *
 *   #define INITIAL_CONFIG { .enable_ipv4 = 1 }
 *   #include "tests/unittest.h"
 *   #include "to_overlay.bpf.c"
 *   PROGRAM_UNDER_TEST(cil_to_overlay);
 */
#pragma once

/* A test plays the agent: it writes what programs otherwise may only read. */
#define READ_ONLY BPF_F_NO_PREALLOC
#include "lib/maps.h"

enum test_status { TEST_ERROR = 100, TEST_PASS = 101, TEST_FAIL = 102, TEST_SKIP = 103 };

#define PKTGEN(type, name) SEC(type "/test/" name "/pktgen")
#define SETUP(type, name) SEC(type "/test/" name "/setup")
#define CHECK(type, name) SEC(type "/test/" name "/check")

/* The program that RUN jumps to. It does not come back, so what it returns is what SETUP returns. */
#define PROGRAM_UNDER_TEST(function) \
	struct { \
		int (*type)[BPF_MAP_TYPE_PROG_ARRAY]; \
		int (*key_size)[4]; \
		int (*value_size)[4]; \
		int (*max_entries)[1]; \
		int (*values[])(); \
	} program_under_test SEC(".maps") = { .values = { &function } }

#define RUN(ctx) \
	do { \
		bpf_tail_call(ctx, &program_under_test, 0); \
		return TEST_ERROR; \
	} while (0)

static long (*const bpf_xdp_adjust_tail)(struct xdp_md *ctx, int difference) = (void *)65;

/* What a test has to say, as a message of protocol buffers; at most one, because a CHECK ends at the first expectation
 * that is not met.
 */
struct test_results {
	uint8_t message[8192];
};
MAP(suite_result_map, BPF_MAP_TYPE_ARRAY, uint32_t, struct test_results, 1, 0);

/* A packet that is not as expected. */
struct packet_assertion {
	char name[128], file[128], line[128], first_layer[128];
	uint16_t expected_size;
	uint8_t expected[1518];
	uint16_t found_size;
	uint8_t found[1518];
	uint8_t pad[2];
};
MAP(scapy_assert_map, BPF_MAP_TYPE_ARRAY, uint32_t, struct packet_assertion, 16, 0);
static uint32_t packet_assertions;

#define TEXT_OF(x) TEXT_OF_(x)
#define TEXT_OF_(x) #x

/* Tags: the number of a field, and how its value is written (2: length and octets, 1: eight octets). */
enum { TAG_SUITE_LOG = 2 << 3 | 2, TAG_FORMAT = 1 << 3 | 2, TAG_ARGUMENT = 2 << 3 | 1 };
/* A length in two octets, seven bits each; the first says that there is another. */
#define LENGTH_LOW(size) (((size) & 0x7f) | 0x80)
#define LENGTH_HIGH(size) ((size) >> 7)

/* Says where it stands, `text`, and two numbers. */
#define LOG(text, a, b) \
	do { \
		static const char format_[] = __FILE__ ":" TEXT_OF(__LINE__) ": " text; \
		struct { \
			uint8_t tag, low, high; \
			uint8_t format_tag, format_low, format_high; \
			char format[sizeof(format_)]; \
			uint8_t first_tag; \
			uint64_t first; \
			uint8_t second_tag; \
			uint64_t second; \
		} ABI_PACKED *line_; \
		uint32_t zero_ = 0; \
		line_ = (void *)bpf_map_lookup_elem(&suite_result_map, &zero_); \
		if (!line_) \
			return TEST_ERROR; \
		line_->tag = TAG_SUITE_LOG; \
		line_->low = LENGTH_LOW(sizeof(*line_) - 3); \
		line_->high = LENGTH_HIGH(sizeof(*line_) - 3); \
		line_->format_tag = TAG_FORMAT; \
		line_->format_low = LENGTH_LOW(sizeof(format_)); \
		line_->format_high = LENGTH_HIGH(sizeof(format_)); \
		__builtin_memcpy(line_->format, format_, sizeof(format_)); \
		line_->first_tag = TAG_ARGUMENT; \
		line_->first = (a); \
		line_->second_tag = TAG_ARGUMENT; \
		line_->second = (b); \
	} while (0)

/* Fails the CHECK unless two numbers are equal. */
#define EXPECT_EQUAL(got, expected) \
	do { \
		uint64_t got_ = (got), expected_ = (expected); \
		if (got_ != expected_) { \
			LOG(#got " is %lu, expected " #expected " (%lu)", got_, expected_); \
			return TEST_FAIL; \
		} \
	} while (0)

#define EXPECT(condition) EXPECT_EQUAL(!!(condition), 1)

enum { SETUP_RETURN = 4 }; /* octets before a CHECK's packet */

/* Fails the CHECK unless the packet that SETUP left begins with `bytes`, whose first header is `layer` (Ether, IP). */
#define EXPECT_PACKET(ctx, layer, bytes) \
	do { \
		uint32_t index_ = packet_assertions; \
		struct packet_assertion *a_ = bpf_map_lookup_elem(&scapy_assert_map, &index_); \
		uint32_t size_ = (ctx)->len - SETUP_RETURN; \
		int differs_ = size_ < sizeof(bytes); \
		if (!a_) \
			return TEST_ERROR; \
		if (!differs_ && bpf_skb_load_bytes(ctx, SETUP_RETURN, a_->found, sizeof(bytes)) < 0) \
			return TEST_ERROR; \
		for (uint32_t i_ = 0; i_ < sizeof(bytes); i_++) \
			differs_ |= a_->found[i_] != (bytes)[i_]; \
		if (differs_) { \
			__builtin_memcpy(a_->name, #bytes, sizeof(#bytes)); \
			__builtin_memcpy(a_->file, __FILE__, sizeof(__FILE__)); \
			__builtin_memcpy(a_->line, TEXT_OF(__LINE__), sizeof(TEXT_OF(__LINE__))); \
			__builtin_memcpy(a_->first_layer, layer, sizeof(layer)); \
			for (uint32_t i_ = 0; i_ < sizeof(bytes); i_++) \
				a_->expected[i_] = (bytes)[i_]; \
			a_->expected_size = sizeof(bytes); \
			a_->found_size = size_; \
			packet_assertions++; \
			return TEST_FAIL; \
		} \
		__builtin_memset(a_->found, 0, sizeof(bytes)); \
	} while (0)

/* What SETUP returned: the verdict of the program under test. */
INLINE uint32_t verdict_of_skb(const struct __sk_buff *ctx)
{
	uint32_t verdict = TEST_ERROR;

	bpf_skb_load_bytes(ctx, 0, &verdict, sizeof(verdict));
	return verdict;
}

INLINE uint32_t verdict_of_xdp(const struct xdp_md *ctx)
{
	const uint32_t *verdict = (void *)(long)ctx->data;

	return (void *)(verdict + 1) > (void *)(long)ctx->data_end ? TEST_ERROR : *verdict;
}

/* Makes the packet of a PKTGEN from an array of octets. */
#define PUT_SKB(ctx, bytes) \
	do { \
		if (bpf_skb_change_tail(ctx, sizeof(bytes), 0) < 0 || \
		    bpf_skb_store_bytes(ctx, 0, bytes, sizeof(bytes), 0) < 0) \
			return TEST_ERROR; \
		return TEST_PASS; \
	} while (0)

#define PUT_XDP(ctx, bytes) \
	do { \
		uint8_t *data_; \
		if (bpf_xdp_adjust_tail(ctx, (int)sizeof(bytes) - (int)((ctx)->data_end - (ctx)->data)) < 0) \
			return TEST_ERROR; \
		data_ = (void *)(long)(ctx)->data; \
		if (data_ + sizeof(bytes) > (uint8_t *)(long)(ctx)->data_end) \
			return TEST_ERROR; \
		__builtin_memcpy(data_, bytes, sizeof(bytes)); \
		return TEST_PASS; \
	} while (0)
