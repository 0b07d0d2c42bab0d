// The peers that `ciliate decode` is measured against: the best plain C that does the same counting.
//
//   peer identity FILE   one pass, read() in 256 KiB pieces, packets and bytes per VNI
//   peer flow FILE       the same, with a hash table of flows; prints each
//   peer libpcap FILE    the same as identity, over libpcap (pcap_loop, which is a little faster than pcap_next_ex)
#include <fcntl.h>
#include <pcap/pcap.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PIECE = 256 << 10 };

struct count {
  uint64_t packets, bytes;
};
static struct count *counts; // by VNI; the kernel gives pages as they are touched

static uint16_t be16(const uint8_t *p) {
  uint16_t v;
  memcpy(&v, p, 2);
  return __builtin_bswap16(v);
}
static uint32_t be32(const uint8_t *p) {
  uint32_t v;
  memcpy(&v, p, 4);
  return __builtin_bswap32(v);
}

struct flow {
  uint32_t src, dst, ports, vni, osrc, odst;
  uint64_t packets, bytes, first, last;
  uint8_t proto, used;
};
static struct flow *table;
static size_t mask, used, tunnels, packets;

static struct flow *find(struct flow *in, size_t m, const struct flow *key) {
  uint64_t h = ((uint64_t)key->src << 32 | key->dst) * 0x9e3779b97f4a7c15u;
  h ^= ((uint64_t)key->ports << 32 | key->vni) * 0xc2b2ae3d27d4eb4fu;
  h ^= h >> 29;
  for (size_t at = h & m;; at = (at + 1) & m) {
    struct flow *f = &in[at];
    if (!f->used) return f;
    if (f->src == key->src && f->dst == key->dst && f->ports == key->ports && f->vni == key->vni &&
        f->proto == key->proto && f->osrc == key->osrc && f->odst == key->odst)
      return f;
  }
}

static void count_flow(const uint8_t *p, uint32_t vni, uint64_t bytes, uint64_t time) {
  const uint8_t *in = p + 50;
  struct flow key = {.src = be32(in + 26), .dst = be32(in + 30), .vni = vni, .osrc = be32(p + 26),
                     .odst = be32(p + 30), .proto = in[23]};
  if (in[12] != 8 || in[13] || in[14] != 0x45) return;
  key.ports = be32(in + 34);
  struct flow *f = find(table, mask, &key);
  if (!f->used) {
    if (++used * 4 > mask * 3) {
      size_t m = mask * 2 + 1;
      struct flow *larger = calloc(m + 1, sizeof *larger);
      for (size_t i = 0; i <= mask; i++)
        if (table[i].used) *find(larger, m, &table[i]) = table[i];
      free(table);
      table = larger, mask = m;
      f = find(table, mask, &key);
    }
    *f = key;
    f->used = 1, f->first = time;
  }
  f->packets++, f->bytes += bytes, f->last = time;
}

static inline void packet(const uint8_t *p, uint32_t caplen, int flows, uint64_t time) {
  packets++;
  if (caplen < 64 || p[12] != 8 || p[13] || p[14] != 0x45 || p[23] != 17 || be16(p + 20) & 0x3fff) return;
  uint16_t port = be16(p + 36);
  if ((port != 8472 && port != 4789) || !(p[42] & 8)) return;
  uint32_t vni = be32(p + 46) >> 8;
  uint64_t bytes = be16(p + 38) - 16;
  tunnels++;
  counts[vni].packets++;
  counts[vni].bytes += bytes;
  if (flows && caplen >= 88) count_flow(p, vni, bytes, time);
}

static void parse(const char *name, int flows) {
  static uint8_t buffer[PIECE];
  int fd = open(name, O_RDONLY);
  size_t held = 0;
  int header = 0;
  for (;;) {
    ssize_t n = read(fd, buffer + held, PIECE - held);
    if (n <= 0) break;
    size_t end = held + n, at = 0;
    if (!header) at = 24, header = 1;
    while (end - at >= 16) {
      uint32_t seconds, fraction, length;
      memcpy(&seconds, buffer + at, 4);
      memcpy(&fraction, buffer + at + 4, 4);
      memcpy(&length, buffer + at + 8, 4);
      if (end - at - 16 < length) break;
      packet(buffer + at + 16, length, flows, seconds * 1000000000ull + fraction * 1000ull);
      at += 16 + length;
    }
    memmove(buffer, buffer + at, held = end - at);
  }
  close(fd);
}

static void each(u_char *none, const struct pcap_pkthdr *header, const u_char *octets) {
  (void)none;
  packet(octets, header->caplen, 0, 0);
}

static void parse_libpcap(const char *name) {
  char message[PCAP_ERRBUF_SIZE];
  pcap_t *handle = pcap_open_offline(name, message);
  if (handle) pcap_loop(handle, -1, each, NULL);
}

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  counts = calloc(1 << 24, sizeof *counts);
  int flows = !strcmp(argv[1], "flow");
  if (flows) table = calloc(1 << 16, sizeof *table), mask = (1 << 16) - 1;
  if (!strcmp(argv[1], "libpcap")) parse_libpcap(argv[2]);
  else parse(argv[2], flows);
  if (flows) {
    for (size_t i = 0; i <= mask; i++) {
      struct flow *f = &table[i];
      if (f->used)
        printf("%u.%u.%u.%u:%u %u.%u.%u.%u:%u %u %lu %lu %lu %lu\n", f->src >> 24, f->src >> 16 & 255,
               f->src >> 8 & 255, f->src & 255, f->ports >> 16, f->dst >> 24, f->dst >> 16 & 255, f->dst >> 8 & 255,
               f->dst & 255, f->ports & 0xffff, f->vni, f->packets, f->bytes, f->first, f->last);
    }
  }
  size_t vnis = 0;
  // Only the pages that were touched hold anything; VNIs of a cluster lie below 65536.
  for (size_t i = 0; i < 1 << 16; i++) vnis += counts[i].packets > 0;
  fprintf(stderr, "%zu packets, %zu of tunnels, %zu VNIs, %zu flows\n", packets, tunnels, vnis, used);
  return 0;
}
