"""WebRTC calls between the phone and its friend: signalling over WebSocket and TLS, media direct or through coturn."""

from apps import App as Base
from apps.facetime_media import App as Media
from network import LabError

SIGNALLING, TURN = "call.example.net", "turn.example.net"
PROGRAM = "apps/webrtc_agent.py"
USER, PASSWORD = "lab", "lab-password"
PATHS = ("direct", "relay", "relay-tls")


class App(Base):
    software = ("WebRTC: aiortc at both ends (ICE, DTLS-SRTP, Opus, VP8), coturn as STUN and TURN server, signalling over "
                "WebSocket and TLS by the websockets library")
    modelled = ("What is heard and seen in the WebRTC calls is computed (syllables of a tone, a moving picture); Opus is set "
                "to 24 kbit/s and VP8 to 100 kbit/s to keep the sample small")
    needs = {"turnserver": "coturn"}

    def __init__(self, stage, settings):
        super().__init__(stage, settings)
        self.signalling, self.turn = stage.host(SIGNALLING), stage.host(TURN)
        self.calls = 0

    def start_servers(self):
        stage, turn = self.stage, self.turn
        pem, key = stage.certificate(turn)
        stage.start("internet", "turnserver", "-n", f"--listening-ip={turn.v4}", f"--relay-ip={turn.v4}",
                    "--listening-port=3478", "--tls-listening-port=443", f"--cert={pem}", f"--pkey={key}",
                    f"--realm={turn.name}", "--lt-cred-mech", f"--user={USER}:{PASSWORD}", "--fingerprint", "--no-cli",
                    "--no-dtls", "--no-rfc5780", "--log-file=stdout", "--simple-log", "--relay-threads=1",
                    f"--userdb={stage.folder}/turn.db", f"--pidfile={stage.folder}/turn.pid", "--proc-user=root",
                    "--proc-group=root")
        stage.wait_for_port(turn, 443)
        pem, key = stage.certificate(self.signalling)
        self.server = stage.python_agent("internet", "webrtc-signalling", PROGRAM, "signalling",
                                         ",".join(self.signalling.addresses), pem, key)
        self.friend = self.end("friend")

    def start_clients(self):
        self.phone = self.end("phone")

    def end(self, role):
        return self.stage.python_agent(role, f"webrtc-{role}", PROGRAM, "end", self.stage.number("webrtc", role), SIGNALLING,
                                       TURN, USER, PASSWORD)

    def do_call(self, seconds, path="relay", video=False):
        """The phone calls, the friend answers, the phone hangs up."""
        if path not in PATHS:
            raise LabError(f"a WebRTC call's path is one of {', '.join(PATHS)}, not '{path}'")
        self.calls += 1
        # Only the phone's own way to the relay is in the capture.
        ends = ((self.phone, path, True), (self.friend, "relay" if path == "relay-tls" else path, False))
        answers = Media.together([
            lambda e=e: e[0].ask("call", timeout=seconds + 40, room=f"room-{self.calls}", opens=e[2], path=e[1], video=video,
                                 seconds=seconds) for e in ends])
        for name, answer in zip(("phone", "friend"), answers):
            if not answer["audio"] or video and not answer["video"]:
                raise LabError(f"not all media of the WebRTC call came to the {name}")

    def versions(self):
        from importlib.metadata import version
        turn = self.stage.run("internet", "turnserver", "--version", check=False).split()
        return [f"aiortc {version('aiortc')}", f"websockets {version('websockets')}", *([f"coturn {turn[-1]}"] if turn else [])]
