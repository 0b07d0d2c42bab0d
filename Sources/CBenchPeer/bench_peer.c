/* SPDX-License-Identifier: Apache-2.0 */
/* Open addressing with linear probing and a tag in each slot, as the model's tables have them; the same hash. */
#include "bench_peer.h"

#include <stdlib.h>
#include <string.h>

struct table {
	uint8_t *keys, *values;
	uint64_t *slots; /* upper half of the hash, index plus one */
	uint64_t mask;
	uint32_t key_size, value_size, count;
};

static inline uint64_t mix(uint64_t word)
{
	unsigned __int128 product = (unsigned __int128)word * 0xa0761d6478bd642fULL;

	return (uint64_t)(product >> 64) ^ (uint64_t)product;
}

static inline __attribute__((always_inline)) uint64_t hash_of(const uint8_t *key, uint32_t size)
{
	uint64_t hash = 0x9e3779b97f4a7c15ULL, word;
	uint32_t offset = 0;

	for (; offset + 8 <= size; offset += 8) {
		memcpy(&word, key + offset, 8);
		hash = mix(hash ^ word);
	}
	if (offset < size) {
		word = 0;
		memcpy(&word, key + offset, size - offset);
		hash = mix(hash ^ word);
	}
	return hash;
}

static inline __attribute__((always_inline)) const uint8_t *
find(const struct table *t, const uint8_t *key, uint32_t key_size, uint32_t value_size)
{
	uint64_t hash = hash_of(key, key_size), position = hash & t->mask, slot;

	while ((slot = t->slots[position])) {
		uint32_t index = (uint32_t)slot - 1;

		if (slot >> 32 == hash >> 32 && !memcmp(t->keys + (uint64_t)index * key_size, key, key_size))
			return t->values + (uint64_t)index * value_size;
		position = (position + 1) & t->mask;
	}
	return 0;
}

static void insert(struct table *t, const uint8_t *key)
{
	uint64_t hash = hash_of(key, t->key_size), position = hash & t->mask;

	while (t->slots[position])
		position = (position + 1) & t->mask;
	memcpy(t->keys + (uint64_t)t->count * t->key_size, key, t->key_size);
	memset(t->values + (uint64_t)t->count * t->value_size, (int)t->count, t->value_size);
	t->slots[position] = (hash & ~0xffffffffULL) | (t->count + 1);
	t->count++;
}

static int make(struct table *t, uint32_t entries, uint32_t key_size, uint32_t value_size)
{
	uint64_t size = 4;

	while (size < (uint64_t)entries * 2)
		size *= 2;
	t->keys = malloc((uint64_t)entries * key_size);
	t->values = malloc((uint64_t)entries * value_size);
	t->slots = calloc(size, 8);
	t->mask = size - 1;
	t->key_size = key_size;
	t->value_size = value_size;
	t->count = 0;
	return t->keys && t->values && t->slots;
}

struct bench_tables {
	struct table services, conntrack, identities, policy;
	uint32_t entries;
};

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

	if (!t || !make(&t->services, entries, 12, 12) || !make(&t->conntrack, entries, 14, 56) ||
	    !make(&t->identities, entries, 24, 24) || !make(&t->policy, entries, 12, 12)) {
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

	for (int i = 0; i < 4; i++) {
		free(all[i]->keys);
		free(all[i]->values);
		free(all[i]->slots);
	}
	free(t);
}

uint64_t bench_packets(const struct bench_tables *t, uint64_t count)
{
	uint64_t sum = 0, state = 1;
	uint8_t key[24];

	for (uint64_t i = 0; i < count; i++) {
		const uint8_t *found;
		uint32_t n;

		state = state * 6364136223846793005ULL + 1442695040888963407ULL;
		n = (uint32_t)(state >> 33) % t->entries;
		service_key(key, n); /* no service: the packet goes to a pod */
		found = find(&t->services, key, 12, 12);
		sum += found ? *found : 0;
		tuple_key(key, n, 1); /* no reply */
		found = find(&t->conntrack, key, 14, 56);
		sum += found ? *found : 0;
		tuple_key(key, n, 0);
		found = find(&t->conntrack, key, 14, 56);
		sum += found ? *found : 0;
		identity_key(key, n);
		found = find(&t->identities, key, 24, 24);
		sum += found ? *found : 0;
		policy_key(key, n);
		found = find(&t->policy, key, 12, 12);
		sum += found ? *found : 0;
	}
	return sum;
}
