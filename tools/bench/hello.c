// ClientHellos of several client stacks from lists of their fields (RFC 8446 section 4.1.2, RFC 8701 for GREASE), and
// the server's first flight. The lists are what each stack offers, in its order; random values and keys are random.
#include "hello.h"

#include <string.h>

void putBytes(Out *o, const void *bytes, size_t count) {
  memcpy(o->at + o->count, bytes, count);
  o->count += count;
}

void putRandom(Out *o, Random *r, size_t count) {
  while (count > 0) {
    uint64_t v = random64(r);
    size_t n = count < 8 ? count : 8;
    putBytes(o, &v, n);
    count -= n;
  }
}

// A length of `width` bytes whose value is known once what follows it is written.
static size_t openLength(Out *o, int width) {
  size_t here = o->count;
  for (int i = 0; i < width; i++) put8(o, 0);
  return here;
}
static void closeLength(Out *o, size_t here, int width) {
  size_t n = o->count - here - (size_t)width;
  for (int i = 0; i < width; i++) o->at[here + (size_t)i] = (uint8_t)(n >> (8 * (width - 1 - i)));
}

enum { kGrease = 0x0a0a, kHybrid = 0x11ec, kX25519 = 0x001d };

typedef struct {
  const char *name;
  int share, shuffles;
  uint16_t recordVersion;
  const uint16_t *ciphers, *extensions, *groups, *shares, *signatures, *versions;
  const char *alpn;  // names separated by a space
} ClientStack;

#define LIST(...) (const uint16_t[]){__VA_ARGS__, 0xffff}
#define NONE (const uint16_t[]){0xffff}

static const ClientStack clientStacks[] = {
  {"Chromium with a post-quantum share", 34, 1, 0x0301,
   LIST(kGrease, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c,
        0x009d, 0x002f, 0x0035),
   LIST(0, 23, 65281, 10, 11, 35, 16, 5, 13, 18, 51, 45, 43, 27, 17613, 65037),
   LIST(kGrease, kHybrid, kX25519, 23, 24), LIST(kGrease, kHybrid, kX25519),
   LIST(0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601), LIST(kGrease, 0x0304, 0x0303),
   "h2 http/1.1"},
  {"Safari", 18, 0, 0x0301,
   LIST(kGrease, 0x1301, 0x1302, 0x1303, 0xc02c, 0xc02b, 0xcca9, 0xc030, 0xc02f, 0xcca8, 0xc00a, 0xc009, 0xc014,
        0xc013, 0x009d, 0x009c, 0x0035, 0x002f, 0xc008, 0xc012, 0x000a),
   LIST(kGrease, 0, 23, 65281, 10, 11, 16, 5, 13, 18, 51, 45, 43, 27, kGrease + 1, 21),
   LIST(kGrease, kX25519, 23, 24, 25), LIST(kGrease, kX25519),
   LIST(0x0403, 0x0804, 0x0401, 0x0503, 0x0203, 0x0805, 0x0805, 0x0501, 0x0806, 0x0601, 0x0201),
   LIST(kGrease, 0x0304, 0x0303, 0x0302, 0x0301), "h2 http/1.1"},
  {"Firefox", 14, 0, 0x0301,
   LIST(0x1301, 0x1303, 0x1302, 0xc02b, 0xc02f, 0xcca9, 0xcca8, 0xc02c, 0xc030, 0xc00a, 0xc009, 0xc013, 0xc014,
        0x009c, 0x009d, 0x002f, 0x0035),
   LIST(0, 23, 65281, 10, 11, 35, 16, 5, 34, 51, 43, 13, 45, 28, 21), LIST(kX25519, 23, 24, 25, 256, 257),
   LIST(kX25519, 23),
   LIST(0x0403, 0x0503, 0x0603, 0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601, 0x0203, 0x0201),
   LIST(0x0304, 0x0303), "h2 http/1.1"},
  {"OpenSSL 3", 14, 0, 0x0301,
   LIST(0x1302, 0x1303, 0x1301, 0xc02c, 0xc030, 0x009f, 0xcca9, 0xcca8, 0xccaa, 0xc02b, 0xc02f, 0x009e, 0xc024,
        0xc028, 0x006b, 0xc023, 0xc027, 0x0067, 0xc00a, 0xc014, 0x0039, 0xc009, 0xc013, 0x0033, 0x009d, 0x009c,
        0x003d, 0x003c, 0x0035, 0x002f, 0x00ff),
   LIST(0, 11, 10, 35, 16, 22, 23, 13, 43, 45, 51),
   LIST(kX25519, 23, 30, 25, 24, 256, 257, 258, 259, 260), LIST(kX25519),
   LIST(0x0403, 0x0503, 0x0603, 0x0807, 0x0808, 0x0809, 0x080a, 0x080b, 0x0804, 0x0805, 0x0806, 0x0401, 0x0501,
        0x0601, 0x0303, 0x0301, 0x0302, 0x0402, 0x0502, 0x0602),
   LIST(0x0304, 0x0303), "h2 http/1.1"},
  {"Go", 8, 0, 0x0301,
   LIST(0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc009, 0xc013, 0xc00a, 0xc014, 0x009c, 0x009d, 0x002f,
        0x0035, 0xc012, 0x000a, 0x1301, 0x1302, 0x1303),
   LIST(0, 5, 10, 11, 35, 65281, 23, 18, 16, 13, 43, 51), LIST(kX25519, 23, 24, 25), LIST(kX25519),
   LIST(0x0804, 0x0403, 0x0807, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601, 0x0503, 0x0603, 0x0201, 0x0203),
   LIST(0x0304, 0x0303), "h2 http/1.1"},
  {"Android", 10, 0, 0x0301,
   LIST(0x1301, 0x1302, 0x1303, 0xc02b, 0xc02c, 0xcca9, 0xc02f, 0xc030, 0xcca8, 0xc013, 0xc014, 0x009c, 0x009d,
        0x002f, 0x0035),
   LIST(0, 23, 65281, 10, 11, 35, 16, 5, 13, 51, 45, 43), LIST(kX25519, 23, 24), LIST(kX25519),
   LIST(0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601, 0x0201), LIST(0x0304, 0x0303),
   "h2 http/1.1"},
  {"apsd, Apple's push daemon (TLS 1.2)", 2, 0, 0x0301,
   LIST(0x00ff, 0xc02c, 0xc02b, 0xc024, 0xc023, 0xc00a, 0xc009, 0xc008, 0xc030, 0xc02f, 0xc028, 0xc027, 0xc014,
        0xc013, 0xc012, 0x009d, 0x009c, 0x003d, 0x003c, 0x0035, 0x002f, 0x000a),
   LIST(0, 10, 11, 13, 13172, 16, 5, 18, 23), LIST(23, 24, 25), NONE,
   LIST(0x0401, 0x0201, 0x0501, 0x0601, 0x0403, 0x0203, 0x0503, 0x0603), NONE, "apns-security-v3 apns-pack-v1"},
};
int stackCount(void) { return sizeof clientStacks / sizeof *clientStacks; }
int stackShare(int stack) { return clientStacks[stack].share; }
const char *stackName(int stack) { return clientStacks[stack].name; }
int stackIsPostQuantum(int stack) { return stack == 0; }
int courierStack(void) { return stackCount() - 1; }

