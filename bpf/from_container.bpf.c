// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* What leaves a pod: attached to the host's end of its veth pair, on ingress.
 *
 *   is the source the pod's own? -> service to backend -> conntrack -> egress policy -> where to:
 *   an endpoint of this node (through its policy stage), the tunnel, a proxy, or the stack
 *
 * Modelled: cil_from_container of bpf_lxc.c and the tail calls behind it.
 */
#define THIS_OBJECT SOURCE_FILE_LXC
#include "lib/policy.h"
#include "lib/reverse.h"
#include "lib/service.h"

/* To where the host's policies are asked. */
INLINE int to_host(struct __sk_buff *ctx, struct packet *p)
{
	p->trace.ifindex = config.cilium_net_ifindex;
	send_trace(ctx, p, TRACE_TO_HOST);
	return bpf_redirect(config.cilium_net_ifindex, BPF_F_INGRESS);
}

/* An answer to a node whose stack balances, and has to undo that. */
INLINE int answers_node(struct packet *p, uint32_t destination)
{
	return config.enable_host_firewall && !config.enable_nodeport &&
	       (p->ct.status == CT_REPLY || p->ct.status == CT_RELATED) && identity_is_remote_node(destination);
}

/* Where the packet goes once policy has let it pass. `hairpin`: an endpoint that talks to itself. */
STAGE int forward(struct __sk_buff *ctx, struct packet *p, struct remote_endpoint_info *info, uint32_t destination)
{
	int hairpin = p->loopback || (p->ct.state.flags & CT_FLAG_LOOPBACK);

	p->trace.dst = destination;
	p->trace.monitor = p->ct.monitor;
	if (config.enable_identity_mark)
		set_identity_mark(ctx, config.security_label, MARK_MAGIC_IDENTITY);
	if (config.enable_routing || hairpin || config.enable_host_routing) {
		/* an answer to itself is addressed to the loopback address; its source is the same endpoint */
		struct endpoint_info *ep =
			endpoint_at(p, p->ct.status == CT_REPLY && hairpin ? &p->saddr : &p->daddr);

		if (ep && !((config.enable_host_routing || config.enable_routing) &&
			    (ep->flags & ENDPOINT_MASK_HOST_DELIVERY))) {
			struct delivery d = {
				.identity = config.security_label,
				.magic = MARK_MAGIC_IDENTITY,
				.dir = METRIC_EGRESS,
			};

			return deliver(ctx, p, ep, &d);
		}
		if (ep && config.enable_host_firewall && config.enable_routing && destination == IDENTITY_HOST)
			return to_host(ctx, p);
		if (ep)
			goto stack;
	}
	if (config.tunnel_mode && !answers_node(p, destination) && info && (info->flags & IPCACHE_FLAG_HAS_TUNNEL_EP) &&
	    ((p->ct.state.flags & CT_FLAG_FROM_TUNNEL) || !(info->flags & IPCACHE_FLAG_SKIP_TUNNEL)))
		return encapsulate(ctx, p, info, config.security_label);
	if (config.enable_host_routing) {
		uint32_t device;
		int ret = route(ctx, p, &device);

		if (ret == TC_ACT_REDIRECT && device) {
			p->trace.ifindex = device;
			send_trace(ctx, p, TRACE_TO_NETWORK);
		}
		if (ret != -DROP_NO_FIB || p->drop.ext_err != BPF_FIB_LKUP_RET_NOT_FWDED)
			return ret;
	}
stack:
	send_trace(ctx, p, TRACE_TO_STACK);
	return TC_ACT_OK;
}

/* Makes the connection's entry where it is new, or anew where the old one says something else. */
SUBPROGRAM int track(struct __sk_buff *ctx, struct packet *p, int proxied)
{
	int was_proxied, ret;
	struct ct_state *s;

	if (!p)
		return -DROP_CT_CREATE_FAILED;
	s = &p->ct.state;
	was_proxied = (s->flags & CT_FLAG_PROXY_REDIRECT) != 0;
	if (p->ct.status != CT_NEW &&
	    (p->ct.status != CT_ESTABLISHED || (s->rev_nat_index == p->rev_nat_index && was_proxied == proxied)))
		return 0;
	p->found = *s;
	*s = (struct ct_state){
		.nat_addr = p->wildcard_address,
		.nat_port = p->wildcard_port,
		.rev_nat_index = p->rev_nat_index,
		.src_sec_id = config.security_label,
		.flags = (p->loopback ? CT_FLAG_LOOPBACK : 0) | (proxied ? CT_FLAG_PROXY_REDIRECT : 0),
	};
	ret = ct_create(ctx, p, &p->ct, 1);
	if (is_ipv6(p))
		p->ct.monitor = config.trace_payload_len;
	*s = p->found;
	return ret;
}

