// SPDX-License-Identifier: Apache-2.0
/* The bare loop that the harness is measured against: BPF_PROG_TEST_RUN with data_out and ctx, nothing else.
 * kernel_peer PROGRAM_FD NETNS_FD IFINDEX COUNT HEXFRAME -> nanoseconds per call
 */
#define _GNU_SOURCE
#include <linux/bpf.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

int main(int argc, char **argv)
{
	static unsigned char in[4096], out[16384];
	struct __sk_buff ctx_in = {}, ctx_out;
	union bpf_attr attr;
	unsigned size = 0;
	long count;
	int program;
	double start;

	if (argc != 6 || setns(atoi(argv[2]), CLONE_NEWNET) != 0)
		return 2;
	ctx_in.ifindex = ctx_in.ingress_ifindex = atoi(argv[3]);
	program = atoi(argv[1]);
	count = atol(argv[4]);
	for (const char *hex = argv[5]; hex[0] && hex[1] && size < sizeof(in); hex += 2)
		sscanf(hex, "%2hhx", &in[size++]);
	start = now();
	for (long i = 0; i < count; i++) {
		memset(&attr, 0, sizeof(attr));
		attr.test.prog_fd = program;
		attr.test.data_in = (unsigned long)in;
		attr.test.data_size_in = size;
		attr.test.data_out = (unsigned long)out;
		attr.test.data_size_out = sizeof(out);
		attr.test.ctx_in = (unsigned long)&ctx_in;
		attr.test.ctx_size_in = sizeof(ctx_in);
		attr.test.ctx_out = (unsigned long)&ctx_out;
		attr.test.ctx_size_out = sizeof(ctx_out);
		attr.test.repeat = 1;
		if (syscall(__NR_bpf, BPF_PROG_TEST_RUN, &attr, sizeof(attr)) < 0)
			return 1;
	}
	printf("%.1f\n", (now() - start) / count);
	return 0;
}
