// Writes a synthetic capture for the benchmark: the same arguments give the same bytes. What is in it stands in
// tools/bench/README.md. Flows are small state machines in a heap ordered by the time of their next packet.
#include "hello.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum Kind { DNS, TLS13, TLS12, QUIC, UDP, HTTP, SYN, MID, TINY, KINDS };
static const char *const kindNames[KINDS] = {
  "DNS", "TLS 1.3", "TLS 1.2", "QUIC-like", "other UDP", "HTTP/1", "SYN only", "seen from the middle", "tiny"};

typedef struct {
  const char *name, *shows;
  uint32_t packets, flows;
  double seconds;
  int share[KINDS];      // per mille of the flows
  int segmentsOfFlight;  // at most so many segments in the server's first flight
  double step;           // seconds between a flow's packets where they are fixed, else 0
  int closes;            // whether connections end
} Profile;

static const Profile profiles[] = {
  {"mix", "what a border sees", 1000000, 200000, 120, {380, 130, 30, 50, 120, 20, 250, 20, 0}, 4, 0, 1},
  {"hello", "nothing but TLS handshakes", 1000000, 100000, 60, {0, 900, 100, 0, 0, 0, 0, 0, 0}, 3, 0, 1},
  {"small", "tiny packets of many flows in random order", 1000000, 200000, 60, {0, 0, 0, 0, 0, 0, 0, 0, 1000}, 1, 0, 0},
  {"concurrent", "TLS flows that are all open at once", 1350000, 250000, 4, {0, 1000, 0, 0, 0, 0, 0, 0, 0}, 1, 5, 0},
  {"elephant", "50 flows of full segments", 1000000, 50, 20, {0, 1000, 0, 0, 0, 0, 0, 0, 0}, 4, 0, 1},
};

typedef struct {
  double next, roundTrip;
  uint8_t client[16], server[16];
  uint32_t clientSequence, serverSequence, extra, step;
  uint32_t recordLeftUp, recordLeftDown;  // bytes to come of the TLS record that a segment ended in
  uint16_t clientPort, serverPort, vlan, name, handshakeDone;
  uint8_t kind, isV6, stack, hellos, flight, close, reorders, clientTTL, serverTTL;
  uint16_t helloLength, flightLength;
} Flow;

// Names with a weight; numbered hosts stand for the long tail.
typedef struct { const char *name; int weight; uint16_t port; } Name;
static const Name names[] = {
  {"courier.push.apple.com", 20, 5223}, {"courier2.push.apple.com", 4, 5223}, {"mtalk.google.com", 25, 5228},
  {"g.whatsapp.net", 25, 443}, {"mmg.whatsapp.net", 15, 443}, {"chat.signal.org", 10, 443},
  {"query.ess.apple.com", 6, 443}, {"p52-content.icloud-content.com", 8, 443}, {"web.telegram.org", 10, 443},
  {"www.google.com", 70, 443}, {"fonts.gstatic.com", 40, 443}, {"www.youtube.com", 30, 443},
  {"www.apple.com", 25, 443}, {"gateway.icloud.com", 30, 443}, {"www.microsoft.com", 30, 443},
  {"login.microsoftonline.com", 25, 443}, {"github.com", 20, 443}, {"en.wikipedia.org", 20, 443},
  {"www.instagram.com", 25, 443}, {"graph.facebook.com", 30, 443}, {"api.spotify.com", 15, 443},
  {"www.netflix.com", 10, 443}, {"s3.amazonaws.com", 30, 443}, {"cdn.jsdelivr.net", 20, 443},
  {"static.cloudflareinsights.com", 20, 443}, {"discord.com", 10, 443}, {"www.bbc.co.uk", 10, 443},
  {"imap.gmail.com", 6, 993}, {"deb.debian.org", 6, 443}, {"%", 400, 443},
};
enum { kNames = sizeof names / sizeof *names, kTail = 3000 };

static Random rng;
static FILE *out;
static uint64_t packetsWritten, bytesWritten, v6Packets, vlanPackets;
static uint8_t pool[1 << 17];

