// Sends the packets of a capture over an interface at a given rate, and says what it really sent: one line of JSON.
// AF_PACKET with sendmmsg(2), past the queueing discipline; the capture is sent again from its start when it is short.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { kBatch = 32, kLargest = 1514 };

static struct iovec *packets;
static size_t count;
static uint64_t bytes;

static void fail(const char *what, const char *why) {
  fprintf(stderr, "send: %s: %s\n", what, why);
  exit(1);
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

// Keeps up to `most` packets of a little-endian pcap; those that a veth would not carry are left out.
static void load(const char *path, size_t most) {
  FILE *file = fopen(path, "rb");
  if (!file) fail(path, strerror(errno));
  uint32_t head[6], record[4];
  if (fread(head, sizeof head, 1, file) != 1 || (head[0] != 0xa1b2c3d4 && head[0] != 0xa1b23c4d) || head[5] != 1)
    fail(path, "not an Ethernet pcap of this machine's byte order");
  packets = calloc(most, sizeof *packets);
  if (!packets) fail(path, "no memory for so many packets");
  while (count < most && fread(record, sizeof record, 1, file) == 1) {
    if (record[2] > kLargest + 4 || record[2] < 14) {
      if (fseek(file, record[2], SEEK_CUR)) break;
      continue;
    }
    void *copy = malloc(record[2]);
    if (!copy) fail(path, "no memory for so many packets");
    if (fread(copy, record[2], 1, file) != 1) break;
    packets[count++] = (struct iovec){copy, record[2]};
    bytes += record[2];
  }
  fclose(file);
  if (!count) fail(path, "no packets");
}

int main(int number, char **words) {
  if (number != 7) {
    fprintf(stderr, "usage: send INTERFACE PCAP CAPTURE_PACKETS RATE COUNT CORE  (rate 0: as fast as it goes)\n");
    return 2;
  }
  load(words[2], strtoul(words[3], NULL, 10));
  double rate = strtod(words[4], NULL);
  uint64_t wanted = strtoull(words[5], NULL, 10);
  cpu_set_t cores;
  CPU_ZERO(&cores);
  CPU_SET(atoi(words[6]), &cores);
  if (sched_setaffinity(0, sizeof cores, &cores)) fail("core", strerror(errno));

  // Protocol 0: this socket takes nothing in.
  int handle = socket(AF_PACKET, SOCK_RAW, 0);
  if (handle < 0) fail("AF_PACKET", strerror(errno));
  int one = 1, room = 8 << 20;
  struct sockaddr_ll link = {.sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(words[1])};
  if (!link.sll_ifindex) fail(words[1], "no such interface");
  if (bind(handle, (struct sockaddr *)&link, sizeof link)) fail(words[1], strerror(errno));
  int bypasses = !setsockopt(handle, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof one);
  setsockopt(handle, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room);

  struct mmsghdr messages[kBatch];
  memset(messages, 0, sizeof messages);
  uint64_t sent = 0, refused = 0;
  double longest = 0, start = now(), last = start;
  while (sent < wanted) {
    uint64_t due = wanted;
    if (rate > 0) {
      double time = now(), pause = time - last;
      due = (uint64_t)((time - start) * rate);
      if (due > wanted) due = wanted;
      // A core that was taken away is not made up for by a burst: the clock is set back instead.
      if (pause > 0.002) {
        if (pause > longest) longest = pause;
        start += pause - 0.002;
        due = (uint64_t)((time - start) * rate);
      }
      last = time;
    }
    while (sent < due) {
      unsigned most = due - sent < kBatch ? (unsigned)(due - sent) : kBatch;
      for (unsigned i = 0; i < most; i++) {
        messages[i].msg_hdr.msg_iov = &packets[(sent + i) % count];
        messages[i].msg_hdr.msg_iovlen = 1;
      }
      int done = sendmmsg(handle, messages, most, 0);
      if (done > 0) sent += (uint64_t)done;
      else if (errno == ENOBUFS || errno == EAGAIN || errno == EINTR) refused++;
      else fail("sendmmsg", strerror(errno));
      if (rate > 0 && now() - last > 0.002) break;
    }
  }
  double took = now() - start;
  printf("{\"sent\": %llu, \"seconds\": %.4f, \"rate\": %.0f, \"mean_bytes\": %.1f, \"refused\": %llu, "
         "\"longest_pause_ms\": %.1f, \"bypasses_qdisc\": %s, \"capture_packets\": %zu}\n",
         (unsigned long long)sent, took, (double)sent / took, (double)bytes / (double)count,
         (unsigned long long)refused, longest * 1e3, bypasses ? "true" : "false", count);
  return 0;
}
