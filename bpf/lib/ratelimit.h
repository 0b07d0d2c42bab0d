/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Token buckets, for events and for ICMPv6 answers. Modelled: bpf/lib/ratelimit.h, its rounding included. */
#pragma once

#include "lib/env.h"

enum ratelimit_usage { RATELIMIT_ICMPV6 = 1, RATELIMIT_EVENTS = 2, RATELIMIT_SOCKET_EVENTS = 3 };

struct ratelimit {
	struct ratelimit_key key;
	uint64_t bucket_size;
	uint64_t tokens_per_topup;
	uint64_t interval_ns;
};

/* Takes a token; 0 if there is none. */
SUBPROGRAM int take_token(struct ratelimit *limit)
{
	uint64_t now = now_ns(), none = 0, elapsed;
	struct ratelimit_value *bucket;
	uint64_t *refused;

	if (!limit)
		return 0;
	refused = bpf_map_lookup_elem(&cilium_ratelimit_metrics, &limit->key.usage);
	if (!refused && bpf_map_update_elem(&cilium_ratelimit_metrics, &limit->key.usage, &none, BPF_ANY) < 0)
		return 0;
	bucket = bpf_map_lookup_elem(&cilium_ratelimit, &limit->key);
	if (!bucket) {
		struct ratelimit_value fresh = { .last_topup = now, .tokens = limit->tokens_per_topup - 1 };

		if (bpf_map_update_elem(&cilium_ratelimit, &limit->key, &fresh, BPF_ANY) == 0)
			return 1;
		if (refused)
			(*refused)++;
		return 0;
	}
	elapsed = now - bucket->last_topup;
	if (elapsed > limit->interval_ns) {
		bucket->tokens += elapsed / limit->interval_ns * limit->tokens_per_topup;
		bucket->last_topup = now - elapsed % limit->interval_ns;
		if (bucket->tokens > limit->bucket_size)
			bucket->tokens = limit->bucket_size;
	}
	if (bucket->tokens > 0) {
		bucket->tokens--;
		return 1;
	}
	if (refused)
		(*refused)++;
	return 0;
}

/* One bucket for all events of the node; off by default. */
INLINE int events_allowed(void)
{
	struct ratelimit limit = {
		.key = { .usage = RATELIMIT_EVENTS },
		.bucket_size = config.events_map_burst_limit,
		.tokens_per_topup = config.events_map_rate_limit,
		.interval_ns = NSEC_PER_SEC,
	};

	return config.events_map_rate_limit == 0 || take_token(&limit);
}

/* 100 ICMPv6 answers a second and device, 1000 in a burst. */
INLINE int icmpv6_answer_allowed(struct __sk_buff *ctx)
{
	struct ratelimit limit = {
		.key = { .usage = RATELIMIT_ICMPV6, .netdev_idx = ctx->ifindex },
		.bucket_size = 1000,
		.tokens_per_topup = 100,
		.interval_ns = NSEC_PER_SEC,
	};

	return take_token(&limit);
}