static double exponential(double mean) {
  // -ln(1-u) by a series: libm's last bits differ between systems, and the capture must not.
  double u = 1 - unit(&rng), sum = 0;
  while (u < 0.5) { u *= 2; sum += 0.69314718055994531; }
  double t = (1 - u) / (1 + u), t2 = t * t;
  return mean * (sum + 2 * (t + t * t2 / 3 + t * t2 * t2 / 5 + t * t2 * t2 * t2 / 7));
}

static void serverName(const Flow *f, char *text, size_t size) {
  if (f->name < kNames - 1) snprintf(text, size, "%s", names[f->name].name);
  else snprintf(text, size, "edge-%u.cdn%u.example.net", f->name, f->name % 7);
}

static uint16_t checksum(uint32_t sum, const uint8_t *bytes, size_t count) {
  for (size_t i = 0; i + 1 < count; i += 2) sum += (uint32_t)(bytes[i] << 8 | bytes[i + 1]);
  if (count & 1) sum += (uint32_t)bytes[count - 1] << 8;
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  return (uint16_t)~sum;
}

// Frames one transport segment and writes its record.
static void writePacket(Flow *f, int up, int isTCP, const uint8_t *segment, size_t count) {
  uint8_t frame[1600];
  Out o = {frame, 0};
  static const uint8_t macs[2][6] = {{2, 0, 0x5e, 0x10, 0, 1}, {2, 0, 0x5e, 0x10, 0, 2}};
  putBytes(&o, macs[up], 6);
  putBytes(&o, macs[!up], 6);
  if (f->vlan) {
    put16(&o, 0x8100);
    put16(&o, f->vlan);
  }
  put16(&o, f->isV6 ? 0x86dd : 0x0800);
  const uint8_t *source = up ? f->client : f->server, *destination = up ? f->server : f->client;
  unsigned ttl = up ? f->clientTTL : f->serverTTL, protocol = isTCP ? 6 : 17;
  size_t width = f->isV6 ? 16 : 4, network = o.count;
  if (f->isV6) {
    put32(&o, 0x60000000 | (uint32_t)(f->clientPort & 0xfff));
    put16(&o, (unsigned)count);
    put8(&o, protocol);
    put8(&o, ttl);
  } else {
    put16(&o, 0x4500);
    put16(&o, (unsigned)count + 20);
    put16(&o, (unsigned)random64(&rng) & 0xffff);
    put16(&o, 0x4000);
    put8(&o, ttl);
    put8(&o, protocol);
    put16(&o, 0);
  }
  putBytes(&o, source, width);
  putBytes(&o, destination, width);
  if (!f->isV6) {
    uint16_t sum = checksum(0, frame + network, 20);
    frame[network + 10] = (uint8_t)(sum >> 8);
    frame[network + 11] = (uint8_t)sum;
  }
  size_t transport = o.count;
  putBytes(&o, segment, count);
  uint32_t pseudo = protocol + (uint32_t)count;
  for (size_t i = 0; i < width; i += 2) pseudo += (uint32_t)(source[i] << 8 | source[i + 1]) + (uint32_t)(destination[i] << 8 | destination[i + 1]);
  uint16_t sum = checksum(pseudo, frame + transport, count);
  if (!isTCP && sum == 0) sum = 0xffff;
  size_t at = transport + (isTCP ? 16 : 6);
  frame[at] = (uint8_t)(sum >> 8);
  frame[at + 1] = (uint8_t)sum;

  uint64_t nanoseconds = 1764843072000000000u + (uint64_t)(f->next * 1e9);
  uint32_t header[4] = {(uint32_t)(nanoseconds / 1000000000u), (uint32_t)(nanoseconds % 1000000000u), (uint32_t)o.count,
                        (uint32_t)o.count};
  fwrite(header, sizeof header, 1, out);
  fwrite(frame, o.count, 1, out);
  packetsWritten++;
  bytesWritten += o.count;
  v6Packets += f->isV6;
  vlanPackets += f->vlan != 0;
}

enum { FIN = 1, SYNFLAG = 2, RST = 4, PSH = 8, ACK = 16 };
enum { kSegment = 1400 };

