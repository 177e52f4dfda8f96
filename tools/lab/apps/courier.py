"""Apple's courier connection: the lab's own client and server (tools/lab/Courier), steered act by act."""

import random

from apps import App as Base
from network import LabError
from scenario import Lengths
from stage import HERE

HOSTS = ("18-courier2.push.apple.com", "7-courier.push.apple.com")
PROGRAM = HERE / "Courier/.build/release/courier"
# What a batch draws from: apps' alerts by weight, and one person who writes.
BATCH_ALERTS = {"short": 10, "chat": 12, "rich": 6, "silent": 4}
BATCH_TOPICS = ("com.example.news", "com.example.mail", "com.example.chat", "com.example.shop", "com.example.games")
BATCH_PERSON = "carol"
SERVER_NAMES = ("courier2.push.apple.com", "courier.push.apple.com")


class App(Base):
    software = "The courier's TLS and TCP: SwiftNIO and BoringSSL at both ends, over Linux's TCP"
    modelled = ("What couriers and phones say inside TLS: commands, fields, both framings and their caches follow "
                "published descriptions of the protocol; the bytes of ciphertexts, keys and tokens are random. The hello "
                "is BoringSSL's with the courier's names and ALPN, not that of an Apple device; the server answers "
                "`apns-pack-v1` without the cache sizes that Apple's adds, which no stock TLS client would accept; each "
                "message is one TLS record")

    def __init__(self, stage, settings):
        super().__init__(stage, settings)
        self.hosts = [stage.host(name) for name in HOSTS]
        self.phones, self.server = {}, None
        self.roles = self.settings.get("phones", ["phone"])
        # Scripts of messages by their names, for those whose script a scenario says.
        self.scripts, self.batches = {}, 0

    def start_servers(self):
        pem, key = self.stage.certificate(self.hosts[0])
        addresses = [part for h in self.hosts for a in h.addresses for part in ("--address", a)]
        self.server = self.stage.agent(
            "internet", "courier-server", PROGRAM, "server", *addresses, "--port", 5223, "--port", 443, "--certificate",
            pem, "--key", key, "--keys", self.stage.keys("courier-server"), "--seed", self.stage.seed,
            # Travels encrypted, so it is the address of the finished sample.
            *(("--relay", self.settings["relay"]) if "relay" in self.settings else ()))
        # The other phone is on another network; its connections are there before the capture and not in it.
        for role in self.roles:
            if role != "phone":
                self.start_phone(role)
                self.do_connect(role)

    def start_clients(self):
        self.start_phone("phone")

    def start_phone(self, role):
        self.phones[role] = self.stage.agent(
            role, f"courier-{role}", PROGRAM, "phone", "--name", role, "--seed", self.stage.seed, "--authority",
            self.stage.authority, "--keys", self.stage.keys(f"courier-{role}"))

    def act(self, do, **fields):
        begin = len(self.stage.truth)
        answer = super().act(do, **fields)
        # What one act set off is over before the next begins: the same seed then gives the same truth.
        self.settle()
        for line in self.stage.truth[begin:]:
            if "text_length" in line and line.get("message") in self.scripts:
                line["script"] = self.scripts[line["message"]]
        return answer

    def settle(self):
        for phone in self.phones.values():
            phone.ask("settle")
        if self.server:
            self.server.ask("settle")

    def phone(self, name):
        if name not in self.phones:
            raise LabError(f"no courier runs on '{name}'; the app's 'phones' says where")
        return self.phones[name]

    def do_connect(self, phone="phone", host=0, version=6, **fields):
        """The phone asks DNS for a numbered host, as phones do; the name in its hello has no number."""
        fields = self.settings.get("connect", {}) | fields
        version = fields.pop("version", version)
        address = self.address(phone, host, version)
        # Where a redirect leads: the lab tells the phone, which a device would ask of DNS.
        redirects = {h.name: h.v6 if version == 6 else h.v4 for h in self.hosts}
        fields = {"port": 5223, "sni": SERVER_NAMES[host], "framing": "pack", "tls": "1.3", "redirects": redirects} | fields
        self.phone(phone).ask("connect", address=address, **fields)

    def address(self, phone, host, version):
        answer = self.stage.run(phone, "dig", "+short", HOSTS[host], "AAAA" if version == 6 else "A").split()
        if not answer:
            raise LabError(f"DNS has no address for {HOSTS[host]}")
        return answer[-1]

    def do_disconnect(self, phone="phone", how="close"):
        self.phone(phone).ask("disconnect", how=how)

    # The chat verbs that scenario.py's dialogues use

    def do_text(self, sender, to, characters, **fields):
        self.message(sender, to, "text", characters=characters, **fields)

    def do_typing_start(self, sender, to, **fields):
        self.message(sender, to, "typing_start", **fields)

    def do_typing_stop(self, sender, to, **fields):
        self.message(sender, to, "typing_stop", **fields)

    def do_read(self, sender, to, **fields):
        self.message(sender, to, "read", **fields)

    def do_tapback(self, sender, to, **fields):
        self.message(sender, to, "tapback", **fields)

    def do_edit(self, sender, to, characters, **fields):
        self.message(sender, to, "edit", characters=characters, **fields)

    def do_attachment(self, sender, to, **fields):
        self.message(sender, to, "attachment", **fields)

    def message(self, sender, to, kind, **fields):
        """From one of the lab's phones; or, from a person who has none here, played by the server."""
        fields = self.settings.get("messages", {}) | fields
        if sender in self.phones:
            answer = self.phone(sender).ask("imessage", to=to, kind=kind, **fields)
        else:
            # What this person's own further devices get does not pass here.
            fields.pop("own_devices", None)
            answer = self.server.ask("incoming", phone=to, **{"from": sender}, kind=kind, **fields)
        if "script" in fields:
            self.scripts[answer["message"]] = fields["script"]

    def do_batch(self, messages, imessage=0.05, phone="phone"):
        """So many messages, none of which is waited for: alerts, and a share of iMessage texts, half of them sent.

        For connections that are to be long. In which order acks and texts leave is not the same in two runs.
        """
        self.batches += 1
        draw = random.Random(f"{self.stage.seed}/batch/{self.batches}")
        alert, chat = Lengths("alert-body"), Lengths("chat-message")
        for _ in range(messages):
            if draw.random() >= imessage:
                kind = draw.choices(list(BATCH_ALERTS), list(BATCH_ALERTS.values()))[0]
                self.server.ask("notify", phone=phone, topic=draw.choice(BATCH_TOPICS), kind=kind, wait=False,
                                characters=0 if kind == "silent" else round(alert.draw(draw)))
            else:
                ends = (phone, BATCH_PERSON) if draw.random() < 0.5 else (BATCH_PERSON, phone)
                self.do_text(*ends, characters=round(chat.draw(draw)), wait=False)

    # What else a phone says on its courier connection

    def do_lookup(self, phone="phone", **fields):
        self.phone(phone).ask("lookup", **fields)

    def do_authorize_upload(self, phone="phone", **fields):
        self.phone(phone).ask("authorize_upload", **fields)

    def do_authorize_download(self, phone="phone", **fields):
        self.phone(phone).ask("authorize_download", **fields)

    def do_facetime(self, sender, to, act, **fields):
        self.phone(sender).ask("facetime", to=to, act=act, **fields)

    def do_facetime_relay(self, phone="phone", **fields):
        self.phone(phone).ask("facetime_relay", **fields)

    def do_status(self, phone="phone", kind="alloy", **fields):
        self.phone(phone).ask("status", kind=kind, **fields)

    def do_ask_keepalive(self, phone="phone", **fields):
        """The phone's own keep-alive, which the server answers."""
        self.phone(phone).ask("keepalive", **fields)

    def do_filter(self, phone="phone", **fields):
        self.phone(phone).ask("filter", **fields)

    def do_scoped_token(self, phone="phone", **fields):
        self.phone(phone).ask("scoped_token", **fields)

    # What the server does

    def do_notify(self, phone="phone", **fields):
        self.server.ask("notify", phone=phone, **fields)

    def do_keepalive(self, phone="phone", **fields):
        """The server's keep-alive; `ask_keepalive` is the phone's."""
        self.server.ask("keepalive", phone=phone, **fields)

    def do_flush(self, phone="phone", sizes=(64, 128, 256, 512)):
        self.server.ask("flush", phone=phone, sizes=list(sizes))

    def do_redirect(self, phone="phone", host=1):
        """The courier sends the phone to another host, where it connects anew."""
        self.server.ask("redirect", phone=phone, host=HOSTS[host])
        self.phone(phone).ask("reconnected")

    def do_drop(self, phone="phone", how="close"):
        self.server.ask("drop", phone=phone, how=how)
