/* SPDX-License-Identifier: Apache-2.0 */
/* Tables laid out as the model's are (FlatTable.swift): an index of 32-bit slots with a tag of the hash, and behind it
 * the entries, key and value side by side, on huge pages where they are large; the same hash.
 */
#define _GNU_SOURCE
#include "bench_peer.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct table {
	uint8_t *memory; /* slots, then entries */
	uint32_t mask, key_size, value_at, stride, count;
};

static inline uint64_t mix(uint64_t first, uint64_t second)
{
	unsigned __int128 product =
		(unsigned __int128)(first ^ 0xa0761d6478bd642fULL) * (second ^ 0xe7037ed1a0b428dbULL);

	return (uint64_t)(product >> 64) ^ (uint64_t)product ^ (first + second);
}

static inline __attribute__((always_inline)) uint64_t hash_of(const uint8_t *key, uint32_t size)
{
	uint64_t hash = 0x9e3779b97f4a7c15ULL, first, second;
	uint32_t offset = 0;

	for (; offset + 16 <= size; offset += 16) {
		memcpy(&first, key + offset, 8);
		memcpy(&second, key + offset + 8, 8);
		hash = mix(hash ^ first, second);
	}
	if (offset + 8 <= size) {
		memcpy(&first, key + offset, 8);
		second = 0;
		memcpy(&second, key + offset + 8, size - offset - 8);
		return mix(hash ^ first, second);
	}
	if (offset < size) {
		second = 0;
		memcpy(&second, key + offset, size - offset);
		hash = mix(hash, second);
	}
	return hash;
}

static inline __attribute__((always_inline)) uint8_t *entry_at(const struct table *t, uint32_t index, uint32_t stride)
{
	return t->memory + ((uint64_t)t->mask + 1) * 4 + (uint64_t)index * stride;
}

/* The value under `key`, whose hash is known. */
static inline __attribute__((always_inline)) const uint8_t *
find(const struct table *t, uint64_t hash, const uint8_t *key, uint32_t key_size, uint32_t value_at, uint32_t stride)
{
	const uint32_t *slots = (const uint32_t *)t->memory;
	uint32_t position = (uint32_t)hash & t->mask, tag = (uint32_t)(hash >> 32) & ~t->mask, slot;

	while ((slot = slots[position])) {
		if ((slot & ~t->mask) == tag) {
			const uint8_t *entry = entry_at(t, (slot & t->mask) - 1, stride);

			if (!memcmp(entry, key, key_size))
				return entry + value_at;
		}
		position = (position + 1) & t->mask;
	}
	return 0;
}

/* Asks for the entry that the index has under a hash. */
static inline __attribute__((always_inline)) void fetch_entry(const struct table *t, uint64_t hash, uint32_t stride)
{
	const uint32_t *slots = (const uint32_t *)t->memory;
	uint32_t position = (uint32_t)hash & t->mask, tag = (uint32_t)(hash >> 32) & ~t->mask, slot;

	while ((slot = slots[position])) {
		if ((slot & ~t->mask) == tag) {
			const uint8_t *entry = entry_at(t, (slot & t->mask) - 1, stride);

			__builtin_prefetch(entry);
			__builtin_prefetch(entry + stride - 1);
			return;
		}
		position = (position + 1) & t->mask;
	}
}

static void insert(struct table *t, const uint8_t *key)
{
	uint64_t hash = hash_of(key, t->key_size);
	uint32_t *slots = (uint32_t *)t->memory, position = (uint32_t)hash & t->mask;
	uint8_t *entry = entry_at(t, t->count, t->stride);

	while (slots[position])
		position = (position + 1) & t->mask;
	memset(entry, (int)t->count, t->stride);
	memcpy(entry, key, t->key_size);
	slots[position] = ((uint32_t)(hash >> 32) & ~t->mask) | (t->count + 1);
	t->count++;
}

static int make(struct table *t, uint32_t entries, uint32_t key_size, uint32_t value_at, uint32_t stride)
{
	uint64_t slots = 16, size, huge = 1 << 21;

	while (slots < (uint64_t)entries * 2)
		slots *= 2;
	size = (slots * 4 + (uint64_t)entries * stride + huge - 1) & ~(huge - 1);
	t->memory = aligned_alloc(huge, size);
	if (!t->memory)
		return 0;
	madvise(t->memory, size, MADV_HUGEPAGE);
	memset(t->memory, 0, slots * 4);
	t->mask = (uint32_t)slots - 1;
	t->key_size = key_size;
	t->value_at = value_at;
	t->stride = stride;
	t->count = 0;
	return 1;
}

struct bench_tables {
	struct table services, conntrack, identities, policy;
	uint32_t entries;
};

/* Octets of a key, where the value begins, and octets of an entry. */
#define SERVICE 12, 12, 24
#define TUPLE 14, 16, 72
#define IDENTITY 24, 24, 48
#define POLICY 12, 12, 24

/* The keys of flow `n`: made up, all different, laid out as the maps' keys are. */
static inline void service_key(uint8_t *key, uint32_t n)
{
	memset(key, 0, 12);
	memcpy(key, &n, 4);
	key[8] = 6;
}