static void tcp(Flow *f, int up, unsigned flags, const uint8_t *payload, size_t count, int32_t offset) {
  uint8_t segment[1560];
  Out o = {segment, 0};
  uint32_t *mine = up ? &f->clientSequence : &f->serverSequence, *theirs = up ? &f->serverSequence : &f->clientSequence;
  put16(&o, up ? f->clientPort : f->serverPort);
  put16(&o, up ? f->serverPort : f->clientPort);
  put32(&o, *mine + (uint32_t)offset);
  put32(&o, flags & ACK ? *theirs : 0);
  put16(&o, (flags & SYNFLAG ? 10u : 8u) << 12 | flags);
  put16(&o, up ? 64240 : 65160);
  put32(&o, 0);
  uint32_t clock = (uint32_t)(f->next * 1000) + f->clientPort * 7919u;
  if (flags & SYNFLAG) {
    putBytes(&o, "\x02\x04\x05\xb4\x04\x02\x08\x0a", 8);
    put32(&o, clock);
    put32(&o, flags & ACK ? clock - 30 : 0);
    putBytes(&o, "\x01\x03\x03\x07", 4);
  } else {
    putBytes(&o, "\x01\x01\x08\x0a", 4);
    put32(&o, clock);
    put32(&o, clock - 30);
  }
  if (count) putBytes(&o, payload, count);
  if (offset == 0) *mine += (uint32_t)count + ((flags & (SYNFLAG | FIN)) != 0);
  writePacket(f, up, 1, segment, o.count);
}

static void udp(Flow *f, int up, const uint8_t *payload, size_t count) {
  uint8_t segment[1500];
  Out o = {segment, 0};
  put16(&o, up ? f->clientPort : f->serverPort);
  put16(&o, up ? f->serverPort : f->clientPort);
  put16(&o, (unsigned)count + 8);
  put16(&o, 0);
  putBytes(&o, payload, count);
  writePacket(f, up, 0, segment, o.count);
}

static const uint8_t *noise(size_t count) { return pool + below(&rng, (uint32_t)(sizeof pool - count)); }

// `count` bytes of a stream of TLS application data records, cut anywhere as segments are.
static void tlsData(Flow *f, int up, size_t count, uint32_t largest) {
  uint8_t bytes[kSegment];
  uint32_t *left = up ? &f->recordLeftUp : &f->recordLeftDown;
  Out o = {bytes, 0};
  putBytes(&o, noise(count), count);
  for (size_t at = 0; at < count;) {
    if (*left == 0) {
      if (count - at < 5) count = at;  // a header is not torn apart; the segment ends before it
      else {
        uint32_t length = 30 + below(&rng, largest);
        Out header = {bytes + at, 0};
        putBytes(&header, "\x17\x03\x03", 3);
        put16(&header, length);
        *left = length;
        at += 5;
      }
    } else {
      size_t n = *left < count - at ? *left : count - at;
      *left -= (uint32_t)n;
      at += n;
    }
  }
  tcp(f, up, ACK | PSH, bytes, count, 0);
}

// The flow's hello and flight are built anew, from a seed of their own, whenever a segment of them is due.
static size_t buildHello(const Flow *f, uint8_t *bytes) {
  char name[64];
  serverName(f, name, sizeof name);
  Random own = {(uint64_t)f->clientPort << 32 ^ f->client[2] << 16 ^ f->client[3] << 8 ^ f->client[15] ^ f->name};
  return clientHello(bytes, &own, f->stack, name);
}
static size_t buildFlight(const Flow *f, uint8_t *bytes) {
  char name[64];
  serverName(f, name, sizeof name);
  Random own = {(uint64_t)f->serverPort << 32 ^ f->clientPort << 8 ^ f->name};
  return f->kind == TLS12 ? serverFlight12(bytes, &own, name)
                          : serverFlight13(bytes, &own, 900 + (size_t)(f->flight - 1) * kSegment);
}

static uint32_t basePackets(const Flow *f) {
  switch (f->kind) {
  case DNS: return f->close ? 1 : 2;
  case TLS13: case TLS12: return 3u + f->hellos + f->flight + f->handshakeDone + (f->close == 1 ? 3u : f->close == 2);
  case QUIC: return 4;
  case UDP: return 2;
  case HTTP: return 5u + (f->close == 1 ? 3u : 0);
  case SYN: return f->flight;
  case MID: return 3;
  default: return 1;
  }
}

