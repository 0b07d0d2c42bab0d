/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What a run tells: metrics, trace events and drop events. Where each is sent, and in which order, is part of the
 * model. Modelled: bpf/lib/metrics.h, trace.h, drop.h, classifiers.h.
 */
#pragma once

#include "lib/packet.h"
#include "lib/ratelimit.h"

/* Counts one packet under (reason, direction, place). */
SUBPROGRAM int count(struct __sk_buff *ctx, uint8_t dir, uint8_t reason, uint16_t place)
{
	struct metrics_key key = { .reason = reason, .dir = dir, .line = place, .file = THIS_OBJECT };
	struct counters *known = bpf_map_lookup_elem(&cilium_metrics, &key);
	struct counters first = { .packets = 1, .bytes = ctx->len };

	if (known) {
		known->packets += 1;
		known->bytes += ctx->len;
	} else {
		bpf_map_update_elem(&cilium_metrics, &key, &first, BPF_ANY);
	}
	return 0;
}

/* Is this the outer packet of our tunnel? Only a native device sees such, by mark on the way out, by port else. */
INLINE int by_tunnel_mark(struct __sk_buff *ctx, int point)
{
	return IS_HOST && config.have_encap && (point == TRACE_TO_NETWORK || point < 0) &&
	       (ctx->mark & MARK_MAGIC_MASK) == MARK_MAGIC_OVERLAY;
}

INLINE int by_tunnel_port(struct __sk_buff *ctx, int point, be16 proto)
{
	uint8_t protocol = 0, ihl = 0;
	uint32_t length;
	be16 port;

	if (!IS_HOST || !config.have_encap || (point != TRACE_FROM_NETWORK && point >= 0))
		return 0;
	if (proto == HTONS(ETH_IPV6) && config.enable_ipv6) {
		if (bpf_skb_load_bytes(ctx, l3_offset() + 6, &protocol, 1) < 0)
			return 0;
		length = sizeof(struct ipv6_header);
	} else if (proto == HTONS(ETH_IPV4) && config.enable_ipv4) {
		if (bpf_skb_load_bytes(ctx, l3_offset(), &ihl, 1) < 0 ||
		    bpf_skb_load_bytes(ctx, l3_offset() + 9, &protocol, 1) < 0)
			return 0;
		length = (ihl & 0xf) * 4;
	} else {
		return 0;
	}
	return protocol == L4_UDP && bpf_skb_load_bytes(ctx, l3_offset() + length + 2, &port, 2) == 0 &&
	       port == HTONS(config.tunnel_port);
}

/* CLS_FLAG_* of an event; point is a trace point, or -1 for a drop. */
INLINE uint8_t classify(struct __sk_buff *ctx, int point, be16 proto)
{
	uint8_t flags = 0;

	if (!proto) /* nothing in the frame says it */
		proto = ctx->protocol;
	if (l3_offset() == 0)
		flags |= CLS_FLAG_L3_DEV;
	if (proto == HTONS(ETH_IPV6))
		flags |= CLS_FLAG_IPV6;
	if (by_tunnel_mark(ctx, point) || by_tunnel_port(ctx, point, proto))
		flags |= config.tunnel_protocol == TUNNEL_VXLAN ? CLS_FLAG_VXLAN : CLS_FLAG_GENEVE;
	return flags;
}

/* How much of the packet an event carries. */
INLINE uint32_t capture_length(struct __sk_buff *ctx, uint32_t monitor, uint8_t flags)
{
	if (monitor == 0 || monitor == config.trace_payload_len)
		monitor = flags & (CLS_FLAG_VXLAN | CLS_FLAG_GENEVE) ? config.trace_payload_len_overlay :
								       config.trace_payload_len;
	return MIN(monitor, ctx->len);
}

INLINE struct capture_header capture_header(struct __sk_buff *ctx, uint8_t type, uint8_t subtype, uint32_t captured,
	uint8_t version)
{
	return (struct capture_header){
		.type = type,
		.subtype = subtype,
		.source = event_source(),
		.hash = ctx->hash,
		.len_orig = ctx->len,
		.len_cap = captured,
		.version = version,
	};
}

