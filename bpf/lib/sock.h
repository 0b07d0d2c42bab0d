/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Services at the socket, for both families: what a socket's connect() is made of. Modelled: bpf/bpf_sock.c. */
#pragma once

#include "lib/lb.h"
#include "lib/trace_sock.h"

enum { REJECT = 0, PROCEED = 1, PROTOCOL_UDPLITE = 136 };

INLINE int is_loopback(struct request *r)
{
	if (r->p->ipv6)
		return !(r->address.w0 | r->address.w1 | r->address.w2) && r->address.w3 == HTONL(1);
	return (r->address.w0 & HTONL(0xff000000)) == HTONL(0x7f000000);
}

/* A node port or host port at a node's address, or at the loopback address from the host's namespace. */
INLINE struct lb_service *node_service_at(struct request *r, struct service_key *k)
{
	int loopback = is_loopback(r), node_port;
	struct remote_endpoint_info *info;
	uint16_t port = NTOHS(r->port);
	struct lb_service *svc;

	if (!config.enable_nodeport)
		return 0;
	node_port = port >= config.nodeport_port_min && port <= config.nodeport_port_max;
	if (!(r->in_host && loopback)) {
		info = ipcache_at(r->p, &k->address);
		if (!info || (info->sec_identity != IDENTITY_HOST &&
			      !(node_port && identity_is_remote_node(info->sec_identity) &&
				!(info->flags & IPCACHE_FLAG_REMOTE_CLUSTER))))
			return 0;
	}
	*k = (struct service_key){ .port = r->port, .protocol = r->protocol };
	svc = internal_service(r->p, k);
	if (!svc)
		return 0;
	if (node_port)
		return svc->flags & SVC_FLAG_NODEPORT ? svc : 0;
	return (svc->flags & SVC_FLAG_HOSTPORT) && (loopback || !(svc->flags2 & SVC_FLAG2_LOOPBACK)) ? svc : 0;
}

/* External addresses are not the cluster's to redirect, and host ports are of one host. */
INLINE int left_alone(struct request *r, struct lb_service *svc)
{
	struct remote_endpoint_info *info;

	if (!(svc->flags & SVC_FLAG_HOSTPORT) && (svc->flags2 & SVC_FLAG2_LOOPBACK))
		return 1; /* delegated to a proxy */
	if (!(svc->flags & SVC_FLAG_EXTERNAL_IP) && !((svc->flags & SVC_FLAG_HOSTPORT) && !is_loopback(r)))
		return 0;
	info = ipcache_at(r->p, &r->address);
	return !info || info->sec_identity != IDENTITY_HOST;
}

/* Affinity at the socket is the network namespace's. Stores, forgets, or looks up. */
INLINE struct lb_affinity_val *namespace_affinity(struct request *r, uint16_t service, struct lb_affinity_val *store,
	int forget)
{
	if (r->p->ipv6) {
		struct lb6_affinity_key key = { .rev_nat_id = service, .netns_cookie = 1 };

		key.client.w0 = (uint32_t)r->namespace;
		key.client.w1 = (uint32_t)(r->namespace >> 32);
		if (store)
			bpf_map_update_elem(&cilium_lb6_affinity, &key, store, BPF_ANY);
		else if (forget)
			bpf_map_delete_elem(&cilium_lb6_affinity, &key);
		else
			return bpf_map_lookup_elem(&cilium_lb6_affinity, &key);
	} else {
		struct lb4_affinity_key key = { .client = r->namespace, .rev_nat_id = service, .netns_cookie = 1 };

		if (store)
			bpf_map_update_elem(&cilium_lb4_affinity, &key, store, BPF_ANY);
		else if (forget)
			bpf_map_delete_elem(&cilium_lb4_affinity, &key);
		else
			return bpf_map_lookup_elem(&cilium_lb4_affinity, &key);
	}
	return 0;
}

INLINE uint32_t affine(struct request *r, struct lb_service *svc)
{
	struct lb_affinity_val *last = namespace_affinity(r, svc->rev_nat_index, 0, 0);
	struct lb_affinity_match match = { .rev_nat_id = svc->rev_nat_index };
	uint32_t now = now_mono();

	if (!last)
		return 0;
	match.backend_id = last->backend_id;
	if (last->last_used + mono_of_seconds(svc->backend_id & AFFINITY_TIMEOUT_MASK) <= now ||
	    !bpf_map_lookup_elem(&cilium_lb_affinity_match, &match)) {
		namespace_affinity(r, svc->rev_nat_index, 0, 1);
		return 0;
	}
	last->last_used = now;
	return last->backend_id;
}