static void dataPacket(Flow *f) {
  uint32_t dice = below(&rng, 100);
  switch (f->kind) {
  case TLS13: case TLS12: case MID:
    if (dice < 72) tlsData(f, 0, kSegment, 16371);
    else if (dice < 78) tlsData(f, 0, 60 + below(&rng, 900), 600);
    else if (dice < 92) tcp(f, 1, ACK, NULL, 0, 0);
    else tlsData(f, 1, 60 + below(&rng, 700), 500);
    break;
  case HTTP:
    if (dice < 80) tcp(f, 0, ACK | PSH, noise(kSegment), kSegment, 0);
    else tcp(f, 1, ACK, NULL, 0, 0);
    break;
  case QUIC: {
    uint8_t bytes[1400];
    int up = dice >= 75;
    size_t n = up ? 40 + below(&rng, 60) : dice < 65 ? 1250 : 60 + below(&rng, 1100);
    memcpy(bytes, noise(n), n);
    bytes[0] = 0x40 | (bytes[0] & 0x3f);
    udp(f, up, bytes, n);
    break;
  }
  default: {
    int up = dice < 50;
    size_t n = below(&rng, 13);
    if (f->isV6 & 1 || f->serverPort != 443) udp(f, up, noise(n + 1), n + 1);
    else tcp(f, up, ACK | PSH, noise(n + 1), n + 1, 0);
  }
  }
}

static void putLabels(Out *o, const char *name) {
  while (*name) {
    size_t n = strcspn(name, ".");
    put8(o, (unsigned)n);
    putBytes(o, name, n);
    name += n + (name[n] == '.');
  }
  put8(o, 0);
}

static void dnsPacket(Flow *f, int up) {
  uint8_t bytes[512];
  char name[64];
  serverName(f, name, sizeof name);
  Out o = {bytes, 0};
  int type = f->stack == 0 ? 28 : 1, answers = up ? 0 : 1 + f->name % 3;
  put16(&o, f->clientPort * 40503u);
  put16(&o, up ? 0x0100 : 0x8180);
  put16(&o, 1);
  put16(&o, (unsigned)answers);
  put32(&o, 0);
  putLabels(&o, name);
  put16(&o, (unsigned)type);
  put16(&o, 1);
  for (int i = 0; i < answers; i++) {
    put16(&o, 0xc00c);
    put16(&o, (unsigned)type);
    put16(&o, 1);
    put32(&o, 60 + f->name % 240);
    put16(&o, type == 28 ? 16 : 4);
    if (type == 28) putBytes(&o, "\x20\x01\x0d\xb8\0\x5e\0\0\0\0\0\0\0\0", 14);
    else putBytes(&o, "\xc6\x13", 2);
    put16(&o, (unsigned)(f->name * 4 + i));
  }
  udp(f, up, bytes, o.count);
}

static void tlsStep(Flow *f) {
  uint32_t s = f->step;
  uint8_t bytes[kMostFlight];
  if (s == 0) { tcp(f, 1, SYNFLAG, NULL, 0, 0); return; }
  if (s == 1) { tcp(f, 0, SYNFLAG | ACK, NULL, 0, 0); return; }
  if (s == 2) { tcp(f, 1, ACK, NULL, 0, 0); return; }
  s -= 3;
  if (s < f->hellos) {
    size_t n = buildHello(f, bytes);
    if (f->hellos == 1) { tcp(f, 1, ACK | PSH, bytes, n, 0); return; }
    uint32_t which = f->reorders ? 1 - s : s;
    size_t first = kSegment;
    // Of two reordered segments the second goes out before the sequence number moves.
    if (which == 1 && f->reorders) tcp(f, 1, ACK | PSH, bytes + first, n - first, (int32_t)first);
    else if (which == 1) tcp(f, 1, ACK | PSH, bytes + first, n - first, 0);
    else tcp(f, 1, ACK, bytes, first, 0);
    if (f->reorders && s == 1) f->clientSequence += (uint32_t)(n - first);
    return;
  }
  s -= f->hellos;
  if (s < f->flight) {
    size_t n = buildFlight(f, bytes), from = s * kSegment, to = from + kSegment;
    if (s + 1u == f->flight) to = n;
    tcp(f, 0, s + 1u == f->flight ? ACK | PSH : ACK, bytes + from, to - from, 0);
    return;
  }
  s -= f->flight;
  if (s < f->handshakeDone) {
    Out o = {bytes, 0};
    if (f->kind == TLS12) {
      if (s == 0) putBytes(&o, "\x16\x03\x03\0\x21\x10\0\0\x1d\x20", 10);
      if (s == 0) putRandom(&o, &rng, 28);
      putBytes(&o, "\x14\x03\x03\0\x01\x01\x16\x03\x03\0\x28", 11);
      putRandom(&o, &rng, 40);
    } else if (s == 0) {
      putBytes(&o, "\x14\x03\x03\0\x01\x01\x17\x03\x03\0\x35", 11);
      putRandom(&o, &rng, 53);
    } else {
      putBytes(&o, "\x17\x03\x03\0\xfa", 5);
      putRandom(&o, &rng, 250);
    }
    tcp(f, s == 0, ACK | PSH, bytes, o.count, 0);
    return;
  }
  s -= f->handshakeDone;
  if (s < f->extra) { dataPacket(f); return; }
  s -= f->extra;
  if (f->close == 2) { tcp(f, 1, RST | ACK, NULL, 0, 0); return; }
  if (s == 0) tcp(f, 1, FIN | ACK, NULL, 0, 0);
  else if (s == 1) tcp(f, 0, FIN | ACK, NULL, 0, 0);
  else tcp(f, 1, ACK, NULL, 0, 0);
}

