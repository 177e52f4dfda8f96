"""The rules: what a box on the access network can tell the kernel's own filters to do with what it flags.

`UP` and `DOWN` are the access network's port to the phones, as packets enter and leave it. Lengths are those of the
courier's records (SIZES.md): a sent text has 427 to 744 bytes of plaintext, a received one 440 to 650 in its usual
forms, and a record says its plaintext and 17 more.
"""

import dataclasses

UP, DOWN = "-i phone0", "-o phone0"
PORTS = "5223,443"
QUEUE = 5
# What the length field of a TLS 1.3 record adds to the plaintext: the type's byte and the tag (RFC 8446, section 5.2).
RECORD_EXTRA = 17
# IPv4 and TCP headers with timestamps, and the record's own header.
PACKET_EXTRA = 20 + 32 + 5
SENT = (427 + RECORD_EXTRA, 783 + RECORD_EXTRA)
RECEIVED = (440 + RECORD_EXTRA, 650 + RECORD_EXTRA)
# From the IP header over its length to TCP's, over its length to the payload.
PAYLOAD = "0>>22&0x3C@12>>26&0x3C@"


def record(low, high):
    """u32's words for a segment that begins with an application-data record of these lengths."""
    return f'-m u32 --u32 "{PAYLOAD}0>>8=0x170303 && {PAYLOAD}1&0xFFFF={low}:{high}"'


def upstream(match=""):
    return f"{UP} -p tcp -m multiport --dports {PORTS} {match}".strip()


def downstream(match=""):
    return f"{DOWN} -p tcp -m multiport --sports {PORTS} {match}".strip()


def forward(words, table=""):
    return f"iptables {table and f'-t {table} '}-A FORWARD {words}"


@dataclasses.dataclass(frozen=True)
class Rule:
    """One rule. `unit` is what it acts on: record, connection, port, address or name."""

    name: str
    title: str
    what: str
    unit: str
    commands: tuple = ()
    # What the program behind NFQUEUE does (packet_queue.py), or nothing.
    queue: str = ""
    # Whether the courier resets all connections as the rule begins, because the rule only meets new ones.
    reconnect: bool = False
    notes: str = ""


FLAGGED = upstream(record(*SENT))
RESET = "-j REJECT --reject-with tcp-reset"
MARKED = "-m connmark --mark 1"
NAME = '-m string --algo bm --icase --string "push.apple.com"'
BLOCK_NAME = upstream(NAME)