static inline void tuple_key(uint8_t *key, uint32_t n, uint8_t flags)
{
	memset(key, 0, 14);
	memcpy(key, &n, 4);
	memcpy(key + 8, &n, 2);
	key[12] = 6;
	key[13] = flags;
}

static inline void identity_key(uint8_t *key, uint32_t n)
{
	memset(key, 0, 24);
	key[0] = 64;
	key[7] = 1;
	memcpy(key + 8, &n, 4);
}

static inline void policy_key(uint8_t *key, uint32_t n)
{
	memset(key, 0, 12);
	key[0] = 64;
	memcpy(key + 4, &n, 4);
	key[9] = 6;
	key[10] = 80;
}

struct bench_tables *bench_tables_make(uint32_t entries)
{
	struct bench_tables *t = calloc(1, sizeof(*t));
	uint8_t key[24];

	if (!t || !make(&t->services, entries, SERVICE) || !make(&t->conntrack, entries, TUPLE) ||
	    !make(&t->identities, entries, IDENTITY) || !make(&t->policy, entries, POLICY)) {
		bench_tables_free(t);
		return 0;
	}
	t->entries = entries;
	for (uint32_t n = 0; n < entries; n++) {
		service_key(key, n | 0x80000000u);
		insert(&t->services, key);
		tuple_key(key, n, 0);
		insert(&t->conntrack, key);
		identity_key(key, n);
		insert(&t->identities, key);
		policy_key(key, n);
		insert(&t->policy, key);
	}
	return t;
}

void bench_tables_free(struct bench_tables *t)
{
	if (!t)
		return;
	struct table *all[] = { &t->services, &t->conntrack, &t->identities, &t->policy };

	for (int i = 0; i < 4; i++)
		free(all[i]->memory);
	free(t);
}

/* What one packet looks up: its keys, and their hashes. */
struct packet {
	uint8_t service[12], reply[14], tuple[14], identity[24], policy[12];
	uint64_t hashes[5];
};

static inline __attribute__((always_inline)) void prepare(struct packet *p, uint32_t n)
{
	service_key(p->service, n); /* no service: the packet goes to a pod */
	tuple_key(p->reply, n, 1); /* no reply */
	tuple_key(p->tuple, n, 0);
	identity_key(p->identity, n);
	policy_key(p->policy, n);
	p->hashes[0] = hash_of(p->service, 12);
	p->hashes[1] = hash_of(p->reply, 14);
	p->hashes[2] = hash_of(p->tuple, 14);
	p->hashes[3] = hash_of(p->identity, 24);
	p->hashes[4] = hash_of(p->policy, 12);
}

static inline __attribute__((always_inline)) uint64_t look_up(const struct bench_tables *t, const struct packet *p)
{
	const uint8_t *found;
	uint64_t sum = 0;

	found = find(&t->services, p->hashes[0], p->service, SERVICE);
	sum += found ? *found : 0;
	found = find(&t->conntrack, p->hashes[1], p->reply, TUPLE);
	sum += found ? *found : 0;
	found = find(&t->conntrack, p->hashes[2], p->tuple, TUPLE);
	sum += found ? *found : 0;
	found = find(&t->identities, p->hashes[3], p->identity, IDENTITY);
	sum += found ? *found : 0;
	found = find(&t->policy, p->hashes[4], p->policy, POLICY);
	return sum + (found ? *found : 0);
}

static inline uint32_t draw(uint64_t *state, uint32_t flows)
{
	*state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(*state >> 33) % flows;
}

uint64_t bench_packets(const struct bench_tables *t, uint32_t flows, uint64_t count)
{
	uint64_t sum = 0, state = 1;
	struct packet packet;

	for (uint64_t i = 0; i < count; i++) {
		prepare(&packet, draw(&state, flows));
		sum += look_up(t, &packet);
	}
	return sum;
}

uint64_t bench_packets_ahead(const struct bench_tables *t, uint32_t flows, uint64_t count)
{
	enum { WINDOW = 8 };
	struct packet ring[WINDOW];
	uint64_t sum = 0, state = 1;

	for (uint64_t i = 0; i < count + 4; i++) {
		if (i < count) {
			struct packet *p = &ring[i % WINDOW];
			const struct table *tables[] = { &t->services, &t->conntrack, &t->conntrack, &t->identities,
							 &t->policy };

			prepare(p, draw(&state, flows));
			for (int k = 0; k < 5; k++)
				__builtin_prefetch(tables[k]->memory + ((uint32_t)p->hashes[k] & tables[k]->mask) * 4ULL);
		}
		if (i >= 2 && i - 2 < count) {
			const struct packet *p = &ring[(i - 2) % WINDOW];

			fetch_entry(&t->conntrack, p->hashes[2], 72);
			fetch_entry(&t->identities, p->hashes[3], 48);
			fetch_entry(&t->policy, p->hashes[4], 24);
		}
		if (i >= 4)
			sum += look_up(t, &ring[(i - 4) % WINDOW]);
	}
	return sum;
}
