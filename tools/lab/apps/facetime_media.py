"""Media of a FaceTime-shaped call between the phone and its friend, direct or by a relay known by address only.

Ports and the shape on the wire: Apple Support 103229 (UDP 3478-3497, 16384-16387, 16393-16402), blog.krisk.org 2013
(STUN and RTP with payload type 104 on one port, 16402 at both ends), rustpush src/facetime.rs (relays by address).
"""

from apps import App as Base, together
from network import LabError
from stage import FRIEND, PHONE

RELAY = "relay-1.facetime.invalid"


class App(Base):
    software = "FaceTime-shaped media: UDP sockets of Linux"
    modelled = ("The media packets of FaceTime-shaped calls (STUN and RTP on one port) are our own after published "
                "observations of 2013; what current systems send is not published")

    def __init__(self, stage, settings):
        super().__init__(stage, settings)
        self.relay_host = stage.host(RELAY)

    def start_servers(self):
        self.relay = self.stage.python_agent("internet", "facetime-relay", "apps/facetime_media_agent.py", "relay",
                                             self.relay_host.v4)
        self.friend = self.stage.python_agent("friend", "facetime-friend", "apps/facetime_media_agent.py", "end",
                                              self.stage.number("facetime", "friend"))

    def start_clients(self):
        self.phone = self.stage.python_agent("phone", "facetime-phone", "apps/facetime_media_agent.py", "end",
                                             self.stage.number("facetime", "phone"))

    def do_call(self, seconds, path="direct", video=False):
        if path == "direct":
            ends = [(self.phone, PHONE[0], 16402, FRIEND[0], 16402), (self.friend, FRIEND[0], 16402, PHONE[0], 16402)]
            self.stage.told("facetime", "flow", {
                "proto": "UDP", "local": f"{PHONE[0]}:16402", "remote": f"{FRIEND[0]}:16402", "tag": "calling",
                "service": "FaceTime", "name": "FaceTime-shaped media, direct"})
        elif path == "relay":
            self.relay.ask("forget")
            relay = self.relay_host.v4
            ends = [(self.phone, PHONE[0], 16393, relay, 3478), (self.friend, FRIEND[0], 16394, relay, 3478)]
        else:
            raise LabError(f"a call goes 'direct' or by 'relay', not '{path}'")
        together([lambda e=e: e[0].ask("prepare", local=e[1], port=e[2], remote=e[3], remote_port=e[4]) for e in ends])
        answers = together([
            lambda e=e: e[0].ask("send", timeout=seconds + 20, seconds=seconds,
                                 video={"on": video, "opens": e[0] is self.phone}) for e in ends])
        for name, answer in zip(("phone", "friend"), answers):
            if not answer["received"]:
                raise LabError(f"no media came to the {name}")
        for end in ends:
            end[0].ask("finish")
