"""SIP calls from the phone to its friend by baresip: INVITE, RTP and RTCP, BYE, all of it open (RFC 3261, RFC 3550)."""

from apps import App as Base
from apps.facetime_media import App as Media
from network import LabError
from stage import FRIEND, PHONE

NAME = "friend.example.net"
SIP_PORT, PHONE_MEDIA, FRIEND_MEDIA = 5060, 20000, 21000
CODECS = ("pcmu", "opus")


class App(Base):
    software = "SIP: baresip at both ends, without a provider between them; it finds the other end by DNS (NAPTR, SRV, A)"
    modelled = "What is heard in the SIP calls is a tone"
    needs = {"baresip": "baresip-core"}

    def __init__(self, stage, settings):
        super().__init__(stage, settings)
        self.calls = 0
        stage.resolver_lines += [f"host-record={NAME},{FRIEND[0]}"]

    def start_servers(self):
        self.friend = self.end("friend", FRIEND[0], "ben")
        self.friend.ask("start", codec="any", media=FRIEND_MEDIA)

    def start_clients(self):
        self.phone = self.end("phone", PHONE[0], "anna")

    def end(self, role, address, user):
        folder = self.stage.folder / f"baresip-{role}"
        return self.stage.python_agent(role, f"sip-{role}", "apps/sip_agent.py", folder, address, user)

    def do_call(self, seconds, codec="pcmu"):
        """The phone dials, the friend's agent answers by itself, the phone hangs up."""
        if codec not in CODECS:
            raise LabError(f"a SIP call's codec is one of {', '.join(CODECS)}, not '{codec}'")
        media = PHONE_MEDIA + 10 * self.calls
        self.calls += 1
        for mine, other, name in ((SIP_PORT, SIP_PORT, "SIP"), (media, FRIEND_MEDIA, "RTP of a SIP call"),
                                  (media + 1, FRIEND_MEDIA + 1, "RTCP of a SIP call")):
            self.stage.told("sip", "flow", {"proto": "UDP", "local": f"{PHONE[0]}:{mine}",
                                             "remote": f"{FRIEND[0]}:{other}", "tag": "calling", "service": "SIP" if name == "SIP" else None,
                                             "name": name})
        Media.together([
            lambda: self.phone.ask("call", timeout=seconds + 30, to=f"sip:ben@{NAME}", seconds=seconds, codec=codec,
                                   media=media, remote=[FRIEND[0], FRIEND_MEDIA]),
            lambda: self.friend.ask("answered", timeout=seconds + 30)])

    def versions(self):
        from network import run
        return [f"baresip {run('dpkg-query', '-W', '-f=${Version}', 'baresip-core', check=False) or 'of unknown version'}"]
