// Writes a capture of a million packets, replicated from a small real one: 43,000 flows, 258 VNIs.
//
//   generate SOURCE.pcap OUT PACKETS     OUT is a classic pcap, or pcapng if its name ends so
//
// SOURCE is a classic pcap with VXLAN over Ethernet and IPv4. In each copy the cluster identity becomes one of 256
// and the client port of each inner TCP flow another one; health and remote-node stay what they are.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX = 1 << 20, COPIES = 10744, IDENTITIES = 256 };

static uint16_t get16(const uint8_t *p) { return p[0] << 8 | p[1]; }
static void put16(uint8_t *p, unsigned v) { p[0] = v >> 8, p[1] = v; }

static void put32(FILE *out, uint32_t v) { fwrite(&v, 4, 1, out); }

// The section and one Ethernet interface with microseconds.
static void start_pcapng(FILE *out) {
  const uint32_t section[] = {0x0a0d0d0a, 28, 0x1a2b3c4d, 1, 0xffffffff, 0xffffffff, 28}, interface[] = {1, 20, 1, 0, 20};
  fwrite(section, sizeof section, 1, out), fwrite(interface, sizeof interface, 1, out);
}

// An enhanced packet block from a classic record.
static void write_block(FILE *out, const uint8_t *record, uint32_t length) {
  uint32_t header[4], size = 32 + ((length + 3) & ~3u);
  memcpy(header, record, 16);
  uint64_t time = header[0] * 1000000ull + header[1];
  const uint32_t block[] = {6, size, 0, time >> 32, time, length, header[3]}, zero = 0;
  fwrite(block, sizeof block, 1, out), fwrite(record + 16, length, 1, out);
  fwrite(&zero, -length & 3, 1, out), put32(out, size);
}

int main(int argc, char **argv) {
  static uint8_t source[MAX], copy[MAX];
  if (argc != 4) return 2;
  FILE *in = fopen(argv[1], "rb"), *out = fopen(argv[2], "wb");
  if (!in || !out) return perror("generate"), 1;
  size_t size = fread(source, 1, MAX, in);
  long packets = atol(argv[3]), written = 0;
  setvbuf(out, NULL, _IOFBF, 1 << 20);
  int blocks = strlen(argv[2]) > 2 && !strcmp(argv[2] + strlen(argv[2]) - 2, "ng");
  if (blocks) start_pcapng(out);
  else fwrite(source, 1, 24, out);
  for (long round = 0; written < packets; round++) {
    memcpy(copy, source, size);
    unsigned flow = round % COPIES, identity = flow % IDENTITIES;
    for (size_t at = 24; at + 16 <= size && written < packets; written++) {
      uint32_t length;
      memcpy(&length, copy + at + 8, 4);
      uint8_t *packet = copy + at + 16, *vni = packet + 46, *inner = packet + 50;
      uint32_t number = vni[0] << 16 | vni[1] << 8 | vni[2];
      if (number > 255) { // the two HTTP conversations: as many flows as there are copies
        number = 20000 + identity * 37;
        vni[0] = number >> 16, vni[1] = number >> 8, vni[2] = number;
        uint8_t *client = get16(inner + 34) == 80 ? inner + 36 : inner + 34;
        put16(client, get16(client) + 16 + flow % 8192);
        inner[client == inner + 34 ? 28 : 32] += flow / 8192; // the client's address
      }
      if (blocks) write_block(out, copy + at, length);
      else fwrite(copy + at, 1, 16 + length, out);
      at += 16 + length;
    }
  }
  return fclose(out) ? 1 : 0;
}
