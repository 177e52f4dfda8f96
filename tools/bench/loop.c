// The yardstick: what libpcap costs when nothing is done with the packets.
#include <pcap/pcap.h>
#include <stdio.h>

int main(int count, char **arguments) {
  char problem[PCAP_ERRBUF_SIZE];
  if (count != 2) { fprintf(stderr, "usage: loop FILE\n"); return 2; }
  pcap_t *capture = pcap_open_offline_with_tstamp_precision(arguments[1], PCAP_TSTAMP_PRECISION_NANO, problem);
  if (!capture) { fprintf(stderr, "loop: %s\n", problem); return 1; }
  struct pcap_pkthdr *header;
  const u_char *bytes;
  unsigned long long packets = 0, total = 0;
  int result;
  while ((result = pcap_next_ex(capture, &header, &bytes)) == 1) {
    packets++;
    total += header->len + bytes[0] % 2;
  }
  if (result != PCAP_ERROR_BREAK) { fprintf(stderr, "loop: %s\n", pcap_geterr(capture)); return 1; }
  printf("%llu packets, %llu bytes\n", packets, total);
  pcap_close(capture);
  return 0;
}