STAGE int after_conntrack(struct __sk_buff *ctx, struct packet *p)
{
	struct remote_endpoint_info *info = ipcache_at(p, &p->daddr);
	int answer = p->ct.status == CT_REPLY || p->ct.status == CT_RELATED, ret;
	uint32_t destination = info ? info->sec_identity : world_of(is_ipv6(p));
	struct verdict *v = &p->verdict;

	p->drop.dst = destination;
	if (tuple_lost(p))
		return -DROP_INVALID_TC_BUFFER;
	p->trace = (struct trace){
		.reason = p->ct.status,
		.src = config.security_label,
		.monitor = p->ct.monitor,
	};
	if (answer && (p->ct.state.flags & CT_FLAG_PROXY_REDIRECT)) {
		send_trace(ctx, p, TRACE_TO_PROXY);
		return hand_to_proxy(ctx, 0);
	}
	if (!answer && !p->loopback && decide(ctx, p, destination, CT_EGRESS) < 0) {
		if (config.policy_deny_response_enabled && (v->code == -DROP_POLICY || v->code == -DROP_POLICY_DENY))
			return answer_denied(ctx, p, v->code);
		return v->code;
	}
	ret = track(ctx, p, v->proxy_port != 0);
	if (ret < 0)
		return ret;
	if (answer && config.enable_nodeport && (p->ct.state.flags & CT_FLAG_NODE_PORT) &&
	    has_ports(p->ct.tuple.nexthdr)) {
		p->trace.dst = destination;
		send_trace(ctx, p, TRACE_TO_NETWORK);
		return reverse_at_endpoint(ctx, p);
	}
	if (v->proxy_port) {
		p->trace.monitor = p->ct.monitor;
		p->trace.dst_id = NTOHS(v->proxy_port);
		send_trace(ctx, p, TRACE_TO_PROXY);
		return hand_to_proxy(ctx, v->proxy_port);
	}
	return forward(ctx, p, info, destination);
}

/* From the addresses to the service, with neighbours answered on the way. */
STAGE int before_conntrack(struct __sk_buff *ctx, struct packet *p, int *final)
{
	struct v6addr own = config.endpoint_ipv6;
	uint8_t neighbour;
	int ret = parse_network(ctx, p);

	*final = 1;
	if (ret == 0)
		ret = refuse_fragments(ctx, p);
	if (ret < 0)
		return ret;
	if (!is_ipv6(p)) {
		own = (struct v6addr){ .w0 = config.endpoint_ipv4 };
	} else {
		neighbour = neighbour_message(ctx, p);
		if (neighbour)
			return neighbour == ND_SOLICITATION ? answer_solicitation(ctx, p, METRIC_EGRESS) : TC_ACT_OK;
	}
	if (!address_equal(&p->saddr, &own))
		return -DROP_INVALID_SIP;
	ret = parse_transport(ctx, p);
	*final = 0;
	return ret == 0 && config.enable_per_packet_lb ? translate_service(ctx, p, final) : ret;
}

INLINE int handle_ip(struct __sk_buff *ctx, struct packet *p)
{
	int ret, final;

	p->drop.place = PLACE_FAMILY;
	ret = before_conntrack(ctx, p, &final);
	if (ret >= 0 && final)
		return ret;
	if (ret >= 0) {
		p->drop.place = PLACE_CONNTRACK;
		ret = ct_lookup(ctx, p, CT_EGRESS, p->rev_nat_index ? SCOPE_FORWARD : SCOPE_BIDIR);
	}
	if (ret >= 0) {
		p->drop.place = PLACE_FORWARD;
		ret = after_conntrack(ctx, p);
	}
	return ret < 0 ? send_drop(ctx, p, ret) : ret;
}

SEC("tc")
int cil_from_container(struct __sk_buff *ctx)
{
	struct packet *p = new_packet(ctx);

	if (!p)
		return TC_ACT_SHOT;
	clear_meta(ctx);
	ctx->queue_mapping = 0;
	p->drop = (struct drop){ .src = config.security_label, .dir = METRIC_EGRESS, .place = PLACE_ENTRY };
	p->trace = (struct trace){
		.reason = TRACE_REASON_UNKNOWN,
		.src = config.security_label,
		.monitor = config.trace_payload_len,
	};
	send_trace(ctx, p, TRACE_FROM_LXC);
	if (!ethertype_valid(p))
		return send_drop(ctx, p, DROP_UNSUPPORTED_L2);
	if (pull_network_header(ctx, p) < 0)
		return send_drop(ctx, p, DROP_INVALID);
	if (is_ip(p))
		return handle_ip(ctx, p);
	if (is_arp(p))
		return config.enable_arp_responder ? answer_arp(ctx, p) : TC_ACT_OK;
	return send_drop(ctx, p, DROP_UNKNOWN_L3);
}

char program_license[] SEC("license") = "Dual BSD/GPL";
