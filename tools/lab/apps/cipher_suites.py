"""One short connection for each way of protecting records: OpenSSL at both ends, known text in known records."""

from apps import App as Base

HOST = "old.example.com"
# Bytes of each record: one, and those around a block's end.
TO_SERVER, TO_CLIENT = (1, 15, 16, 47, 200), (16, 64, 5, 120, 300)
SENTENCE = "the quick brown fox jumps over the lazy dog, and nobody who listens is to know of it. "


def text(direction, number, size):
    """The text of a record: the same words each time, with the record's number before them."""
    return (f"{number} {direction}: " + SENTENCE * (size // len(SENTENCE) + 1))[:size]


def steps(to_server, to_client, updates):
    """Records in turn, the client first; with `updates`, KeyUpdates of both sides between them."""
    found = []
    for number, sizes in enumerate(zip(to_server, to_client), 1):
        for direction, size in zip(("to_server", "to_client"), sizes):
            found.append({"direction": direction, "text": text(direction, number, size)})
        # The client asks for the server's new key, too; later the server changes its own only.
        if updates and number in (1, 3):
            found.append({"update": "to_server" if number == 1 else "to_client", "requested": number == 1})
    return found


class App(Base):
    software = "TLS of the cipher suites: OpenSSL's library at both ends, each record one call of it"
    modelled = "What the connections of the cipher suites carry is a sentence"

    def __init__(self, stage, settings):
        super().__init__(stage, settings)
        self.host = stage.host(HOST)
        self.server = self.client = None
        self.version = []

    def start_servers(self):
        self.server = self.stage.python_agent("internet", "cipher-suites-server", "apps/cipher_suites_agent.py", "server",
                                              self.host.v4)
        self.version = [f"OpenSSL {self.server.ask('version')['version']}"]

    def start_clients(self):
        self.client = self.stage.python_agent("phone", "cipher-suites-client", "apps/cipher_suites_agent.py", "client",
                                              self.host.name)

    def do_connection(self, tls, suite, key="ec", etm=True, tickets=True, updates=False, keep=None, resume=None,
                      server_groups=None, early=(), early_data=0, padding=0, large=False):
        """`keep` names a session that a later connection may `resume`, with the same settings; `early` are bytes of each
        record of early data, which a ticket of a connection with `early_data` allows."""
        pem, secret = self.stage.certificate(self.host, key)
        both = {"tls": tls, "suite": suite, "etm": etm, "tickets": tickets, "padding": padding}
        server = both | {"certificate": [str(pem), str(secret)], "groups": server_groups, "early_data": early_data}
        # The client's first group has its share in the hello; where the server wants the second, it says HelloRetryRequest.
        client = both | {"authority": str(self.stage.authority), "groups": "X25519:P-256"}
        extra = (16_384,) if large else ()
        talk = {"steps": steps(TO_SERVER + extra, TO_CLIENT + extra, updates),
                "early": [{"text": text("early", n, size)} for n, size in enumerate(early, 1)]}
        self.server.ask("expect", settings=server, resumed=resume is not None, **talk)
        self.client.ask("connection", address=self.host.v4, settings=client, resume=resume, keep=keep, **talk)
        self.server.ask("over")

    def versions(self):
        return self.version