INLINE void emit(struct __sk_buff *ctx, uint32_t captured, const void *record, uint32_t size)
{
	bpf_perf_event_output(ctx, &cilium_events, (uint64_t)captured << 32 | BPF_F_CURRENT_CPU, record, size);
}

INLINE void count_trace(struct __sk_buff *ctx, uint8_t point)
{
	switch (point) {
	case TRACE_TO_LXC:
		count(ctx, METRIC_INGRESS, REASON_FORWARDED, PLACE_TRACE);
		break;
	case TRACE_TO_HOST:
	case TRACE_TO_STACK:
	case TRACE_TO_OVERLAY:
	case TRACE_TO_NETWORK:
		count(ctx, METRIC_EGRESS, REASON_FORWARDED, PLACE_TRACE);
		break;
	case TRACE_FROM_HOST:
	case TRACE_FROM_STACK:
	case TRACE_FROM_OVERLAY:
	case TRACE_FROM_NETWORK:
		count(ctx, METRIC_INGRESS, REASON_PLAINTEXT, PLACE_TRACE);
		break;
	}
}

INLINE int hidden(uint8_t point, uint32_t monitor)
{
	if (config.monitor_aggregation >= TRACE_AGGREGATE_RX && point >= TRACE_FROM_LXC && point != TRACE_TO_NETWORK)
		return 1;
	return config.monitor_aggregation >= TRACE_AGGREGATE_ACTIVE_CT && monitor == 0;
}

/* Counts p->trace at that point, and tells it unless aggregation hides it. */
SUBPROGRAM int send_trace(struct __sk_buff *ctx, struct packet *p, uint8_t point)
{
	uint32_t captured;
	struct trace *t;
	uint8_t flags;

	if (!p)
		return 0;
	t = &p->trace;
	count_trace(ctx, point);
	if (!config.trace_notify || hidden(point, t->monitor) || !events_allowed())
		return 0;
	flags = classify(ctx, point, p->ethertype);
	captured = capture_length(ctx, t->monitor, flags);
	struct trace_notify event = {
		.header = capture_header(ctx, NOTIFY_TRACE, point, captured, NOTIFY_TRACE_VERSION),
		.src_label = t->src,
		.dst_label = t->dst,
		.dst_id = t->dst_id,
		.reason = t->reason,
		.flags = flags,
		.ifindex = t->ifindex,
		.orig_ip = t->orig_ip,
	};
	emit(ctx, captured, &event, sizeof(event));
	return 0;
}

/* Tells and counts a drop as p->drop says. reason is a drop reason, negated or not. The packet is gone then:
 * TC_ACT_SHOT.
 */
SUBPROGRAM int send_drop(struct __sk_buff *ctx, struct packet *p, int reason)
{
	uint32_t captured;
	struct drop *d;
	uint8_t flags;

	if (!p)
		return TC_ACT_SHOT;
	d = &p->drop;
	if (reason < 0)
		reason = -reason;
	count(ctx, d->dir, reason, d->place);
	if (!config.drop_notify || !events_allowed())
		return TC_ACT_SHOT;
	flags = classify(ctx, -1, 0);
	captured = capture_length(ctx, 0, flags);
	struct drop_notify event = {
		.header = capture_header(ctx, NOTIFY_DROP, reason, captured, NOTIFY_DROP_VERSION),
		.src_label = d->src,
		.dst_label = d->dst,
		.dst_id = d->dst_id,
		.line = d->place,
		.file = THIS_OBJECT,
		.ext_error = d->ext_err,
		.ifindex = ctx->ifindex,
		.flags = flags,
	};
	emit(ctx, captured, &event, sizeof(event));
	return TC_ACT_SHOT;
}

/* A drop by a stage that knows no destination. */
INLINE int drop_from(struct __sk_buff *ctx, struct packet *p, int reason, uint32_t src, uint16_t place, uint8_t dir)
{
	p->drop.src = src;
	p->drop.dst = 0;
	p->drop.dst_id = 0;
	p->drop.place = place;
	p->drop.dir = dir;
	return send_drop(ctx, p, reason);
}