static void httpStep(Flow *f) {
  uint32_t s = f->step;
  char text[600], name[64];
  serverName(f, name, sizeof name);
  if (s == 0) tcp(f, 1, SYNFLAG, NULL, 0, 0);
  else if (s == 1) tcp(f, 0, SYNFLAG | ACK, NULL, 0, 0);
  else if (s == 2) tcp(f, 1, ACK, NULL, 0, 0);
  else if (s == 3) {
    int n = snprintf(text, sizeof text, "GET /a/%u HTTP/1.1\r\nHost: %s\r\nUser-Agent: bench/1.0 (%s)\r\nAccept: */*\r\n\r\n",
                     f->clientPort, name, f->isV6 ? "six" : "four");
    tcp(f, 1, ACK | PSH, (uint8_t *)text, (size_t)n, 0);
  } else if (s == 4) {
    int n = snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\nServer: bench\r\nContent-Type: application/octet-stream\r\nContent-Length: %u\r\n\r\n",
                     f->extra * kSegment);
    tcp(f, 0, ACK | PSH, (uint8_t *)text, (size_t)n, 0);
  } else if (s < 5 + f->extra) dataPacket(f);
  else if (s == 5 + f->extra) tcp(f, 1, FIN | ACK, NULL, 0, 0);
  else if (s == 6 + f->extra) tcp(f, 0, FIN | ACK, NULL, 0, 0);
  else tcp(f, 1, ACK, NULL, 0, 0);
}

static void quicStep(Flow *f) {
  if (f->step >= 4) { dataPacket(f); return; }
  uint8_t bytes[1400];
  size_t n = f->step == 0 || f->step == 3 ? 1200 : 1232;
  memcpy(bytes, noise(n), n);
  Out o = {bytes, 0};
  put8(&o, f->step < 2 ? 0xc3 : 0xe3);  // Initial and Initial, then Handshake twice
  put32(&o, 1);
  put8(&o, 8);
  putRandom(&o, &rng, 8);
  put8(&o, 0);
  if (f->step < 2) put8(&o, 0);
  put16(&o, 0x4000u | (unsigned)(n - o.count - 2));
  udp(f, f->step == 0 || f->step == 3, bytes, n);
}

static void otherUDPStep(Flow *f) {
  uint8_t bytes[600];
  size_t n = f->serverPort == 123 ? 48 : 40 + below(&rng, 500);
  memcpy(bytes, noise(n), n);
  if (f->serverPort == 123) bytes[0] = f->step == 0 ? 0x23 : 0x24;
  udp(f, f->step == 0, bytes, n);
}

