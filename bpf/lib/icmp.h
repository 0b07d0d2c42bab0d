/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Errors that a program answers itself: the packet becomes an ICMP message about itself and goes back where it came
 * from. Modelled: bpf/lib/icmp.h, icmp6.h (generate_icmp4/6_reply), icmp_wsum.h.
 */
#pragma once

#include "lib/csum.h"

enum { ICMP4_SAMPLE = 64, ICMP6_SAMPLE = 1280 - 40 - 8, ANSWER_TTL = 64 };
enum { ICMP4_UNREACHABLE = 3, ICMP4_PORT_UNREACHABLE = 3, ICMP4_FILTERED = 13 };
enum { ICMP6_UNREACHABLE = 1, ICMP6_PROHIBITED = 1, ICMP6_PORT_UNREACHABLE = 4 };

struct ethernet_header {
	uint8_t destination[6], source[6];
	be16 type;
} ABI_PACKED;

struct icmp_header {
	uint8_t type, code;
	be16 checksum;
	be32 rest;
};

INLINE uint16_t fold(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

/* The sum of one run of 128 octets of the sample, or of as much as there is. */
INLINE uint32_t sum_run(struct __sk_buff *ctx, struct packet *p, uint32_t from, uint32_t length, uint32_t sum)
{
	uint32_t here;

	if (length <= from)
		return sum;
	here = opaque(length - from); /* so that the verifier sees the bounds below */
	if (here > sizeof(p->sample))
		here = sizeof(p->sample);
	if (here == 0)
		return sum;
	__builtin_memset(p->sample, 0, sizeof(p->sample));
	if (bpf_skb_load_bytes(ctx, ETH_HEADER_LENGTH + from, p->sample, here) < 0)
		return sum;
	return bpf_csum_diff(0, 0, p->sample, sizeof(p->sample), sum);
}

/* Cilium's unrolled sum covers 128 octets out of every 256. A long ICMPv6 error therefore leaves with a checksum that
 * its receiver refuses; so does ours.
 */
INLINE uint32_t sum_sample(struct __sk_buff *ctx, struct packet *p, uint32_t length)
{
	uint32_t sum = sum_run(ctx, p, 0, length, 0);

	if (is_ipv6(p)) {
		sum = sum_run(ctx, p, 256, length, sum);
		sum = sum_run(ctx, p, 512, length, sum);
		sum = sum_run(ctx, p, 768, length, sum);
		sum = sum_run(ctx, p, 1024, length, sum);
	}
	return sum;
}

/* The length of the whole frame limits the sample, though the sample starts after the Ethernet header: a short packet
 * is quoted with 14 octets of zero behind it.
 */
INLINE uint32_t cut_to_sample(struct __sk_buff *ctx, uint32_t limit)
{
	uint32_t length = ctx->len;

	if (length > limit)
		length = limit;
	bpf_skb_change_tail(ctx, length + ETH_HEADER_LENGTH, 0);
	return length;
}

SUBPROGRAM int answer_ipv4(struct __sk_buff *ctx, struct packet *p, uint8_t type, uint8_t code)
{
	if (!p)
		return -DROP_INVALID;
	struct { struct ethernet_header eth; struct ipv4_header ip; struct icmp_header icmp; } ABI_PACKED new = {};
	struct ethernet_header old;
	uint32_t length, sum;

	if (parse_network(ctx, p) < 0 || bpf_skb_load_bytes(ctx, 0, &old, sizeof(old)) < 0)
		return -DROP_INVALID;
	length = cut_to_sample(ctx, ICMP4_SAMPLE);
	sum = sum_sample(ctx, p, length);
	if (bpf_skb_adjust_room(ctx, sizeof(new.ip) + sizeof(new.icmp), BPF_ADJ_ROOM_MAC, 0) < 0)
		return -DROP_INVALID;

	__builtin_memcpy(new.eth.destination, old.source, 6);
	__builtin_memcpy(new.eth.source, old.destination, 6);
	new.eth.type = HTONS(ETH_IPV4);
	struct ipv4_header ip = {
		.version_ihl = 0x45,
		.tos = p->header.ip4.tos,
		.total_length = HTONS(sizeof(new.ip) + sizeof(new.icmp) + length),
		.ttl = ANSWER_TTL,
		.protocol = L4_ICMP,
		.saddr = p->daddr.w0,
		.daddr = p->saddr.w0,
	};
	struct icmp_header icmp = { .type = type, .code = code };

	ip.checksum = fold(bpf_csum_diff(0, 0, &ip, sizeof(ip), 0));
	icmp.checksum = fold(bpf_csum_diff(0, 0, &icmp, sizeof(icmp), sum));
	new.ip = ip;
	new.icmp = icmp;
	return bpf_skb_store_bytes(ctx, 0, &new, sizeof(new), 0) < 0 ? -DROP_INVALID : 0;
}

SUBPROGRAM int answer_ipv6(struct __sk_buff *ctx, struct packet *p, uint8_t type, uint8_t code)
{
	if (!p)
		return -DROP_INVALID;
	struct { struct ethernet_header eth; struct ipv6_header ip; struct icmp_header icmp; } ABI_PACKED new = {};
	struct { struct v6addr source, destination; be32 length, next_header; } pseudo;
	struct ethernet_header old;
	uint32_t length, sum;

	if (parse_network(ctx, p) < 0 || bpf_skb_load_bytes(ctx, 0, &old, sizeof(old)) < 0)
		return -DROP_INVALID;
	length = cut_to_sample(ctx, ICMP6_SAMPLE);
	sum = sum_sample(ctx, p, length);
	if (bpf_skb_adjust_room(ctx, sizeof(new.ip) + sizeof(new.icmp), BPF_ADJ_ROOM_MAC, 0) < 0)
		return -DROP_INVALID;

	__builtin_memcpy(new.eth.destination, old.source, 6);
	__builtin_memcpy(new.eth.source, old.destination, 6);
	new.eth.type = HTONS(ETH_IPV6);
	new.ip.version_class_flow = HTONL(6 << 28);
	new.ip.payload_length = HTONS(sizeof(new.icmp) + length);
	new.ip.next_header = L4_ICMPV6;
	new.ip.hop_limit = ANSWER_TTL;
	new.ip.saddr = p->daddr;
	new.ip.daddr = p->saddr;
	pseudo.source = p->daddr;
	pseudo.destination = p->saddr;
	pseudo.length = HTONL(sizeof(new.icmp) + length);
	pseudo.next_header = HTONL(L4_ICMPV6);
	new.icmp.type = type;
	new.icmp.code = code;
	sum = bpf_csum_diff(0, 0, &pseudo, sizeof(pseudo), sum);
	sum = (sum & 0xffff) + (sum >> 16) + (type | code << 8);
	new.icmp.checksum = fold(sum);
	return bpf_skb_store_bytes(ctx, 0, &new, sizeof(new), 0) < 0 ? -DROP_INVALID : 0;
}

INLINE int answer(struct __sk_buff *ctx, struct packet *p, uint8_t type, uint8_t code)
{
	return is_ipv6(p) ? answer_ipv6(ctx, p, type, code) : answer_ipv4(ctx, p, type, code);
}

/* Back to where it came from: out of the device that it entered by. */
INLINE int back(struct __sk_buff *ctx)
{
	return bpf_redirect(ctx->ifindex, 0);
}

/* A service without a backend: port unreachable. Modelled: tail_no_service_ipv4/6() of lb.h. */
STAGE int answer_no_service(struct __sk_buff *ctx, struct packet *p, uint32_t source)
{
	int ret;

	if (is_ipv6(p) && !icmpv6_answer_allowed(ctx))
		ret = -DROP_RATE_LIMITED;
	else if (is_ipv6(p))
		ret = answer(ctx, p, ICMP6_UNREACHABLE, ICMP6_PORT_UNREACHABLE);
	else
		ret = answer(ctx, p, ICMP4_UNREACHABLE, ICMP4_PORT_UNREACHABLE);
	p->drop.ext_err = 0;
	return ret < 0 ? drop_from(ctx, p, ret, source, PLACE_REPLY, METRIC_INGRESS) : back(ctx);
}

/* A packet that policy refuses, where that is to be told: counted as a drop, no event, unless the answer fails. The
 * reason passes through an unsigned word in Cilium and loses its sign's meaning: 133 is counted as 256 - 133.
 */
STAGE int answer_denied(struct __sk_buff *ctx, struct packet *p, int verdict)
{
	int ret = -1;

	if (!is_ipv6(p))
		ret = answer(ctx, p, ICMP4_UNREACHABLE, ICMP4_FILTERED);
	else if (icmpv6_answer_allowed(ctx))
		ret = answer(ctx, p, ICMP6_UNREACHABLE, ICMP6_PROHIBITED);
	p->drop.ext_err = 0;
	if (ret < 0)
		return drop_from(ctx, p, (uint8_t)verdict, config.security_label, PLACE_REPLY, METRIC_EGRESS);
	ctx->cb[CB_VERDICT] = verdict;
	count(ctx, METRIC_EGRESS, verdict, PLACE_REPLY);
	return back(ctx);
}
