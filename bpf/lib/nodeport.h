/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The node as a load balancer, inwards: requests to services from outside, and answers to what the node translated.
 * Modelled: nodeport_lb4/6(), nodeport_svc_lb4/6() and the NAT tails of bpf/lib/nodeport.h. Direct server return,
 * NAT46/64 and L7 load balancing are not: Cilium's defaults have them off.
 */
#pragma once

#include "lib/host_firewall.h"
#include "lib/nat.h"
#include "lib/reverse.h"

/* What comes after the first step in the node. The steps stand one after the other: calls must not nest deeply. */
enum node_step { NODE_DONE, NODE_REVERSE, NODE_TO_REMOTE };

/* Where a client's answers go: to the MAC that its request came from. */
INLINE int learn_neighbour(struct __sk_buff *ctx, struct packet *p)
{
	struct macaddr mac = {}, *known;

	if (parse_network(ctx, p) < 0 || bpf_skb_load_bytes(ctx, 6, &mac, 6) < 0)
		return -DROP_INVALID;
	known = is_ipv6(p) ? bpf_map_lookup_elem(&cilium_nodeport_neigh6, &p->saddr) :
			     bpf_map_lookup_elem(&cilium_nodeport_neigh4, &p->saddr);
	if (known && mac_equal(&mac.a0, known))
		return 0;
	return is_ipv6(p) ? bpf_map_update_elem(&cilium_nodeport_neigh6, &p->saddr, &mac, BPF_ANY) :
			    bpf_map_update_elem(&cilium_nodeport_neigh4, &p->saddr, &mac, BPF_ANY);
}

INLINE int source_allowed(struct packet *p, struct lb_service *svc)
{
	struct lb6_src_range_key key6 = { .prefixlen = 32 + 128, .rev_nat_id = svc->rev_nat_index, .addr = p->saddr };
	struct lb4_src_range_key key4 = { .prefixlen = 32 + 32, .rev_nat_id = svc->rev_nat_index, .addr = p->saddr.w0 };
	int listed;

	if (!(svc->flags & SVC_FLAG_SOURCE_RANGE))
		return 1;
	listed = is_ipv6(p) ? bpf_map_lookup_elem(&cilium_lb6_source_range, &key6) != 0 :
			      bpf_map_lookup_elem(&cilium_lb4_source_range, &key4) != 0;
	return listed != ((svc->flags2 & SVC_FLAG2_SOURCE_RANGE_DENY) != 0);
}

/* A request to a service. TC_ACT_OK with *final unset: the backend is here, or nothing is to be done. */
STAGE int request(struct __sk_buff *ctx, struct packet *p, struct lb_service *svc, struct service_key *k, int *final)
{
	struct ct_query *q = &p->ct;
	int ret, local;

	if (k->port == 0 && k->protocol == 0)
		return -DROP_NO_SERVICE; /* the address is a service's, the port is none of its */
	if (!source_allowed(p, svc))
		return -DROP_NOT_IN_SRC_RANGE;
	if (!(svc->flags & SVC_FLAG_ROUTABLE))
		return -DROP_IS_CLUSTER_IP;
	ret = select_backend(ctx, p, svc, k);
	if (ret == -DROP_NO_SERVICE) {
		if (!config.enable_no_service_endpoints_routable)
			return refused_without_backends(svc) ? ret : TC_ACT_OK;
		*final = config.service_no_backend_response;
		return *final ? answer_no_service(ctx, p, 0) : ret;
	}
	if (ret < 0)
		return ret;
	local = endpoint_at(p, &p->backend_address) != 0;
	if (!local && (svc->flags & SVC_FLAG_HOSTPORT))
		return -DROP_INVALID;
	if (local && (svc->flags2 & SVC_FLAG2_LOOPBACK) && !(svc->flags & SVC_FLAG_HOSTPORT)) {
		*final = 1; /* left to a proxy of this node */
		return TC_ACT_OK;
	}
	ret = translate(ctx, p);
	if (ret < 0)
		return ret;
	reverse_tuple(&q->tuple);
	q->state = (struct ct_state){ .rev_nat_index = svc->rev_nat_index };
	ret = ct_lookup_tuple(ctx, p, q, CT_EGRESS, SCOPE_FORWARD, CT_MATCH_NODEPORT);
	if (ret == CT_NEW) {
		q->state.src_sec_id = world_of(is_ipv6(p));
		q->state.flags = CT_FLAG_NODE_PORT;
		ret = ct_create(ctx, p, q, 0);
	}
	if (ret < 0 || local)
		return ret < 0 ? ret : TC_ACT_OK;
	p->next = NODE_TO_REMOTE;
	return learn_neighbour(ctx, p);
}