INLINE void remember(struct request *r, struct lb_service *svc, uint32_t backend)
{
	struct lb_affinity_val value = { .last_used = (uint32_t)now_mono(), .backend_id = backend };

	namespace_affinity(r, svc->rev_nat_index, &value, 0);
}

/* The backend into p->backend_*: the namespace's last, or one at random; UDP sockets stay with theirs. */
INLINE int choose(struct request *r, struct lb_service *svc, struct service_key *k)
{
	uint32_t id = svc->flags & SVC_FLAG_AFFINITY ? affine(r, svc) : 0;
	struct lb_service *slot;
	uint64_t draw;

	if (id && load_backend(r->p, id) >= 0)
		return 0;
	draw = r->protocol == L4_TCP ? random_u32() : bpf_get_socket_cookie(r->ctx);
	k->slot = draw % svc->count + 1;
	slot = service_at(r->p, k);
	if (!slot) {
		count_failure(REASON_LB_NO_BACKEND_SLOT);
		return -EHOSTUNREACH;
	}
	id = slot->backend_id;
	if (load_backend(r->p, id) < 0) {
		count_failure(REASON_LB_NO_BACKEND);
		return -EHOSTUNREACH;
	}
	if (svc->flags & SVC_FLAG_AFFINITY)
		remember(r, svc, id);
	return 0;
}

/* So that getpeername() and answers show the service. */
INLINE int remember_service(struct request *r, struct lb_service *svc)
{
	struct socket_revnat_tuple key = {
		.cookie = bpf_get_socket_cookie(r->ctx),
		.address = r->p->backend_address,
		.port = r->p->backend_port,
	};
	struct socket_revnat_entry value = { .address = r->address, .port = r->port, .rev_nat_index = svc->rev_nat_index };

	if (r->p->ipv6) {
		return bpf_map_update_elem(&cilium_lb6_reverse_sk, &key, &value, BPF_ANY);
	} else {
		struct ipv4_revnat_tuple key4 = { .cookie = key.cookie, .address = key.address.w0, .port = key.port };
		struct ipv4_revnat_entry value4 = {
			.address = value.address.w0,
			.port = value.port,
			.rev_nat_index = value.rev_nat_index,
		};

		return bpf_map_update_elem(&cilium_lb4_reverse_sk, &key4, &value4, BPF_ANY);
	}
}

/* Connect as asked; connect to p->backend_*; or else the error that connect() shall return. */
enum { AS_ASKED = 0, AS_CHOSEN = 1 };

INLINE int translate(struct request *r)
{
	struct service_key key;
	struct lb_service *svc;
	int ret;

	if (config.enable_socket_lb_host_only && !r->in_host)
		return AS_ASKED;
	if (r->protocol != L4_TCP && r->protocol != L4_UDP && r->protocol != PROTOCOL_UDPLITE)
		return AS_ASKED;
	key = (struct service_key){ .address = r->address, .port = r->port, .protocol = r->protocol };
	svc = internal_service(r->p, &key);
	if (!svc)
		svc = node_service_at(r, &key);
	if (!svc)
		return AS_ASKED;
	r->is_service = 1;
	if (svc->count == 0)
		return config.enable_no_service_endpoints_routable || refused_without_backends(svc) ? -EHOSTUNREACH : AS_ASKED;
	tell(r, XLATE_PRE_FORWARD, &r->address, r->port);
	if (left_alone(r, svc))
		return AS_ASKED;
	ret = choose(r, svc, &key);
	if (ret < 0)
		return ret;
	tell(r, XLATE_POST_FORWARD, &r->p->backend_address, r->p->backend_port);
	if (remember_service(r, svc) < 0) {
		count_failure(REASON_LB_REVNAT_UPDATE);
		return -ENOMEM;
	}
	return AS_CHOSEN;
}

/* Who asks for what; 0 if there is no room to work in. */
INLINE int request_of(struct request *r, struct bpf_sock_addr *ctx)
{
	uint64_t host = config.endpoint_netns_cookie; /* of the agent's namespace; in kind that is not the first one */
	uint32_t zero = 0, port = ctx->user_port, protocol = ctx->protocol;

	r->ctx = ctx;
	r->p = bpf_map_lookup_elem(&ciliate_packet, &zero);
	if (!r->p)
		return 0;
	__builtin_memset(r->p, 0, sizeof(*r->p));
	r->namespace = bpf_get_netns_cookie(ctx);
	r->in_host = r->namespace == (host ? host : bpf_get_netns_cookie(0));
	r->port = port;
	r->protocol = protocol;
	return 1;
}

INLINE int answer(int ret)
{
	if (ret >= 0)
		return PROCEED;
	bpf_set_retval(ret);
	return REJECT;
}
