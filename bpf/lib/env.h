/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Time and randomness: the only way to either. In production these are the kernel's helpers; with env_pinned they come
 * from the map ciliate_env, so that a run can be repeated. Modelled: bpf/lib/time.h.
 */
#pragma once

#include "lib/config.h"
#include "lib/maps.h"

#define NSEC_PER_SEC 1000000000ULL

INLINE struct pinned_environment *pinned(void)
{
	uint32_t zero = 0;

	return config.env_pinned ? bpf_map_lookup_elem(&ciliate_env, &zero) : 0;
}

INLINE uint64_t now_ns(void)
{
	struct pinned_environment *env = pinned();

	return env ? env->ktime_ns : bpf_ktime_get_ns();
}

/* The clock of conntrack: seconds, or jiffies in units of 256. */
INLINE uint64_t now_mono(void)
{
	struct pinned_environment *env;

	if (!config.enable_jiffies)
		return now_ns() / NSEC_PER_SEC;
	env = pinned();
	return (env ? env->ktime_ns / (NSEC_PER_SEC / config.kernel_hz) : bpf_jiffies64()) >> 8;
}

/* A number of seconds on that clock. */
INLINE uint32_t mono_of_seconds(uint32_t seconds)
{
	return config.enable_jiffies ? (seconds * config.kernel_hz) >> 8 : seconds;
}

/* 32 random bits; pinned, the upper half of one step of splitmix64. */
INLINE uint32_t random_u32(void)
{
	struct pinned_environment *env = pinned();
	uint64_t z;

	if (!env)
		return bpf_get_prandom_u32();
	env->random_state += 0x9e3779b97f4a7c15ULL;
	z = env->random_state;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return (z ^ (z >> 31)) >> 32;
}
