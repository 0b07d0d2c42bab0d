/* SPDX-License-Identifier: Apache-2.0 */
/* What the model is measured against: the four look-ups of a packet between pods, in plain C. */
#pragma once

#include <stdint.h>

struct bench_tables;

/* Tables of `entries` each: services (key 12, value 12), conntrack (14, 56), identities (24, 24), policy (12, 12). */
struct bench_tables *bench_tables_make(uint32_t entries);
void bench_tables_free(struct bench_tables *tables);

/* Runs `count` packets over the flows of the tables; returns a sum that keeps the compiler from leaving it out. */
uint64_t bench_packets(const struct bench_tables *tables, uint64_t count);