// Two GREASE values a hello: lists use the first, a second GREASE extension the other.
static uint16_t ungrease(uint16_t value, const uint16_t grease[2]) {
  if (value == kGrease) return grease[0];
  if (value == kGrease + 1) return grease[1];
  return value;
}

static void putList(Out *o, const uint16_t *list, const uint16_t grease[2]) {
  for (; *list != 0xffff; list++) put16(o, ungrease(*list, grease));
}

static void putExtension(Out *o, Random *r, const ClientStack *s, uint16_t type, const char *name,
                         const uint16_t grease[2], size_t helloStart) {
  put16(o, ungrease(type, grease));
  size_t body = openLength(o, 2), list;
  switch (type) {
  case 0:
    list = openLength(o, 2);
    put8(o, 0);
    put16(o, (unsigned)strlen(name));
    putBytes(o, name, strlen(name));
    closeLength(o, list, 2);
    break;
  case 5: putBytes(o, "\x01\0\0\0\0", 5); break;
  case 10:
    list = openLength(o, 2);
    putList(o, s->groups, grease);
    closeLength(o, list, 2);
    break;
  case 11: putBytes(o, "\x01\0", 2); break;
  case 13:
    list = openLength(o, 2);
    putList(o, s->signatures, grease);
    closeLength(o, list, 2);
    break;
  case 16:
    list = openLength(o, 2);
    for (const char *a = s->alpn; *a;) {
      size_t n = strcspn(a, " ");
      put8(o, (unsigned)n);
      putBytes(o, a, n);
      a += n + (a[n] == ' ');
    }
    closeLength(o, list, 2);
    break;
  case 21: {  // RFC 7685: up to 512 bytes of handshake
    size_t soFar = o->count - helloStart;
    for (size_t i = soFar; i < 512; i++) put8(o, 0);
    break;
  }
  case 27: putBytes(o, "\x02\0\x02", 3); break;
  case 28: put16(o, 0x4001); break;
  case 34: putBytes(o, "\0\x08\x04\x03\x05\x03\x06\x03\x02\x03", 10); break;
  case 43:
    list = openLength(o, 1);
    putList(o, s->versions, grease);
    closeLength(o, list, 1);
    break;
  case 45: putBytes(o, "\x01\x01", 2); break;
  case 51:
    list = openLength(o, 2);
    for (const uint16_t *g = s->shares; *g != 0xffff; g++) {
      size_t n = *g == kGrease ? 1 : *g == kHybrid ? 1216 : *g == 23 ? 65 : 32;
      put16(o, ungrease(*g, grease));
      put16(o, (unsigned)n);
      if (*g == kGrease) put8(o, 0); else putRandom(o, r, n);
    }
    closeLength(o, list, 2);
    break;
  case 17613: putBytes(o, "\0\x03\x02h2", 5); break;
  case 65037:  // an outer ECH as GREASE sends it
    putBytes(o, "\0\0\x01\0\x01", 5);
    put8(o, below(r, 256));
    put16(o, 32);
    putRandom(o, r, 32);
    list = openLength(o, 2);
    putRandom(o, r, 144 + 32 * below(r, 4));
    closeLength(o, list, 2);
    break;
  case 65281: put8(o, 0); break;
  case kGrease + 1: put8(o, 0); break;
  default: break;
  }
  closeLength(o, body, 2);
}

