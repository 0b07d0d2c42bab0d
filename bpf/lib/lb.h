/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Services: from the address and port that a packet asks for to a backend. A conntrack entry of its own kind keeps a
 * connection with its backend. Modelled: bpf/lib/lb.h.
 */
#pragma once

#include "lib/csum.h"
#include "lib/ct.h"
#include "lib/identity.h"

enum { AFFINITY_TIMEOUT_MASK = (1 << 24) - 1 };
enum { SVC_FLAG2_SOURCE_RANGE_DENY = SVC_FLAG2_QUARANTINED }; /* on a frontend that bit has another meaning */

/* What is asked for; slot 0 is the frontend, slots from 1 its backends. */
struct service_key {
	struct v6addr address;
	be16 port;
	uint16_t slot;
	uint8_t protocol;
	uint8_t scope;
};

STAGE struct lb_service *service_at(struct packet *p, struct service_key *k)
{
	if (is_ipv6(p)) {
		struct lb6_key key = {
			.address = k->address,
			.dport = k->port,
			.backend_slot = k->slot,
			.proto = k->protocol,
			.scope = k->scope,
		};

		return bpf_map_lookup_elem(&cilium_lb6_services_v2, &key);
	} else {
		struct lb4_key key = {
			.address = k->address.w0,
			.dport = k->port,
			.backend_slot = k->slot,
			.proto = k->protocol,
			.scope = k->scope,
		};

		return bpf_map_lookup_elem(&cilium_lb4_services_v2, &key);
	}
}

INLINE struct service_key service_key_of(const struct packet *p)
{
	/* a conntrack tuple's ports are reversed */
	return (struct service_key){
		.address = p->ct.tuple.daddr,
		.port = p->ct.tuple.sport,
		.protocol = p->ct.tuple.nexthdr,
	};
}

/* For traffic from inside the cluster, a service may have backends of its own. */
INLINE struct lb_service *internal_service(struct packet *p, struct service_key *k)
{
	struct lb_service *svc = service_at(p, k);

	if (!svc || !(svc->flags2 & SVC_FLAG2_TWO_SCOPES))
		return svc;
	k->scope = LB_SCOPE_INTERNAL;
	return service_at(p, k);
}

/* For traffic from outside: if the port is not a service's, the wildcard entry of the address claims it. */
INLINE struct lb_service *external_service(struct packet *p, struct service_key *k)
{
	struct lb_service *svc = service_at(p, k);
	struct service_key wildcard = { .address = k->address };

	if (svc)
		return svc;
	svc = service_at(p, &wildcard);
	if (svc)
		*k = wildcard;
	return svc;
}

/* A node port or host port that is asked for at a node's address: services without an address stand for all of them. */
INLINE struct lb_service *node_service(struct packet *p, struct service_key *k)
{
	struct remote_endpoint_info *info = ipcache_at(p, &k->address);
	uint16_t port = NTOHS(k->port);
	int node_port = port >= config.nodeport_port_min && port <= config.nodeport_port_max;
	struct lb_service *svc;

	if (!info)
		return 0;
	if (info->sec_identity != IDENTITY_HOST &&
	    !(node_port && identity_is_remote_node(info->sec_identity) && !(info->flags & IPCACHE_FLAG_REMOTE_CLUSTER)))
		return 0;
	k->address = (struct v6addr){};
	k->slot = 0;
	k->scope = LB_SCOPE_EXTERNAL;
	svc = internal_service(p, k);
	return svc && (svc->flags & (node_port ? SVC_FLAG_NODEPORT : SVC_FLAG_HOSTPORT)) ? svc : 0;
}

/* Is a service without backends to be refused here, though such services are not answered for? */
INLINE int refused_without_backends(const struct lb_service *svc)
{
	if (svc->flags & (SVC_FLAG_EXTERNAL_IP | SVC_FLAG_LOADBALANCER | SVC_FLAG_NODEPORT))
		return svc->flags & SVC_FLAG_EXT_LOCAL_SCOPE;
	return svc->flags2 & SVC_FLAG2_INT_LOCAL_SCOPE;
}

/* Fills p->backend_* from the map; returns its state (enum backend_state), or -1 if it is gone. */
SUBPROGRAM int load_backend(struct packet *p, uint32_t id)
{
	if (!p)
		return -DROP_INVALID;
	if (is_ipv6(p)) {
		struct lb6_backend *b = bpf_map_lookup_elem(&cilium_lb6_backends_v3, &id);

		if (!b)
			return -1;
		p->backend_address = b->address;
		p->backend_port = b->port;
		return b->flags;
	} else {
		struct lb4_backend *b = bpf_map_lookup_elem(&cilium_lb4_backends_v3, &id);

		if (!b)
			return -1;
		p->backend_address = (struct v6addr){ .w0 = b->address };
		p->backend_port = b->port;
		return b->flags;
	}
}

