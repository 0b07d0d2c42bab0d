// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* What enters a pod by a route of its own (endpoint routes): attached to the host's end of its veth pair, on egress.
 *
 *   who sent it? -> conntrack -> ingress policy -> into the pod, or to a proxy
 *
 * Modelled: cil_to_container of bpf_lxc.c and the tail calls behind it.
 */
#define THIS_OBJECT SOURCE_FILE_LXC
#include "lib/ingress.h"

/* Out of the device again, towards cilium_net: the proxy's packet is marked there (to_host). */
INLINE int hairpin_to_proxy(struct __sk_buff *ctx, struct packet *p, be16 port)
{
	struct macaddr router = config.interface_mac, host = config.cilium_host_mac;
	uint32_t magic = MARK_MAGIC_TO_PROXY | (uint32_t)port << 16;
	int ret, done;

	ctx->cb[CB_PROXY_MAGIC] = magic;
	ret = next_hop(ctx, p, &router, &host, METRIC_EGRESS, &done);
	if (done && ret >= 0)
		return ret;
	ctx->mark = magic;
	return done ? ret : (int)bpf_redirect(config.cilium_net_ifindex, 0);
}

STAGE int after_conntrack(struct __sk_buff *ctx, struct packet *p, uint32_t source)
{
	be16 proxy_port = 0;
	int ret;

	ctx->cb[CB_SRC_LABEL] = 0;
	if (is_ipv6(p) && neighbour_message(ctx, p))
		return TC_ACT_OK;
	source = resolve_source(p, source);
	p->drop.src = source;
	if (config.local_delivery_metrics)
		count(ctx, METRIC_INGRESS, REASON_FORWARDED, PLACE_DELIVERY);
	ret = admit(ctx, p, source, 0, &proxy_port);
	return ret == TO_PROXY ? hairpin_to_proxy(ctx, p, proxy_port) : ret;
}

STAGE int before_conntrack(struct __sk_buff *ctx, struct packet *p)
{
	int ret = parse_network(ctx, p);

	return ret < 0 ? ret : parse_transport(ctx, p);
}

SEC("tc")
int cil_to_container(struct __sk_buff *ctx)
{
	struct packet *p = new_packet(ctx);
	uint32_t source = IDENTITY_UNKNOWN, magic;
	int ret;

	if (!p)
		return TC_ACT_SHOT;
	p->drop = (struct drop){
		.dst = config.security_label,
		.dst_id = config.endpoint_id,
		.dir = METRIC_INGRESS,
		.place = PLACE_ENTRY,
	};
	if (!ethertype_valid(p))
		return send_drop(ctx, p, DROP_UNSUPPORTED_L2);
	clear_meta(ctx);
	magic = inherit_identity(ctx, &source);
	p->drop.src = source;
	p->trace = (struct trace){
		.reason = TRACE_REASON_UNKNOWN,
		.src = source,
		.dst = config.security_label,
		.dst_id = config.endpoint_id,
		.ifindex = ctx->ingress_ifindex,
		.monitor = config.trace_payload_len,
	};
	send_trace(ctx, p, magic == MARK_MAGIC_PROXY_INGRESS || magic == MARK_MAGIC_PROXY_EGRESS ? TRACE_FROM_PROXY :
												   TRACE_FROM_STACK);
	if (pull_network_header(ctx, p) < 0)
		return send_drop(ctx, p, DROP_INVALID);
	if (is_arp(p))
		return TC_ACT_OK;
	if (!is_ip(p))
		return send_drop(ctx, p, DROP_UNKNOWN_L3);
	p->drop.place = PLACE_CONNTRACK;
	ret = before_conntrack(ctx, p);
	if (ret == 0)
		ret = ct_lookup(ctx, p, CT_INGRESS, SCOPE_BIDIR);
	if (ret == 0) {
		p->drop.place = PLACE_POLICY;
		ret = after_conntrack(ctx, p, source);
	}
	return ret < 0 ? send_drop(ctx, p, ret) : ret;
}

char program_license[] SEC("license") = "Dual BSD/GPL";