size_t clientHello(uint8_t *out, Random *r, int stack, const char *name) {
  const ClientStack *s = &clientStacks[stack];
  Out o = {out, 0};
  uint16_t grease[2];
  uint32_t first = below(r, 16), second = (first + 1 + below(r, 15)) % 16;
  grease[0] = (uint16_t)(0x0a0a + 0x1010 * first);
  grease[1] = (uint16_t)(0x0a0a + 0x1010 * second);

  put8(&o, 22);
  put16(&o, s->recordVersion);
  size_t record = openLength(&o, 2), helloStart = o.count;
  put8(&o, 1);
  size_t handshake = openLength(&o, 3);
  put16(&o, 0x0303);
  putRandom(&o, r, 32);
  int modern = s->versions[0] != 0xffff;
  put8(&o, modern ? 32 : 0);
  if (modern) putRandom(&o, r, 32);
  size_t ciphers = openLength(&o, 2);
  putList(&o, s->ciphers, grease);
  closeLength(&o, ciphers, 2);
  put16(&o, 0x0100);

  uint16_t order[32];
  int count = 0;
  while (s->extensions[count] != 0xffff) {
    order[count] = s->extensions[count];
    count++;
  }
  if (s->shuffles) {
    for (int i = count - 1; i > 0; i--) {
      int j = (int)below(r, (uint32_t)i + 1);
      uint16_t t = order[i];
      order[i] = order[j];
      order[j] = t;
    }
  }
  size_t extensions = openLength(&o, 2);
  if (s->shuffles) putExtension(&o, r, s, kGrease, name, grease, helloStart);
  for (int i = 0; i < count; i++) putExtension(&o, r, s, order[i], name, grease, helloStart);
  if (s->shuffles) putExtension(&o, r, s, kGrease + 1, name, grease, helloStart);
  closeLength(&o, extensions, 2);
  closeLength(&o, handshake, 3);
  closeLength(&o, record, 2);
  return o.count;
}

static void putServerHello(Out *o, Random *r, int is13) {
  put8(o, 22);
  put16(o, 0x0303);
  size_t record = openLength(o, 2);
  put8(o, 2);
  size_t handshake = openLength(o, 3);
  put16(o, 0x0303);
  putRandom(o, r, 32);
  put8(o, 32);
  putRandom(o, r, 32);
  put16(o, is13 ? 0x1301 : 0xc02b);
  put8(o, 0);
  size_t extensions = openLength(o, 2);
  if (is13) {
    putBytes(o, "\0\x33\0\x24\0\x1d\0\x20", 8);
    putRandom(o, r, 32);
    putBytes(o, "\0\x2b\0\x02\x03\x04", 6);
  } else {
    putBytes(o, "\xff\x01\0\x01\0\0\x0b\0\x02\x01\0\0\x17\0\0", 15);
  }
  closeLength(o, extensions, 2);
  closeLength(o, handshake, 3);
  closeLength(o, record, 2);
}

