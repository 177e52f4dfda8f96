"""WhatsApp-shaped call media by a relay in Meta's blocks: its own STUN types and attributes, then RTP, on one port.

STUN types 0x0800 to 0x0802 and attributes 0x4000 to 0x4007: ntop/nDPI src/lib/protocols/stun.c. Order, sizes and pace
of the packets are assumed.
"""

from apps import App as Base, together
from network import LabError
from stage import FRIEND, PHONE

RELAY = "relay.whatsapp.invalid"


class App(Base):
    software = "WhatsApp-shaped calls: UDP sockets of Linux"
    modelled = ("The media packets of WhatsApp-shaped calls are our own: STUN with the types and attributes that nDPI's "
                "sources name, RTP with random payloads; sizes and pace are assumed")

    def __init__(self, stage, settings):
        super().__init__(stage, settings)
        self.relay_host = stage.host(RELAY)

    def start_servers(self):
        program = "apps/whatsapp_call_agent.py"
        self.relay = self.stage.python_agent("internet", "whatsapp-relay", program, "relay", self.relay_host.v4)
        self.friend = self.stage.python_agent("friend", "whatsapp-friend", program, "end",
                                              self.stage.number("whatsapp_call", "friend"))

    def start_clients(self):
        self.phone = self.stage.python_agent("phone", "whatsapp-call-phone", "apps/whatsapp_call_agent.py", "end",
                                             self.stage.number("whatsapp_call", "phone"))

    def do_call(self, seconds):
        self.relay.ask("forget")
        ends = ((self.phone, PHONE[0], True), (self.friend, FRIEND[0], False))
        together([lambda e=e: e[0].ask("prepare", local=e[1], remote=self.relay_host.v4) for e in ends])
        answers = together([lambda e=e: e[0].ask("send", timeout=seconds + 20, seconds=seconds, opens=e[2])
                                  for e in ends])
        if not all(answer["received"] for answer in answers):
            raise LabError("no media came through the relay")
        for end, _, _ in ends:
            end.ask("finish")