/* Is it a request? p->next says what comes after, if the packet was neither dropped nor answered (*final). */
SUBPROGRAM int examine(struct __sk_buff *ctx, struct packet *p, uint32_t identity, int *final)
{
	struct service_key key;
	struct lb_service *svc;
	int ret;

	if (!p || !final)
		return -DROP_INVALID;
	ret = parse_transport(ctx, p);
	if (ret < 0)
		return ret;
	ret = parse_service_tuple(ctx, p);
	if (ret == -DROP_UNSUPP_SERVICE_PROTO && !is_ipv6(p))
		ctx->cb[CB_SRC_LABEL] = identity; /* Cilium leaves it so, and cil_to_host reads the slot */
	if (ret < 0)
		return not_a_service(ret) ? TC_ACT_OK : ret;
	key = service_key_of(p);
	svc = external_service(p, &key);
	if (svc)
		return request(ctx, p, svc, &key, final);
	p->next = NODE_REVERSE;
	return TC_ACT_OK;
}

/* Towards a backend elsewhere: the node's address will be the source. Modelled: tail_nodeport_nat_egress_ipv4/6(). */
SUBPROGRAM int prepare_remote(struct __sk_buff *ctx, struct packet *p, int *final)
{
	struct remote_endpoint_info *info;
	int ret;

	if (!p || !final)
		return -DROP_INVALID;
	ret = parse_network(ctx, p);
	if (ret < 0)
		return ret;
	info = tunnel_to(p, &p->daddr);
	p->nat = (struct nat_target){ .min_port = nat_min_port(), .max_port = 65535 };
	if (is_ipv6(p))
		p->nat.address = info ? config.router_ipv6 : config.ipv6_direct_routing;
	else
		p->nat.address.w0 = info ? config.ipv4_gateway : config.ipv4_direct_routing;
	ret = parse_service_tuple(ctx, p);
	if (ret < 0)
		return ret;
	swap_ports(&p->ct.tuple);
	p->ct.tuple.flags = TUPLE_OUT;
	return next_hop(ctx, p, 0, 0, METRIC_EGRESS, final);
}

SUBPROGRAM int send_remote(struct __sk_buff *ctx, struct packet *p)
{
	struct remote_endpoint_info *info;
	int ret;

	if (!p)
		return -DROP_INVALID;
	info = tunnel_to(p, &p->daddr);
	mark_snat_done(ctx);
	if (info) {
		p->trace = (struct trace){
			.reason = TRACE_REASON_POLICY,
			.dst = info->sec_identity,
			.monitor = config.trace_payload_len,
		};
		return encapsulate(ctx, p, info, world_of(is_ipv6(p)));
	}
	ret = parse_network(ctx, p);
	return ret < 0 ? ret : fib_redirect(ctx, p);
}

INLINE int to_remote_backend(struct __sk_buff *ctx, struct packet *p)
{
	int final = 0, ret = prepare_remote(ctx, p, &final);

	if (!is_ipv6(p))
		ctx->cb[CB_SRC_LABEL] = world_of(0);
	if (ret >= 0 && final)
		return ret;
	if (ret == 0)
		ret = nat_map(ctx, p);
	if (ret == 0)
		ret = nat_rewrite(ctx, p, 1);
	if (ret == 0)
		ret = send_remote(ctx, p);
	return ret < 0 ? drop_from(ctx, p, ret, IDENTITY_UNKNOWN, PLACE_NAT, METRIC_EGRESS) : ret;
}

/* The host's policies about an answer that has its own address again; they are not asked once more then. */
INLINE int guard_answer(struct __sk_buff *ctx, struct packet *p)
{
	int ret;

	if (!IS_HOST || !config.enable_host_firewall)
		return 0;
	ret = guard_host(ctx, p, 0);
	if (ret == 0)
		ctx->tc_index |= TC_INDEX_SKIP_HOST_FIREWALL;
	return ret;
}

/* What is no request may be an answer to a packet that the node translated. Returns TC_ACT_OK to go on. */
INLINE int reverse_ingress(struct __sk_buff *ctx, struct packet *p, uint32_t identity)
{
	int ret = nat_reverse(ctx, p);

	if (ret == NAT_PUNT || ret == -DROP_NAT_NO_MAPPING)
		return TC_ACT_OK;
	if (ret == 0) {
		mark_snat_done(ctx);
		ret = guard_answer(ctx, p);
		if (ret < 0)
			return drop_from(ctx, p, ret, p->drop.src, PLACE_NAT, METRIC_INGRESS);
	}
	if (ret == 0)
		ret = reverse_service(ctx, p, CT_INGRESS);
	if (ret > 0)
		ctx->cb[CB_SRC_LABEL] = identity;
	return ret < 0 ? drop_from(ctx, p, ret, identity, PLACE_NAT, METRIC_INGRESS) : ret;
}

/* The node's part in a packet that comes in. TC_ACT_OK with *final unset: go on. */
INLINE int load_balance(struct __sk_buff *ctx, struct packet *p, uint32_t identity, int *final)
{
	int ret;

	*final = 0;
	ret = examine(ctx, p, identity, final);
	if (ret < 0 || *final)
		return ret;
	if (p->next == NODE_TO_REMOTE) {
		*final = 1;
		return to_remote_backend(ctx, p);
	}
	if (p->next == NODE_REVERSE)
		ret = reverse_ingress(ctx, p, identity);
	*final = ret != TC_ACT_OK;
	return ret;
}
