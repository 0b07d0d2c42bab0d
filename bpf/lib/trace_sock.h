/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What translation at the socket tells and counts. Modelled: bpf/lib/trace_sock.h. */
#pragma once

#include "lib/packet.h"
#include "lib/ratelimit.h"

/* What is asked for, and what is chosen. */
struct request {
	struct bpf_sock_addr *ctx;
	struct packet *p; /* for the look-ups, which ask it for its family only */
	uint64_t namespace;
	int in_host;
	struct v6addr address; /* of IPv4 in the first word */
	be16 port;
	uint8_t protocol;
	uint8_t is_service;
};

/* One event per interval is told, with aggregation. Modelled: send_trace_sock_notify4() of trace_sock.h. */
INLINE void tell(struct request *r, uint8_t point, const struct v6addr *address, be16 port)
{
	struct ratelimit limit = {
		.key = { .usage = RATELIMIT_SOCKET_EVENTS },
		.bucket_size = 1,
		.tokens_per_topup = 1,
		.interval_ns = config.ct_report_interval * NSEC_PER_SEC,
	};
	struct trace_sock_notify event = {
		.type = NOTIFY_TRACE_SOCK,
		.xlate_point = point,
		.l4_proto = r->protocol == L4_TCP ? 1 : r->protocol == L4_UDP ? 2 : 0,
		.ipv6 = r->p->ipv6,
		.dst_port = NTOHS(port),
		.dst_ip = *address,
	};

	if (!config.trace_notify || (config.monitor_aggregation != TRACE_AGGREGATE_NONE && !take_token(&limit)))
		return;
	event.sock_cookie = bpf_get_socket_cookie(r->ctx);
	event.cgroup_id = bpf_get_current_cgroup_id();
	bpf_perf_event_output(r->ctx, &cilium_events, BPF_F_CURRENT_CPU, &event, sizeof(event));
}

INLINE void count_failure(uint8_t reason)
{
	struct metrics_key key = { .reason = reason, .dir = METRIC_EGRESS, .line = PLACE_SERVICE, .file = THIS_OBJECT };
	struct counters *known = bpf_map_lookup_elem(&cilium_metrics, &key), first = { .packets = 1 };

	if (known)
		known->packets += 1;
	else
		bpf_map_update_elem(&cilium_metrics, &key, &first, BPF_ANY);
}
