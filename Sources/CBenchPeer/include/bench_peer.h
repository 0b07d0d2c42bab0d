/* SPDX-License-Identifier: Apache-2.0 */
/* What the model is measured against: the look-ups of one packet in C, on tables of the same layout. */
#pragma once

#include <stdint.h>

struct bench_tables;

/* Tables of services, conntrack, ipcache and policy with `entries` entries each; nil without memory. */
struct bench_tables *bench_tables_make(uint32_t entries);
void bench_tables_free(struct bench_tables *tables);

/* Look-ups for `count` packets of flows in random order: a service (missing), the connection in both directions, the
 * receiver's identity, its policy. The flows are the first `flows` of the tables' entries.
 */
uint64_t bench_packets(const struct bench_tables *tables, uint32_t flows, uint64_t count);
/* The same, with what the next packets will look up fetched meanwhile. */
uint64_t bench_packets_ahead(const struct bench_tables *tables, uint32_t flows, uint64_t count);