// Writes the packet that is due and returns the time to the next one.
static double emit(Flow *f, const Profile *p) {
  switch (f->kind) {
  case DNS: dnsPacket(f, f->step == 0); break;
  case TLS13: case TLS12: tlsStep(f); break;
  case QUIC: quicStep(f); break;
  case UDP: otherUDPStep(f); break;
  case HTTP: httpStep(f); break;
  case SYN:
    if (f->step == 1 && f->close) tcp(f, 0, RST | ACK, NULL, 0, 0);
    else { f->clientSequence -= f->step > 0; tcp(f, 1, SYNFLAG, NULL, 0, 0); }
    break;
  default: dataPacket(f);
  }
  uint32_t s = f->step++;
  if (p->step > 0) return p->step;
  if (f->kind == TINY) return exponential(p->seconds / 12);
  if (f->kind == SYN) return f->close ? f->roundTrip : 1.0 * (1 << s);
  if (f->kind == DNS || f->kind == UDP) return f->roundTrip;
  uint32_t early = f->kind == MID ? 0 : 3u + f->hellos + f->flight + f->handshakeDone;
  if (s == 0 || s == 2u + f->hellos || s == 2u + f->hellos + f->flight) return f->roundTrip;
  if (s < early) return 0.00005 + exponential(0.0003);
  // Bursts of segments, with a pause now and then; heavy flows pause less, so that they end in time.
  return below(&rng, 100) < 6 ? exponential(f->extra > 200 ? 0.02 : 0.5) : 0.00002 + exponential(0.0002);
}

static uint16_t drawName(void) {
  static int total;
  if (!total) for (int i = 0; i < kNames; i++) total += names[i].weight;
  int dice = (int)below(&rng, (uint32_t)total);
  for (uint16_t i = 0; i < kNames - 1; i++) if ((dice -= names[i].weight) < 0) return i;
  return (uint16_t)(kNames - 1 + below(&rng, kTail));
}

static void setUp(Flow *f, uint32_t index, int kind, const Profile *p) {
  memset(f, 0, sizeof *f);
  f->kind = (uint8_t)kind;
  f->isV6 = below(&rng, 100) < 18;
  f->vlan = below(&rng, 100) < 6 ? (uint16_t)(100 + below(&rng, 4)) : 0;
  // The courier speaks TLS 1.2 here: no TLS 1.3 hello of its client is published.
  do f->name = drawName(); while (f->name < 2 && kind != TLS12 && kind != DNS);
  if (kind == TLS12 && below(&rng, 100) < 12) f->name = 0;
  f->roundTrip = 0.008 + exponential(0.03);
  f->clientTTL = below(&rng, 10) < 7 ? 64 : 128;
  f->serverTTL = (uint8_t)(47 + below(&rng, 12));
  f->clientSequence = (uint32_t)random64(&rng);
  f->serverSequence = (uint32_t)random64(&rng);

  // 20,000 clients; the flows of one client differ in its port.
  uint32_t client = index % 20000, round = index / 20000;
  f->clientPort = (uint16_t)(32768 + round * 61 + below(&rng, 61));
  uint16_t host = f->name;
  f->serverPort = f->name < kNames - 1 ? names[f->name].port : 443;
  int isCourier = f->name < 2;
  switch (kind) {
  case DNS: f->serverPort = 53; host = 60000; f->close = below(&rng, 100) < 3; f->stack = f->isV6 || below(&rng, 3) == 0 ? 0 : 1; break;
  case UDP: f->serverPort = below(&rng, 10) < 4 ? 123 : (uint16_t)(1024 + below(&rng, 40000)); isCourier = 0; break;
  case HTTP: f->serverPort = 80; break;
  case SYN: f->serverPort = below(&rng, 2) ? 443 : (uint16_t)(1 + below(&rng, 10000)); break;
  case TINY: f->serverPort = below(&rng, 2) ? 443 : 9999; break;
  default: break;
  }
  if (kind == QUIC) f->serverPort = 443;
  if (f->isV6) {
    memcpy(f->client, "\x20\x01\x0d\xb8\0\x10\0\0\0\0\0\0\0\0", 14);
    f->client[14] = (uint8_t)(client >> 8);
    f->client[15] = (uint8_t)client;
    if (isCourier && kind != DNS) memcpy(f->server, "\x26\x20\x01\x49\x0a\x44\0\0\0\0\0\0\0\0\0", 15);
    else memcpy(f->server, "\x20\x01\x0d\xb8\0\x5e\0\0\0\0\0\0\0\0", 14);
    f->server[14] = (uint8_t)(host * 4 >> 8);
    f->server[15] = (uint8_t)(host * 4);
  } else {
    f->client[0] = 10;
    f->client[1] = 0x40;
    f->client[2] = (uint8_t)(client >> 8);
    f->client[3] = (uint8_t)client;
    memcpy(f->server, isCourier && kind != DNS ? "\x11\x39" : "\xc6\x13", 2);
    f->server[2] = isCourier && kind != DNS ? 0x90 : (uint8_t)(host * 4 >> 8);
    f->server[3] = (uint8_t)(host * 4);
  }

  if (kind == TLS13 || kind == TLS12) {
    int dice = (int)below(&rng, 100);
    for (f->stack = 0; f->stack < stackCount() - 1; f->stack++) if ((dice -= stackShare(f->stack)) < 0) break;
    if (kind == TLS12 && f->name < 2) f->stack = (uint8_t)courierStack();
    else if (f->stack == courierStack()) f->stack = 1;
    uint8_t bytes[kMostFlight];
    f->helloLength = (uint16_t)buildHello(f, bytes);
    f->hellos = f->helloLength > kSegment ? 2 : 1;
    f->reorders = f->hellos == 2 && below(&rng, 100) < 3;
    f->flight = (uint8_t)(1 + below(&rng, (uint32_t)p->segmentsOfFlight));
    if (kind == TLS12) f->flight = (uint8_t)((buildFlight(f, bytes) + kSegment - 1) / kSegment);
    f->handshakeDone = p->step > 0 ? 0 : 2;
    uint32_t end = below(&rng, 100);
    f->close = !p->closes || end < 45 ? 0 : end < 93 ? 1 : 2;
  } else if (kind == HTTP) {
    f->close = below(&rng, 100) < 60;
  } else if (kind == SYN) {
    f->close = below(&rng, 100) < 25;
    f->flight = (uint8_t)(f->close ? 2 : below(&rng, 100) < 75 ? 1 : 2 + below(&rng, 2));
  }
  f->next = p->step > 0 ? index * (p->seconds / p->flows) : unit(&rng) * p->seconds * 0.96;
}

