"""What the apps with frames of their own share: a server, a client on the phone, and the verbs of a chat."""

from apps import App as Base


class FramedApp(Base):
    """A subclass says its transport, its host, and the port."""

    transport, host_name, port = "", "", 443
    # How a message is answered: by the server for one that goes up, by the phone for one that comes down.
    answers = {"text": ("ack", "receipt")}

    def __init__(self, stage, settings):
        super().__init__(stage, settings)
        self.host = stage.host(self.host_name)
        self.port = self.settings.get("port", self.port)

    def start_servers(self):
        secrets = self.stage.certificate(self.host) if self.settings.get("tls", self.transport == "fcm") else ()
        self.server = self.stage.python_agent(
            "internet", f"{self.transport}-server", "apps/framed_agent.py", self.transport, "server",
            self.stage.number(self.transport), ",".join(self.host.addresses), self.port, *secrets)

    def start_clients(self):
        self.client = self.stage.python_agent("phone", f"{self.transport}-phone", "apps/framed_agent.py", self.transport,
                                              "client", self.stage.number(self.transport))

    def do_connect(self, patience=10):
        self.client.ask("connect", host=self.place(), port=self.port, patience=patience)

    def place(self):
        return self.host.name

    def do_close(self):
        self.client.ask("close")

    def up(self, kind, characters=0, answer=None):
        """The phone sends, the server answers."""
        before = self.client.ask("arrived")["arrived"]
        self.sent_up(kind, characters)
        if answer:
            self.server.ask("send", kind=answer)
            self.client.ask("wait", count=before + 1)

    def sent_up(self, kind, characters):
        before = self.server.ask("arrived")["arrived"]
        self.client.ask("send", kind=kind, characters=characters)
        self.server.ask("wait", count=before + 1)

    def down(self, kind, characters=0, answer=None):
        """The server sends, the phone answers."""
        before = self.client.ask("arrived")["arrived"]
        self.server.ask("send", kind=kind, characters=characters)
        self.client.ask("wait", count=before + 1)
        if answer:
            self.sent_up(answer, 0)

    def exchange(self, sender, kind, characters=0):
        up, down = self.answers.get(kind, (None, None))
        if sender == "phone":
            self.up(kind, characters, up)
        else:
            self.down(kind, characters, down)

    def do_text(self, sender, to, characters, **_):
        self.exchange(sender, "text", characters)

    def do_typing_start(self, sender, to, **_):
        self.exchange(sender, "typing_start")

    def do_typing_stop(self, sender, to, **_):
        self.exchange(sender, "typing_stop")

    def do_read(self, sender, to, **_):
        self.exchange(sender, "read")

    def do_tapback(self, sender, to, **_):
        self.exchange(sender, "tapback")

    def do_ping(self):
        self.exchange("phone", "ping")