def rules(addresses):
    """All rules in the order of the table; `addresses` are the couriers'."""
    couriers = ",".join(addresses)
    return [
        Rule("control", "no rule", "nothing; shows what the lab and the machine's other work cost by themselves", "none"),
        Rule("drop-send", "drop sent records",
             "drops each segment from the phone that begins with a record as long as a sent text, copies as well: the "
             "TCP stream of that direction stands still", "record", (forward(f"{FLAGGED} -j DROP"),),
             notes="What goes to the phone still arrives, as TCP's acknowledgements are no records; the phone gives the "
             "connection up when its patience ends, and gets another."),
        Rule("drop-send-once", "drop sent records once",
             "drops the first copy of such a segment and lets TCP's copies pass", "record",
             (forward(f"{FLAGGED} -j NFQUEUE --queue-num {QUEUE}"),), queue="once"),
        Rule("drop-send-half", "drop half of the sent records",
             "drops each copy of such a segment with probability 0.5", "record",
             (forward(f"{FLAGGED} -m statistic --mode random --probability 0.5 -j DROP"),)),
        Rule("delay-send", "hold sent records for 3 s", "keeps each such segment for 3 seconds", "record",
             (forward(f"{FLAGGED} -j NFQUEUE --queue-num {QUEUE}"),), queue="delay"),
        Rule("best-rule", "drop sent records, not after a connect",
             "drops, copies as well, what begins with a record of at least 444 bytes from the phone, except in the first "
             "5 seconds of a connection: the rule with the fewest false alarms", "record",
             (forward(f"{upstream()} -j NFQUEUE --queue-num {QUEUE}"),), queue="best",
             notes="After the break the phone sends the message again within those 5 seconds, and it gets through: late, "
             "not lost."),
        Rule("drop-incoming", "drop received records",
             "drops each packet to the phone that is as long as one with a received text, copies as well", "record",
             (forward(f"{downstream(f'-m length --length {RECEIVED[0] + PACKET_EXTRA}:{RECEIVED[1] + PACKET_EXTRA}')} "
                      "-j DROP"),),
             notes="After the reconnect the packet with TLS 1.3's session tickets is as long, and is dropped: the courier's "
             "answer behind it is never read, and the lab's phone, whose connect stalls there, stays away. Sent iMessages are hit "
             "because it waits for the courier's word, which comes no more, before it sends the next."),
        Rule("drop-incoming-once", "drop received records once",
             "drops the first copy of a segment to the phone that begins with a record as long as a received text", "record",
             (forward(f"{downstream(record(*RECEIVED))} -j NFQUEUE --queue-num {QUEUE}"),), queue="once"),
        Rule("delay-incoming", "hold received records for 3 s",
             "keeps each segment to the phone that begins with a record as long as a received text for 3 seconds", "record",
             (forward(f"{downstream(record(*RECEIVED))} -j NFQUEUE --queue-num {QUEUE}"),), queue="delay"),
        Rule("reset-send", "reset on a sent record",
             "answers a sent record with a TCP reset to the phone, and what follows on that connection with resets both ways",
             "connection",
             (forward(f"{FLAGGED} -j CONNMARK --set-mark 1", "mangle"), forward(f"-p tcp {MARKED} {RESET}")),
             notes="The phone is back after a second, what is stored arrives, and the message that is sent again brings the "
             "next reset."),
        Rule("reset-incoming", "reset on a received record",
             "answers a record as long as a received text with a TCP reset to the courier, and what follows on that "
             "connection with resets both ways", "connection",
             (forward(f"{downstream(record(*RECEIVED))} -j CONNMARK --set-mark 1", "mangle"),
              forward(f"-p tcp {MARKED} {RESET}")),
             notes="The stored message brings the next reset before the connection is complete: failed connects, not breaks."),
        Rule("blackhole-send", "drop the connection after a sent record",
             "a sent record marks its connection; the record and all that follows, both ways, is dropped", "connection",
             (forward(f"{FLAGGED} -j CONNMARK --set-mark 1", "mangle"), forward(f"{MARKED} -j DROP"))),
        Rule("cut-after-bytes", "freeze a connection after 16 KiB",
             "drops all packets of a connection that has carried 16,384 bytes, both directions counted", "connection",
             (forward("-p tcp -m connbytes --connbytes 16384: --connbytes-dir both --connbytes-mode bytes -j DROP"),)),
        Rule("block-port-drop", "drop port 5223", "drops all packets to and from port 5223; 443 stays open", "port",
             (forward(f"{UP} -p tcp --dport 5223 -j DROP"), forward(f"{DOWN} -p tcp --sport 5223 -j DROP"))),
        Rule("block-port-reset", "reset port 5223", "answers what goes to port 5223 with a TCP reset; 443 stays open", "port",
             (forward(f"{UP} -p tcp --dport 5223 {RESET}"), forward(f"{DOWN} -p tcp --sport 5223 {RESET}"))),
        Rule("block-address", "drop the couriers' addresses", "drops all packets to and from the couriers", "address",
             (forward(f"{UP} -d {couriers} -j DROP"), forward(f"{DOWN} -s {couriers} -j DROP"))),
        Rule("block-name", "drop hellos to push.apple.com",
             "drops packets to the couriers' ports that hold the name push.apple.com in the clear; connections that stand "
             "are left alone", "name", (forward(f"{BLOCK_NAME} -j DROP"),),
             notes="It waits for the next connect; the next rule shows that."),
        Rule("block-name-reconnect", "drop hellos to push.apple.com, after a break",
             "the same, and as the rule begins every connection is reset by the courier, so that phones have to say "
             "hello again", "name", (forward(f"{BLOCK_NAME} -j DROP"),), reconnect=True),
        Rule("reset-name-reconnect", "reset hellos to push.apple.com, after a break",
             "as before, with a TCP reset in place of the drop", "name", (forward(f"{BLOCK_NAME} {RESET}"),), reconnect=True),
        Rule("nft-drop-send", "drop sent records (nftables)",
             "the rule drop-send in nftables' words: a check that not the tool makes the figures", "record",
             ("nft add table inet act",
              "nft 'add chain inet act forward { type filter hook forward priority 0; policy accept; }'",
              'nft add rule inet act forward iifname "phone0" tcp dport "{ 5223, 443 }" @ih,0,24 0x170303 '
              f"@ih,24,16 {SENT[0]}-{SENT[1]} counter drop"))]


# Run in the access network before anything connects, with or without a rule: connections are followed and counted.
BEFORE = ("sysctl -q -w net.netfilter.nf_conntrack_acct=1",
          "iptables -t mangle -A FORWARD -m conntrack --ctstate NEW,ESTABLISHED")