typedef struct { double at; uint32_t flow; } Due;

static void siftDown(Due *heap, size_t count, size_t i) {
  Due moved = heap[i];
  for (;;) {
    size_t child = 2 * i + 1;
    if (child >= count) break;
    if (child + 1 < count && heap[child + 1].at < heap[child].at) child++;
    if (moved.at <= heap[child].at) break;
    heap[i] = heap[child];
    i = child;
  }
  heap[i] = moved;
}

static int usage(FILE *to, int status) {
  fprintf(to, "usage: generate PROFILE FILE [--packets N] [--flows N] [--seed N]\n\nprofiles:\n");
  for (size_t i = 0; i < sizeof profiles / sizeof *profiles; i++) {
    const Profile *p = &profiles[i];
    fprintf(to, "  %-11s %s (%u packets, %u flows)\n", p->name, p->shows, p->packets, p->flows);
  }
  fprintf(to, "\nFILE is a pcap with nanoseconds, or - for standard output.\nexample: generate mix mix.pcap --packets 100000 --flows 20000\n");
  return status;
}

int main(int count, char **arguments) {
  if (count > 1 && (!strcmp(arguments[1], "--help") || !strcmp(arguments[1], "-h"))) return usage(stdout, 0);
  if (count < 3) return usage(stderr, 2);
  Profile p = {0};
  for (size_t i = 0; i < sizeof profiles / sizeof *profiles; i++) if (!strcmp(profiles[i].name, arguments[1])) p = profiles[i];
  if (!p.name) { fprintf(stderr, "generate: no profile '%s'\n", arguments[1]); return usage(stderr, 2); }
  uint64_t seed = 1;
  for (int i = 3; i < count; i += 2) {
    char *end = NULL;
    unsigned long long value = i + 1 < count ? strtoull(arguments[i + 1], &end, 10) : 0;
    if (!end || *end || (value == 0 && strcmp(arguments[i], "--seed")) || value > 1u << 30) {
      fprintf(stderr, "generate: %s wants a number\n", arguments[i]);
      return 2;
    }
    if (!strcmp(arguments[i], "--packets")) p.packets = (uint32_t)value;
    else if (!strcmp(arguments[i], "--flows")) p.flows = (uint32_t)value;
    else if (!strcmp(arguments[i], "--seed")) seed = value;
    else { fprintf(stderr, "generate: unknown option %s\n", arguments[i]); return 2; }
  }

  rng.state = seed * 0x2545f4914f6cdd1du + 7;
  Out fill = {pool, 0};
  putRandom(&fill, &rng, sizeof pool);
  Flow *flows = calloc(p.flows, sizeof *flows);
  double *weights = calloc(p.flows, sizeof *weights);
  Due *heap = calloc(p.flows, sizeof *heap);
  if (!flows || !weights || !heap) { fprintf(stderr, "generate: out of memory\n"); return 1; }

  // Flows first, then what is left of the packets goes to those that carry data, few of them getting most.
  uint64_t planned = 0, perKind[KINDS] = {0};
  double sum = 0;
  for (uint32_t i = 0; i < p.flows; i++) {
    int dice = (int)below(&rng, 1000), kind = 0;
    while (kind < KINDS - 1 && (dice -= p.share[kind]) >= 0) kind++;
    setUp(&flows[i], i, kind, &p);
    perKind[kind]++;
    planned += basePackets(&flows[i]);
    int carries = kind == TLS13 || kind == TLS12 || kind == QUIC || kind == HTTP || kind == MID || kind == TINY;
    double tail = unit(&rng);
    weights[i] = !carries ? 0 : kind == TINY ? 1 + tail : 1 / (tail * tail + 0.0002);
    sum += weights[i];
  }
  if (planned > p.packets || (planned < p.packets && sum == 0)) {
    fprintf(stderr, "generate: %u flows of '%s' need at least %llu packets\n", p.flows, p.name, (unsigned long long)planned);
    return 2;
  }
  uint64_t left = p.packets - planned, given = 0;
  double carried = 0;
  for (uint32_t i = 0; i < p.flows && left; i++) {
    carried += weights[i] / sum * (double)left;
    uint64_t upTo = carried > (double)left ? left : (uint64_t)carried;
    flows[i].extra = (uint32_t)(upTo - given);
    given = upTo;
  }
  for (uint32_t i = p.flows; given < left && i-- > 0;) if (weights[i] > 0) { flows[i].extra += (uint32_t)(left - given); given = left; }

  out = strcmp(arguments[2], "-") ? fopen(arguments[2], "wb") : stdout;
  if (!out) { fprintf(stderr, "generate: cannot write %s\n", arguments[2]); return 1; }
  setvbuf(out, NULL, _IOFBF, 1 << 20);
  uint32_t header[6] = {0xa1b23c4d, 2 | 4 << 16, 0, 0, 262144, 1};
  fwrite(header, sizeof header, 1, out);

  size_t due = p.flows;
  for (uint32_t i = 0; i < p.flows; i++) heap[i] = (Due){flows[i].next, i};
  for (size_t i = due / 2; i-- > 0;) siftDown(heap, due, i);
  while (due > 0) {
    Flow *f = &flows[heap[0].flow];
    f->next += emit(f, &p);
    if (f->step < basePackets(f) + f->extra) heap[0].at = f->next;
    else heap[0] = heap[--due];
    siftDown(heap, due, 0);
  }
  if (fflush(out) || ferror(out) || (out != stdout && fclose(out))) {
    fprintf(stderr, "generate: writing %s failed: is the disk full?\n", arguments[2]);
    return 1;
  }
  fprintf(stderr, "%s: %llu packets, %u flows, %.0f bytes a packet, %.1f %% IPv6, %.1f %% VLAN; flows:", p.name,
          (unsigned long long)packetsWritten, p.flows, (double)bytesWritten / (double)packetsWritten,
          100.0 * (double)v6Packets / (double)packetsWritten, 100.0 * (double)vlanPackets / (double)packetsWritten);
  for (int k = 0; k < KINDS; k++) if (perKind[k]) fprintf(stderr, " %llu %s", (unsigned long long)perKind[k], kindNames[k]);
  fprintf(stderr, "\n");
  free(flows);
  free(weights);
  free(heap);
  return packetsWritten == p.packets ? 0 : 1;
}
