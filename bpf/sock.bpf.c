// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Services at the socket: connect() to a service is made to connect to a backend, and no packet ever carries the
 * service's address. Attached to the root cgroup; with hostNamespaceOnly it leaves pods to from_container.
 * Modelled: cil_sock4_connect and cil_sock6_connect of bpf_sock.c.
 */
#define THIS_OBJECT SOURCE_FILE_SOCK
#include "lib/sock.h"

SEC("cgroup/connect4")
int cil_sock4_connect(struct bpf_sock_addr *ctx)
{
	struct request r = {};
	int ret;

	if (!request_of(&r, ctx))
		return PROCEED;
	r.address.w0 = ctx->user_ip4;
	ret = translate(&r);
	if (ret == AS_CHOSEN) {
		ctx->user_ip4 = r.p->backend_address.w0;
		ctx->user_port = r.p->backend_port;
	}
	return answer(ret);
}

/* An IPv4 address in IPv6's form is looked up as what it is. */
INLINE int translate_mapped(struct request *r)
{
	if (r->address.w0 || r->address.w1 || r->address.w2 != HTONL(0xffff))
		return AS_ASKED;
	r->p->ipv6 = 0;
	r->address = (struct v6addr){ .w0 = r->address.w3 };
	return translate(r);
}

SEC("cgroup/connect6")
int cil_sock6_connect(struct bpf_sock_addr *ctx)
{
	struct request r = {};
	int ret = AS_ASKED;

	if (!request_of(&r, ctx))
		return PROCEED;
	r.address.w0 = ctx->user_ip6[0];
	r.address.w1 = ctx->user_ip6[1];
	r.address.w2 = ctx->user_ip6[2];
	r.address.w3 = ctx->user_ip6[3];
	r.p->ipv6 = 1;
	if (config.enable_ipv6)
		ret = translate(&r);
	if (ret == AS_CHOSEN) {
		ctx->user_ip6[0] = r.p->backend_address.w0;
		ctx->user_ip6[1] = r.p->backend_address.w1;
		ctx->user_ip6[2] = r.p->backend_address.w2;
		ctx->user_ip6[3] = r.p->backend_address.w3;
		ctx->user_port = r.p->backend_port;
	} else if (ret == AS_ASKED && !r.is_service && config.enable_ipv4) {
		ret = translate_mapped(&r);
		if (ret == AS_CHOSEN) {
			ctx->user_ip6[3] = r.p->backend_address.w0;
			ctx->user_port = r.p->backend_port;
		}
	}
	return answer(ret);
}

char program_license[] SEC("license") = "Dual BSD/GPL";
