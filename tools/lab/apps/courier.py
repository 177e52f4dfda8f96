"""Apple's courier connection: the lab's own client and server (tools/lab/Courier), steered act by act."""

import pathlib

from apps import App as Base
from network import run
from stage import HERE

HOSTS = ("18-courier2.push.apple.com", "7-courier.push.apple.com")
PROGRAM = HERE / "Courier/.build/release/courier"


class App(Base):
    software = ("The courier's TLS and TCP: SwiftNIO and BoringSSL at both ends, two connections of Linux's own TCP")
    modelled = ("What the couriers and phones say inside TLS: commands, fields, both framings and their caches follow "
                "published descriptions of the protocol, the bytes of ciphertexts, keys and tokens are random; the hello "
                "is BoringSSL's with the courier's names and ALPN, not that of an Apple device; the server answers "
                "`apns-pack-v1` without the cache sizes that Apple's adds, which no stock TLS client would accept; each "
                "message is one TLS record")
    needs = {}

    def __init__(self, stage, settings):
        super().__init__(stage, settings)
        self.hosts = [stage.host(name) for name in HOSTS]
        self.phones = {}

    def start_servers(self):
        pem, key = self.stage.certificate(self.hosts[0])
        addresses = [part for h in self.hosts for a in h.addresses for part in ("--address", a)]
        self.server = self.stage.agent(
            "internet", "courier-server", PROGRAM, "server", *addresses, "--port", 5223, "--port", 443, "--certificate",
            pem, "--key", key, "--keys", self.stage.keys("courier-server"), "--seed", self.stage.number("courier", "server"))

    def start_clients(self):
        for role in self.settings.get("phones", ["phone"]):
            self.phones[role] = self.stage.agent(
                role, f"courier-{role}", PROGRAM, "phone", "--name", role, "--seed", self.stage.number("courier", role),
                "--authority", self.stage.authority, "--keys", self.stage.keys(f"courier-{role}"))

    def address(self, role, host, version):
        """The phone asks DNS for its courier, as a phone does; the name in its hello is another."""
        name = HOSTS[host]
        kind = "AAAA" if version == 6 else "A"
        answer = self.stage.run(role, "dig", "+short", name, kind).split()
        return answer[-1]

    def do_connect(self, phone="phone", host=0, version=6, **fields):
        fields = self.settings.get("connect", {}) | fields
        address = self.address(phone, host, fields.pop("version", version))
        self.phones[phone].ask("connect", address=address, timeout=60, **fields)
