/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Services for what leaves a pod, packet by packet, where no socket program has done it. Modelled:
 * __per_packet_lb_svc_xlate_4/6() of bpf_lxc.c.
 */
#pragma once

#include "lib/icmp.h"
#include "lib/xlate.h"

/* Which service is asked for: one in the map, or, for a connection that does not go directly to a node, a node port. */
INLINE struct lb_service *wanted_service(struct packet *p, struct service_key *k)
{
	struct lb_service *svc = config.enable_nodeport ? internal_service(p, k) : external_service(p, k);
	struct tuple forward = p->ct.tuple;

	if (svc || !config.enable_nodeport)
		return svc;
	reverse_tuple(&forward);
	if (ct_egress_entry(p, &forward))
		return 0;
	svc = node_service(p, k);
	if (svc) {
		p->wildcard_address = p->ct.tuple.daddr;
		if (!is_ipv6(p)) /* in a conntrack entry, the last word of an IPv6 address */
			p->wildcard_address = (struct v6addr){ .w3 = p->ct.tuple.daddr.w0 };
		p->wildcard_port = p->ct.tuple.sport;
	}
	return svc;
}

/* Service translation of a single packet. `*final` says that the returned action ends the run. */
STAGE int translate_service(struct __sk_buff *ctx, struct packet *p, int *final)
{
	struct service_key key;
	struct lb_service *svc;
	int ret;

	*final = 0;
	ret = parse_service_tuple(ctx, p);
	if (ret < 0)
		return not_a_service(ret) ? 0 : ret;
	key = service_key_of(p);
	svc = wanted_service(p, &key);
	if (!svc)
		return 0;
	ret = select_backend(ctx, p, svc, &key);
	if (ret == -DROP_NO_SERVICE) {
		*final = 1;
		if (!config.enable_no_service_endpoints_routable)
			return refused_without_backends(svc) ? ret : TC_ACT_OK;
		return config.service_no_backend_response ? answer_no_service(ctx, p, 0) : ret;
	}
	if (ret < 0)
		return ret;
	p->loopback = address_equal(&p->saddr, &p->backend_address);
	ret = translate(ctx, p);
	return ret < 0 ? ret : parse_network(ctx, p);
}
