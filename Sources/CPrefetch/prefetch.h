/* SPDX-License-Identifier: Apache-2.0 */
/* The one instruction that Swift has no name for. */
#pragma once

/* Brings the cache line at `address` closer. A hint: any address may be given, and nothing can be seen of it. */
static inline __attribute__((always_inline)) void ciliate_prefetch(const void *_Nonnull address)
{
	__builtin_prefetch(address);
}
