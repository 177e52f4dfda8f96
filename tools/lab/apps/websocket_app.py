"""What apps whose messages ride a WebSocket over TLS share."""

from apps import App as Base


class WebSocketApp(Base):
    """A subclass says its name, its host and the path."""

    name, host_name, path = "", "", "/"

    def __init__(self, stage, settings):
        super().__init__(stage, settings)
        self.host = stage.host(self.host_name)

    def start_servers(self):
        pem, key = self.stage.certificate(self.host)
        self.server = self.stage.python_agent(
            "internet", f"{self.name}-server", "apps/websocket_agent.py", "server", self.name, self.stage.number(self.name),
            ",".join(self.host.addresses), pem, key)
        self.stage.wait_for_port(self.host, 443)

    def start_clients(self):
        self.client = self.stage.python_agent("phone", f"{self.name}-phone", "apps/websocket_agent.py", "client", self.name,
                                              self.stage.number(self.name))

    def do_connect(self):
        self.client.ask("connect", url=f"wss://{self.host.name}{self.path}")

    def do_ping(self):
        self.client.ask("ping")

    def do_close(self):
        self.client.ask("close")

    def do_text(self, sender, to, characters, **_):
        """What goes up comes back as the service's word that it was taken."""
        first, second = (self.client, self.server) if sender == "phone" else (self.server, self.client)
        self.passed(first, second, "message", characters)
        if sender == "phone":
            self.passed(second, first, "reply", 0)

    def do_typing_start(self, sender, to, **_):
        ends = (self.client, self.server) if sender == "phone" else (self.server, self.client)
        self.passed(*ends, "typing", 0)

    def do_typing_stop(self, sender, to, **_):
        self.do_typing_start(sender, to)

    def do_read(self, sender, to, **_):
        ends = (self.client, self.server) if sender == "phone" else (self.server, self.client)
        self.passed(*ends, "mark", 0)

    @staticmethod
    def passed(first, second, kind, characters):
        before = second.ask("arrived")["arrived"]
        first.ask("send", kind=kind, characters=characters)
        second.ask("wait", count=before + 1)
