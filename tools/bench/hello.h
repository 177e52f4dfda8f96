// ClientHellos and server flights of the benchmark's captures, built from field lists.
#ifndef WIRETAG_BENCH_HELLO_H
#define WIRETAG_BENCH_HELLO_H

#include <stddef.h>
#include <stdint.h>

// A deterministic source of random numbers (splitmix64).
typedef struct { uint64_t state; } Random;

static inline uint64_t random64(Random *r) {
  uint64_t z = (r->state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}
static inline uint32_t below(Random *r, uint32_t n) { return (uint32_t)(((random64(r) >> 32) * n) >> 32); }
static inline double unit(Random *r) { return (double)(random64(r) >> 11) * 0x1.0p-53; }

// Bytes under construction; the capacity is the caller's promise.
typedef struct { uint8_t *at; size_t count; } Out;

static inline void put8(Out *o, unsigned v) { o->at[o->count++] = (uint8_t)v; }
static inline void put16(Out *o, unsigned v) { put8(o, v >> 8); put8(o, v); }
static inline void put32(Out *o, uint32_t v) { put16(o, v >> 16); put16(o, v & 0xffff); }
void putBytes(Out *o, const void *bytes, size_t count);
void putRandom(Out *o, Random *r, size_t count);

enum { kMostHello = 2200, kMostFlight = 8192 };

// The stacks that the captures draw from, each with its share of the TLS flows in percent.
int stackCount(void);
int stackShare(int stack);
const char *stackName(int stack);
// True for the stack whose hello does not fit one segment.
int stackIsPostQuantum(int stack);
// The stack of Apple's push daemon; it asks for TLS 1.2 only.
int courierStack(void);

// One TLS record with a ClientHello; returns its length.
size_t clientHello(uint8_t *out, Random *r, int stack, const char *serverName);
// ServerHello, ChangeCipherSpec and the encrypted rest of a TLS 1.3 server's first flight, `encrypted` bytes of it.
size_t serverFlight13(uint8_t *out, Random *r, size_t encrypted);
// ServerHello, Certificate (names in clear), ServerKeyExchange, ServerHelloDone of TLS 1.2.
size_t serverFlight12(uint8_t *out, Random *r, const char *serverName);

#endif
