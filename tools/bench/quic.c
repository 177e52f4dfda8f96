// Writes a pcap of QUIC connections whose Initials anybody can open (RFC 9001, section 5.2): hellos of the benchmark's
// stacks with transport parameters, a ServerHello, and a short-header packet each way. Needs OpenSSL's libcrypto.
#include "hello.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { kDatagram = 1200, kTag = 16, kSample = 16, kMostCrypto = 1000 };

typedef struct { uint8_t key[16], iv[12], hp[16]; } Keys;

static Random rng;
static FILE *out;
static uint64_t packetsWritten, now = 1764806400000000000u;
static EVP_CIPHER_CTX *gcm, *ecb;

static void hmac(const uint8_t *key, size_t keyLength, const uint8_t *data, size_t count, uint8_t digest[32]) {
  unsigned length = 32;
  HMAC(EVP_sha256(), key, (int)keyLength, data, count, digest, &length);
}

// HKDF-Expand-Label (RFC 8446, section 7.1) without context, one block.
static void expand(const uint8_t secret[32], const char *label, uint8_t *to, size_t count) {
  uint8_t info[64], digest[32];
  Out o = {info, 0};
  put16(&o, (unsigned)count);
  put8(&o, (unsigned)(6 + strlen(label)));
  putBytes(&o, "tls13 ", 6);
  putBytes(&o, label, strlen(label));
  put8(&o, 0);
  put8(&o, 1);
  hmac(secret, 32, info, o.count, digest);
  memcpy(to, digest, count);
}

static void derive(const uint8_t *id, size_t length, const char *side, Keys *keys) {
  static const uint8_t salt[20] = {0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17,
                                   0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a};
  uint8_t initial[32], secret[32];
  hmac(salt, sizeof salt, id, length, initial);
  expand(initial, side, secret, 32);
  expand(secret, "quic key", keys->key, 16);
  expand(secret, "quic iv", keys->iv, 12);
  expand(secret, "quic hp", keys->hp, 16);
}

static void putInteger(Out *o, uint32_t value) {
  if (value < 64) put8(o, value);
  else put16(o, 0x4000 | value);
}

// The hello without its record header, with transport parameters appended to its extensions.
static size_t helloMessage(uint8_t *to, int stack, const char *name) {
  static const uint8_t parameters[] = {
    0x00, 0x39, 0x00, 0x1c, 0x01, 0x04, 0x80, 0x00, 0x75, 0x30, 0x03, 0x02, 0x45, 0xc0, 0x04, 0x04,
    0x80, 0xf0, 0x00, 0x00, 0x08, 0x02, 0x40, 0x64, 0x09, 0x02, 0x40, 0x67, 0x0f, 0x00, 0x0e, 0x00};
  uint8_t record[kMostHello];
  size_t count = clientHello(record, &rng, stack, name);
  const uint8_t *message = record + 5;
  size_t length = count - 5, at = 4 + 2 + 32;
  at += 1 + message[at];
  at += 2 + (size_t)(message[at] << 8 | message[at + 1]);
  at += 1 + message[at];
  size_t extensions = (size_t)(message[at] << 8 | message[at + 1]) + sizeof parameters;
  memcpy(to, message, length);
  memcpy(to + length, parameters, sizeof parameters);
  length += sizeof parameters;
  to[at] = (uint8_t)(extensions >> 8);
  to[at + 1] = (uint8_t)extensions;
  to[1] = 0;
  to[2] = (uint8_t)((length - 4) >> 8);
  to[3] = (uint8_t)(length - 4);
  return length;
}

// A protected Initial that fills its datagram, with `count` bytes of the handshake from `offset` on.
static size_t initial(uint8_t *to, const Keys *keys, const uint8_t *destination, const uint8_t *source, uint8_t number,
                      const uint8_t *crypto, size_t offset, size_t count) {
  Out o = {to, 0};
  put8(&o, 0xc0);
  put32(&o, 1);
  put8(&o, 8);
  putBytes(&o, destination, 8);
  put8(&o, 8);
  putBytes(&o, source, 8);
  put8(&o, 0);
  put16(&o, 0x4000 | (unsigned)(kDatagram - o.count - 2));
  size_t numberAt = o.count;
  put8(&o, number);
  size_t header = o.count, plain = kDatagram - header - kTag;
  uint8_t frames[kDatagram] = {0};
  Out f = {frames, 0};
  put8(&f, 0x06);
  putInteger(&f, (uint32_t)offset);
  putInteger(&f, (uint32_t)count);
  putBytes(&f, crypto, count);
  uint8_t nonce[12];
  memcpy(nonce, keys->iv, 12);
  nonce[11] ^= number;
  int written = 0;
  EVP_EncryptInit_ex(gcm, EVP_aes_128_gcm(), NULL, keys->key, nonce);
  EVP_EncryptUpdate(gcm, NULL, &written, to, (int)header);
  EVP_EncryptUpdate(gcm, to + header, &written, frames, (int)plain);
  EVP_EncryptFinal_ex(gcm, to + header + plain, &written);
  EVP_CIPHER_CTX_ctrl(gcm, EVP_CTRL_GCM_GET_TAG, kTag, to + header + plain);
  uint8_t mask[16];
  EVP_EncryptInit_ex(ecb, EVP_aes_128_ecb(), NULL, keys->hp, NULL);
  EVP_CIPHER_CTX_set_padding(ecb, 0);
  EVP_EncryptUpdate(ecb, mask, &written, to + numberAt + 4, kSample);
  to[0] ^= mask[0] & 0x0f;
  to[numberAt] ^= mask[1];
  return kDatagram;
}