/* Any backend of the service, with equal chances; 0 if the slot is empty. */
INLINE uint32_t random_backend(struct packet *p, struct service_key *k, uint16_t slots)
{
	struct lb_service *slot;

	k->slot = random_u32() % slots + 1;
	slot = service_at(p, k);
	return slot ? slot->backend_id : 0;
}

/* Session affinity: which backend a client had last. */
INLINE struct lb_affinity_val *affinity_of(struct packet *p, uint16_t service, struct lb_affinity_val *store,
	int forget)
{
	if (is_ipv6(p)) {
		struct lb6_affinity_key key = { .client = p->ct.tuple.saddr, .rev_nat_id = service };

		if (store)
			bpf_map_update_elem(&cilium_lb6_affinity, &key, store, BPF_ANY);
		else if (forget)
			bpf_map_delete_elem(&cilium_lb6_affinity, &key);
		else
			return bpf_map_lookup_elem(&cilium_lb6_affinity, &key);
	} else {
		struct lb4_affinity_key key = { .client = p->ct.tuple.saddr.w0, .rev_nat_id = service };

		if (store)
			bpf_map_update_elem(&cilium_lb4_affinity, &key, store, BPF_ANY);
		else if (forget)
			bpf_map_delete_elem(&cilium_lb4_affinity, &key);
		else
			return bpf_map_lookup_elem(&cilium_lb4_affinity, &key);
	}
	return 0;
}

STAGE uint32_t affine_backend(struct packet *p, struct lb_service *svc)
{
	struct lb_affinity_val *last = affinity_of(p, svc->rev_nat_index, 0, 0);
	uint32_t now = now_mono(), timeout = svc->backend_id & AFFINITY_TIMEOUT_MASK;
	struct lb_affinity_match match = { .rev_nat_id = svc->rev_nat_index };

	if (!last)
		return 0;
	match.backend_id = last->backend_id;
	if (last->last_used + mono_of_seconds(timeout) <= now ||
	    !bpf_map_lookup_elem(&cilium_lb_affinity_match, &match)) {
		affinity_of(p, svc->rev_nat_index, 0, 1);
		return 0;
	}
	last->last_used = now;
	return last->backend_id;
}

STAGE int remember_affinity(struct packet *p, struct lb_service *svc, uint32_t backend)
{
	struct lb_affinity_val value = { .last_used = (uint32_t)now_mono(), .backend_id = backend };

	affinity_of(p, svc->rev_nat_index, &value, 0);
	return 0;
}

/* A new connection: by affinity, else at random. */
INLINE int choose_backend(struct __sk_buff *ctx, struct packet *p, struct lb_service *svc, struct service_key *k)
{
	uint32_t id = 0;

	if (svc->flags & SVC_FLAG_AFFINITY) {
		id = affine_backend(p, svc);
		if (id && load_backend(p, id) < 0)
			id = 0;
	}
	if (!id) {
		id = random_backend(p, k, svc->count);
		if (load_backend(p, id) < 0)
			return -DROP_NO_SERVICE;
	}
	p->service.state.backend_id = id;
	return ct_create(ctx, p, &p->service, 0);
}

/* A known connection keeps its backend while that is there; a new SYN moves away from one that is not active. */
INLINE int keep_backend(struct packet *p, struct lb_service *svc, struct service_key *k)
{
	struct ct_state *s = &p->service.state;
	int state = load_backend(p, s->backend_id);
	struct ct_entry *entry;

	if (state == BACKEND_ACTIVE || (state > BACKEND_ACTIVE && !s->syn))
		return 0;
	if (svc->count == 0)
		return -DROP_NO_SERVICE;
	s->backend_id = random_backend(p, k, svc->count);
	if (load_backend(p, s->backend_id) < 0)
		return -DROP_NO_SERVICE;
	entry = ct_entry_of(p, &p->service.tuple);
	if (entry) {
		entry->backend_id = s->backend_id;
		entry->rev_nat_index = svc->rev_nat_index;
	}
	return 0;
}

/* Finds the connection's backend: p->backend_* and p->rev_nat_index. -DROP_NO_SERVICE if there is none. */
STAGE int select_backend(struct __sk_buff *ctx, struct packet *p, struct lb_service *svc, struct service_key *k)
{
	struct ct_query *q = &p->service;
	int ret;

	q->tuple = p->ct.tuple;
	q->state.rev_nat_index = svc->rev_nat_index;
	ret = ct_lookup_tuple(ctx, p, q, CT_SERVICE, SCOPE_REVERSE, CT_MATCH_SERVICE);
	if (ret < 0)
		return ret;
	if (ret == CT_NEW)
		ret = svc->count ? choose_backend(ctx, p, svc, k) : -DROP_NO_SERVICE;
	else
		ret = keep_backend(p, svc, k);
	if (ret < 0)
		return ret;
	if (svc->flags & SVC_FLAG_AFFINITY)
		remember_affinity(p, svc, q->state.backend_id);
	p->rev_nat_index = svc->rev_nat_index;
	return 0;
}