size_t serverFlight13(uint8_t *out, Random *r, size_t encrypted) {
  Out o = {out, 0};
  putServerHello(&o, r, 1);
  putBytes(&o, "\x14\x03\x03\0\x01\x01", 6);
  putBytes(&o, "\x17\x03\x03", 3);
  put16(&o, (unsigned)encrypted);
  putRandom(&o, r, encrypted);
  return o.count;
}

// DER lengths of three bytes throughout: legal BER, and as long as a real chain's once the keys are in.
static size_t openDER(Out *o, unsigned tag) {
  put8(o, tag);
  put8(o, 0x82);
  return openLength(o, 2);
}

static void putName(Out *o, const char *commonName) {
  size_t sequence = openDER(o, 0x30), set = openDER(o, 0x31), pair = openDER(o, 0x30);
  putBytes(o, "\x06\x03\x55\x04\x03", 5);
  size_t text = openDER(o, 0x0c);
  putBytes(o, commonName, strlen(commonName));
  closeLength(o, text, 2);
  closeLength(o, pair, 2);
  closeLength(o, set, 2);
  closeLength(o, sequence, 2);
}

// RFC 5280 section 4.1: an X.509 certificate with a subject alternative name; its signature is random bytes.
static void putCertificate(Out *o, Random *r, const char *issuer, const char *subject, size_t keyBytes) {
  static const char ecdsaSHA256[] = "\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02";
  size_t certificate = openDER(o, 0x30), tbs = openDER(o, 0x30);
  putBytes(o, "\xa0\x03\x02\x01\x02\x02\x08\x01", 8);
  putRandom(o, r, 7);
  putBytes(o, ecdsaSHA256, 12);
  putName(o, issuer);
  putBytes(o, "\x30\x1e\x17\x0d" "250101000000Z" "\x17\x0d" "270101000000Z", 32);
  putName(o, subject);
  size_t key = openDER(o, 0x30);
  putBytes(o, "\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07", 21);
  size_t bits = openDER(o, 0x03);
  putBytes(o, "\0\x04", 2);
  putRandom(o, r, keyBytes);
  closeLength(o, bits, 2);
  closeLength(o, key, 2);
  size_t tagged = openDER(o, 0xa3), extensions = openDER(o, 0x30), extension = openDER(o, 0x30);
  putBytes(o, "\x06\x03\x55\x1d\x11", 5);
  size_t octets = openDER(o, 0x04), names = openDER(o, 0x30), dns = openDER(o, 0x82);
  putBytes(o, subject, strlen(subject));
  closeLength(o, dns, 2);
  closeLength(o, names, 2);
  closeLength(o, octets, 2);
  closeLength(o, extension, 2);
  closeLength(o, extensions, 2);
  closeLength(o, tagged, 2);
  closeLength(o, tbs, 2);
  putBytes(o, ecdsaSHA256, 12);
  size_t signature = openDER(o, 0x03);
  put8(o, 0);
  putRandom(o, r, 71);
  closeLength(o, signature, 2);
  closeLength(o, certificate, 2);
}

size_t serverFlight12(uint8_t *out, Random *r, const char *name) {
  Out o = {out, 0};
  putServerHello(&o, r, 0);
  put8(&o, 22);
  put16(&o, 0x0303);
  size_t record = openLength(&o, 2);
  put8(&o, 11);
  size_t handshake = openLength(&o, 3), chain = openLength(&o, 3), one = openLength(&o, 3);
  putCertificate(&o, r, "Benchmark Issuing CA", name, 64);
  closeLength(&o, one, 3);
  one = openLength(&o, 3);
  putCertificate(&o, r, "Benchmark Root CA", "Benchmark Issuing CA", 900);
  closeLength(&o, one, 3);
  closeLength(&o, chain, 3);
  closeLength(&o, handshake, 3);
  closeLength(&o, record, 2);

  put8(&o, 22);
  put16(&o, 0x0303);
  record = openLength(&o, 2);
  put8(&o, 12);
  handshake = openLength(&o, 3);
  putBytes(&o, "\x03\0\x1d\x20", 4);
  putRandom(&o, r, 32);
  putBytes(&o, "\x04\x03\0\x47", 4);
  putRandom(&o, r, 71);
  closeLength(&o, handshake, 3);
  putBytes(&o, "\x0e\0\0\0", 4);
  closeLength(&o, record, 2);
  return o.count;
}