static void datagram(uint32_t flow, int up, const uint8_t *payload, size_t count) {
  uint8_t packet[14 + 20 + 8 + kDatagram];
  uint32_t client = 0x0a400000 + flow % 65536, server = 0xc6130000 + (flow * 2654435761u >> 22);
  uint16_t port = (uint16_t)(1024 + flow / 65536 * 16000 + flow % 16000);
  Out o = {packet, 0};
  putBytes(&o, "\x02\0\0\0\0\1\x02\0\0\0\0\2\x08\0", 14);
  uint8_t *ip = packet + o.count;
  put16(&o, 0x4500);
  put16(&o, (unsigned)(28 + count));
  put32(&o, 0x00004000);
  put16(&o, 0x4011);
  put16(&o, 0);
  put32(&o, up ? client : server);
  put32(&o, up ? server : client);
  uint32_t sum = 0;
  for (int i = 0; i < 20; i += 2) sum += (uint32_t)(ip[i] << 8 | ip[i + 1]);
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  ip[10] = (uint8_t)(~sum >> 8);
  ip[11] = (uint8_t)~sum;
  put16(&o, up ? port : 443);
  put16(&o, up ? 443 : port);
  put16(&o, (unsigned)(8 + count));
  put16(&o, 0);
  putBytes(&o, payload, count);
  now += 20000 + below(&rng, 20000);
  uint32_t header[4] = {(uint32_t)(now / 1000000000u), (uint32_t)(now % 1000000000u), (uint32_t)o.count, (uint32_t)o.count};
  fwrite(header, sizeof header, 1, out);
  fwrite(packet, o.count, 1, out);
  packetsWritten++;
}

static void connection(uint32_t flow) {
  static const char *const names[] = {"www.youtube.com", "www.google.com", "app.snapchat.com", "i.instagram.com",
                                      "web.facebook.com", "cdn.example.net", "www.cloudflare.com"};
  int dice = (int)below(&rng, 100), stack = 0;
  while (stack < stackCount() - 1 && (dice -= stackShare(stack)) >= 0) stack++;
  if (stack == courierStack()) stack = 0;
  uint8_t ids[24], message[kMostHello + 64], bytes[kDatagram], flight[kMostFlight];
  Out o = {ids, 0};
  putRandom(&o, &rng, sizeof ids);
  const uint8_t *original = ids, *client = ids + 8, *server = ids + 16;
  Keys up, down;
  derive(original, 8, "client in", &up);
  derive(original, 8, "server in", &down);
  size_t length = helloMessage(message, stack, names[below(&rng, 7)]);
  uint8_t number = 0;
  for (size_t at = 0; at < length; at += kMostCrypto, number++) {
    size_t part = length - at < kMostCrypto ? length - at : kMostCrypto;
    initial(bytes, &up, original, client, number, message + at, at, part);
    datagram(flow, 1, bytes, kDatagram);
  }
  serverFlight13(flight, &rng, 200);
  size_t helloLength = (size_t)(flight[3] << 8 | flight[4]);
  initial(bytes, &down, client, server, 0, flight + 5, 0, helloLength);
  datagram(flow, 0, bytes, kDatagram);
  for (int i = 0; i < 2; i++) {
    Out s = {bytes, 0};
    put8(&s, 0x40);
    putBytes(&s, i ? client : server, 8);
    putRandom(&s, &rng, 60 + below(&rng, 800));
    datagram(flow, !i, bytes, s.count);
  }
}

int main(int count, char **arguments) {
  if (count < 2 || count > 4) {
    fprintf(stderr, "usage: quic FILE [CONNECTIONS [SEED]]\n");
    return 2;
  }
  uint32_t flows = count > 2 ? (uint32_t)strtoul(arguments[2], NULL, 10) : 200000;
  rng.state = (count > 3 ? strtoull(arguments[3], NULL, 10) : 1) * 0x2545f4914f6cdd1du + 7;
  gcm = EVP_CIPHER_CTX_new();
  ecb = EVP_CIPHER_CTX_new();
  out = fopen(arguments[1], "wb");
  if (!out || !gcm || !ecb) {
    fprintf(stderr, "quic: cannot write %s\n", arguments[1]);
    return 1;
  }
  uint32_t header[6] = {0xa1b23c4d, 2 | 4 << 16, 0, 0, 262144, 1};
  fwrite(header, sizeof header, 1, out);
  for (uint32_t flow = 0; flow < flows; flow++) connection(flow);
  if (fclose(out)) {
    fprintf(stderr, "quic: writing %s failed: is the disk full?\n", arguments[1]);
    return 1;
  }
  fprintf(stderr, "quic: %llu packets, %u connections\n", (unsigned long long)packetsWritten, flows);
  return 0;
}
