/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Network policy: which entry of the endpoint's policy map decides, and what it says. Two look-ups, for the peer's
 * identity and for any; each finds the longest prefix of protocol and port. Modelled: bpf/lib/policy.h, auth.h,
 * policy_log.h.
 */
#pragma once

#include "lib/ct.h"
#include "lib/identity.h"

/* One packet for the entry that decided. The key repeats what the entry wildcards. */
SUBPROGRAM int account(struct __sk_buff *ctx, struct packet *p, uint32_t identity, int egress, uint8_t length)
{
	struct policy_stats_key stats = {
		.endpoint_id = event_source(),
		.prefix_len = length,
		.sec_label = identity,
		.egress = egress,
	};
	struct counters *known, first = { .packets = 1, .bytes = ctx->len };

	if (!p)
		return 0;
	if (length >= 8)
		stats.protocol = p->ct.tuple.nexthdr;
	if (length > 8)
		stats.dport = p->ct.tuple.dport & (length < 24 ? HTONS(0xffff << (24 - length)) : 0xffff);
	known = bpf_map_lookup_elem(&cilium_policystats, &stats);
	if (known) {
		__sync_fetch_and_add(&known->packets, 1);
		__sync_fetch_and_add(&known->bytes, ctx->len);
	} else {
		bpf_map_update_elem(&cilium_policystats, &stats, &first, BPF_NOEXIST);
	}
	return 0;
}

INLINE uint8_t prefix_of(const struct policy_entry *entry)
{
	return entry->bits >> POLICY_ENTRY_PREFIX_SHIFT;
}

/* What the chosen entry says. `other` found as well and never ranks higher; of equal rank it may ask for authentication
 * where the chosen one leaves it open.
 */
INLINE int judge(struct packet *p, const struct policy_entry *chosen, const struct policy_entry *other)
{
	struct verdict *v = &p->verdict;
	uint8_t auth = chosen->auth & POLICY_ENTRY_AUTH_MASK;

	v->cookie = chosen->cookie;
	if (chosen->bits & POLICY_ENTRY_DENY)
		return -DROP_POLICY_DENY;
	v->proxy_port = chosen->proxy_port;
	if (other && other->precedence == chosen->precedence && !(chosen->auth & POLICY_ENTRY_AUTH_EXPLICIT) &&
	    (other->auth & POLICY_ENTRY_AUTH_MASK) > auth)
		auth = other->auth & POLICY_ENTRY_AUTH_MASK;
	if (!auth)
		return 0;
	p->drop.ext_err = auth;
	return -DROP_POLICY_AUTH_REQUIRED;
}

/* ICMP policies name a type in place of the port. 1 if the message passes without policy: IPv4 path MTU discovery. */
INLINE int icmp_port(struct __sk_buff *ctx, struct packet *p, be16 *port)
{
	uint8_t head[8];

	if (!is_ipv6(p) && p->ct.tuple.nexthdr == L4_ICMP &&
	    (config.allow_icmp_frag_needed || config.enable_icmp_rule)) {
		if (bpf_skb_load_bytes(ctx, p->l4_off, head, 8) < 0)
			return -DROP_INVALID;
		if (config.allow_icmp_frag_needed && head[0] == 3 && head[1] == 4)
			return 1;
	} else if (is_ipv6(p) && p->ct.tuple.nexthdr == L4_ICMPV6 && config.enable_icmp_rule) {
		if (bpf_skb_load_bytes(ctx, p->l4_off, head, 1) < 0)
			return -DROP_INVALID;
	} else {
		return 0;
	}
	if (config.enable_icmp_rule)
		*port = HTONS(head[0]);
	return 0;
}

/* The verdict on the connection of p->ct.tuple with a peer of that identity. */
STAGE int policy_lookup(struct __sk_buff *ctx, struct packet *p, uint32_t peer, int dir)
{
	struct policy_key key = {
		.prefixlen = POLICY_PREFIX_FULL,
		.sec_label = peer,
		.egress = dir == CT_EGRESS,
		.protocol = p->ct.tuple.nexthdr,
		.dport = p->ct.tuple.dport,
	};
	struct policy_entry *by_identity, *by_any = 0;
	int ret = icmp_port(ctx, p, &key.dport);
	uint8_t length;

	if (ret)
		return ret < 0 ? ret : 0;
	by_identity = bpf_map_lookup_elem(&cilium_policy_v2, &key);
	if (!by_identity || by_identity->precedence != POLICY_MAX_PRECEDENCE) {
		key.sec_label = 0;
		by_any = bpf_map_lookup_elem(&cilium_policy_v2, &key);
		if (by_any && (!by_identity || by_any->precedence > by_identity->precedence ||
			       (by_any->precedence == by_identity->precedence &&
				prefix_of(by_any) > prefix_of(by_identity)))) {
			length = prefix_of(by_any);
			if (config.enable_policy_accounting)
				account(ctx, p, 0, key.egress, length);
			p->verdict.match = length == 0 ? POLICY_MATCH_ALL :
				   length <= 8 ? POLICY_MATCH_PROTO_ONLY :
						 POLICY_MATCH_L4_ONLY;
			return judge(p, by_any, by_identity);
		}
	}
	if (!by_identity) /* without fragment tracking, an ingress fragment was not matched for want of ports */
		return dir == CT_INGRESS && p->fragment && !fragments_enabled(p) ? -DROP_FRAG_NOSUPPORT : -DROP_POLICY;
	length = prefix_of(by_identity);
	if (config.enable_policy_accounting)
		account(ctx, p, peer, key.egress, length);
	p->verdict.match = length > 8 ? POLICY_MATCH_L3_L4 : length > 0 ? POLICY_MATCH_L3_PROTO : POLICY_MATCH_L3_ONLY;
	return judge(p, by_identity, by_any);
}

