// libbpf, the system's: object loading, map and program calls, BTF. And the few Linux calls of the harness that the
// C library gives no function for, or that Swift does not import (variadic functions, macros).
#pragma once
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <linux/perf_event.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

// bpf(2): the result, or the negated errno.
static inline int ciliate_bpf(int command, union bpf_attr *attributes, unsigned int size)
{
	long result = syscall(__NR_bpf, command, attributes, size);
	return result < 0 ? -errno : (int)result;
}

// BPF_PROG_TEST_RUN: attributes are prepared once and reused; only the output sizes are restored by the caller.
static inline void ciliate_test_run_prepare(union bpf_attr *attributes, int program, const void *context_in,
					    void *context_out, unsigned int context_size, void *data_out)
{
	memset(attributes, 0, sizeof(*attributes));
	attributes->test.prog_fd = (unsigned int)program;
	attributes->test.ctx_in = (unsigned long)context_in;
	attributes->test.ctx_out = (unsigned long)context_out;
	attributes->test.ctx_size_in = context_in ? context_size : 0;
	attributes->test.data_out = (unsigned long)data_out;
	attributes->test.repeat = 1;
}

struct ciliate_test_run_output {
	unsigned int verdict;
	unsigned int data_size;
};

static inline int ciliate_test_run(union bpf_attr *attributes, int program, const void *data_in,
				   unsigned int data_size, unsigned int data_out_capacity,
				   unsigned int context_out_capacity, struct ciliate_test_run_output *output)
{
	attributes->test.prog_fd = (unsigned int)program;
	attributes->test.data_in = (unsigned long)data_in;
	attributes->test.data_size_in = data_size;
	attributes->test.data_size_out = data_out_capacity;
	attributes->test.ctx_size_out = context_out_capacity;
	long result = syscall(__NR_bpf, BPF_PROG_TEST_RUN, attributes, sizeof(*attributes));
	output->verdict = attributes->test.retval;
	output->data_size = attributes->test.data_size_out;
	return result < 0 ? -errno : 0;
}

// A software event whose ring programs write to with bpf_perf_event_output; wakes nobody.
static inline int ciliate_perf_output_open(int cpu)
{
	struct perf_event_attr attributes;
	memset(&attributes, 0, sizeof(attributes));
	attributes.size = sizeof(attributes);
	attributes.type = PERF_TYPE_SOFTWARE;
	attributes.config = PERF_COUNT_SW_BPF_OUTPUT;
	attributes.sample_type = PERF_SAMPLE_RAW;
	attributes.sample_period = 1;
	attributes.watermark = 1;
	attributes.wakeup_watermark = 0x7fffffff;
	long result = syscall(__NR_perf_event_open, &attributes, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
	return result < 0 ? -errno : (int)result;
}

// The ring's ends: head is written by the kernel, tail by us.
static inline unsigned long ciliate_ring_head(const struct perf_event_mmap_page *page)
{
	return __atomic_load_n(&page->data_head, __ATOMIC_ACQUIRE);
}
static inline void ciliate_ring_release(struct perf_event_mmap_page *page, unsigned long tail)
{
	__atomic_store_n(&page->data_tail, tail, __ATOMIC_RELEASE);
}

enum { CILIATE_CLONE_NEWNET = 0x40000000 };

static inline int ciliate_unshare(int flags)
{
	return syscall(__NR_unshare, flags) < 0 ? -errno : 0;
}
static inline int ciliate_setns(int descriptor, int flags)
{
	return syscall(__NR_setns, descriptor, flags) < 0 ? -errno : 0;
}
// The monotonic clock in nanoseconds: the one that bpf_ktime_get_ns reads.
static inline unsigned long ciliate_monotonic(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000UL + now.tv_nsec;
}
static inline int ciliate_gettid(void)
{
	return (int)syscall(__NR_gettid);
}

static inline unsigned int ciliate_btf_kind(const struct btf_type *type) { return btf_kind(type); }

// Socket calls whose constants or casts Swift does not take over well.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

union ciliate_address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

// Undoes an earlier connect, then connects without waiting: 0, or the negated errno of the call.
static inline int ciliate_reconnect(int socket, const union ciliate_address *address)
{
	struct sockaddr nobody = { .sa_family = AF_UNSPEC };
	socklen_t size = address->any.sa_family == AF_INET ? sizeof(address->v4) : sizeof(address->v6);

	connect(socket, &nobody, sizeof(nobody));
	return connect(socket, &address->any, size) < 0 ? -errno : 0;
}

// The address that a socket is being connected to, also while the connection is not made yet (SO_PEERNAME). The
// buffer must be no longer than the address.
static inline int ciliate_peer(int socket, int is_v6, union ciliate_address *address)
{
	socklen_t size = is_v6 ? sizeof(address->v6) : sizeof(address->v4);

	return getsockopt(socket, SOL_SOCKET, 28, address, &size) < 0 ? -errno : 0;
}

#include <fcntl.h>
#include <spawn.h>

// Starts `/bin/sh -c SCRIPT ARGUMENT` in a session of its own (an interrupt from the terminal is not for it), its input
// a pipe whose other end is `*pipe_end`, its output nowhere. The process, or the negated errno.
static inline int ciliate_spawn_reader(const char *script, const char *argument, int *pipe_end)
{
	char *const arguments[] = { (char *)"sh", (char *)"-c", (char *)script, (char *)argument, NULL };
	char *const environment[] = { (char *)"PATH=/usr/bin:/bin", NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int ends[2], result;
	pid_t process;

	if (syscall(__NR_pipe2, ends, O_CLOEXEC) < 0)
		return -errno;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, ends[0], 0);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, 0x80 /* POSIX_SPAWN_SETSID */);
	result = posix_spawn(&process, "/bin/sh", &actions, &attributes, arguments, environment);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	close(ends[0]);
	if (result) {
		close(ends[1]);
		return -result;
	}
	*pipe_end = ends[1];
	return process;
}