/* Have the two identities proved themselves to each other? peer_node is the node's address, 0 for this one. */
STAGE int authenticated(struct __sk_buff *ctx, uint32_t own, uint32_t peer, be32 peer_node, uint8_t type)
{
	struct { uint32_t signal; struct auth_key key; } message = {
		.signal = SIGNAL_AUTH_REQUIRED,
		.key = { .local_sec_label = own, .remote_sec_label = peer, .auth_type = type },
	};
	struct auth_key *key = &message.key;
	struct auth_info *auth;
	uint32_t zero = 0;

	if (peer_node) {
		struct node_key node = { .family = ENDPOINT_KEY_IPV4, .ip = { .w0 = peer_node } };
		struct node_value *found = bpf_map_lookup_elem(&cilium_node_map_v2, &node);

		if (!found || !found->id)
			return -DROP_NO_NODE_ID;
		key->remote_node_id = found->id;
	}
	auth = bpf_map_lookup_elem(&cilium_auth_map, key);
	if (auth) {
		uint64_t *offset = bpf_map_lookup_elem(&cilium_runtime_config, &zero);

		if ((now_ns() >> 9) + (offset ? *offset : 0) < auth->expiration)
			return 0;
	}
	bpf_perf_event_output(ctx, &cilium_signals, BPF_F_CURRENT_CPU, &message, sizeof(message));
	return -DROP_POLICY_AUTH_REQUIRED;
}

/* Tells the verdict, where the endpoint has a policy in that direction. */
STAGE int send_verdict(struct __sk_buff *ctx, struct packet *p, uint32_t peer, int dir)
{
	struct verdict *v = &p->verdict;
	uint32_t captured = MIN(config.trace_payload_len, ctx->len);

	if (IS_HOST && v->code == 0 && v->match == POLICY_MATCH_ALL) /* allowed by default: too much to tell */
		return 0;
	if (!config.policy_verdict_notify || !(IS_HOST || (config.policy_verdict_log_filter & dir)) ||
	    !events_allowed())
		return 0;
	struct policy_verdict_notify event = {
		.header = capture_header(ctx, NOTIFY_POLICY_VERDICT, 0, captured, NOTIFY_POLICY_VERDICT_VERSION),
		.remote_label = peer,
		.verdict = v->code == 0 ? v->proxy_port : v->code,
		.dst_port = NTOHS(p->ct.tuple.dport),
		.proto = p->ct.tuple.nexthdr,
		.bits = dir | (is_ipv6(p) ? 1 << 2 : 0) | v->match << 3 | v->audited << 6 | (l3_offset() == 0) << 7,
		.auth_type = v->auth_type,
		.cookie = v->cookie,
	};
	emit(ctx, captured, &event, sizeof(event));
	return 0;
}

/* The whole decision: look-up, audit mode, authentication, and the event unless an established connection stays
 * allowed.
 */
SUBPROGRAM int decide(struct __sk_buff *ctx, struct packet *p, uint32_t peer, int dir)
{
	struct verdict *v;

	if (!p)
		return -DROP_POLICY;
	v = &p->verdict;
	if (dir == CT_EGRESS && config.have_encap && config.security_label != IDENTITY_HOST &&
	    p->ct.tuple.nexthdr == L4_UDP && p->ct.tuple.dport == HTONS(config.tunnel_port))
		v->code = -DROP_ENCAP_PROHIBITED;
	else
		v->code = policy_lookup(ctx, p, peer, dir);
	if (v->code < 0 && v->code != -DROP_ENCAP_PROHIBITED && config.policy_audit_mode) {
		v->code = 0;
		v->audited = 1;
	}
	if (v->code == -DROP_POLICY_AUTH_REQUIRED) {
		struct remote_endpoint_info *info = ipcache_at(p, dir == CT_EGRESS ? &p->daddr : &p->saddr);

		if (dir == CT_EGRESS || info || IS_HOST) {
			v->auth_type = p->drop.ext_err;
			v->code = authenticated(ctx, config.security_label, peer, info ? info->tunnel_endpoint.w0 : 0,
						v->auth_type);
		}
	}
	if (v->code < 0 || p->ct.status != CT_ESTABLISHED)
		send_verdict(ctx, p, peer, dir == CT_EGRESS ? POLICY_EGRESS : POLICY_INGRESS);
	return v->code;
}
