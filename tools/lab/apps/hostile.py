"""What evades or misleads a parser: cut and forged segments, odd hellos, false names. All of it towards a web server."""

from apps import App as Base
from stage import HERE, PHONE

HOST = "www.example.org"
# In front of an encrypted hello.
PUBLIC = "public.example.net"
PORTS = (443, 80, 5223)


class App(Base):
    software = ("The server's TLS and TCP (OpenSSL by Python's ssl, Linux), and the client's TLS where a handshake is "
                "completed; TCP Fast Open by Linux; the encrypted hello by curl with BoringSSL, as Chrome sends it")
    modelled = ("Segments, fragments and some hellos are made by hand, to be what no kernel and no TLS library would send; "
                "nobody holds the key of the encrypted hello, so that the server completes the handshake under its public "
                "name and the client ends it there (RFC 9849, section 6.1.6)")
    needs = {"nft": "nftables"}

    def __init__(self, stage, settings):
        super().__init__(stage, settings)
        self.host = stage.host(HOST)
        # A lie of DNS: the courier's name leads to the web server.
        stage.resolver_lines += [f"host-record=99-courier.push.apple.com,{self.host.v4}"]

    def start_servers(self):
        pem, key = self.stage.certificate([HOST, PUBLIC])
        # Both ends of TCP Fast Open; the lab's servers do not offer it otherwise.
        for role in ("phone", "internet"):
            self.stage.lab.sysctl(self.stage.namespaces[role], "ipv4/tcp_fastopen", 3)
        self.stage.start("internet", self.stage.python, "apps/hostile_server.py", self.host.v4, pem, key, *PORTS,
                         cwd=HERE)
        for port in PORTS:
            self.stage.wait_for_port(self.host, port)
        # The kernel does not know the connections made by hand and would reset them.
        rules = """
            table inet lab {
              chain output {
                type filter hook output priority 0;
                tcp sport 61000-61999 tcp flags & rst == rst ip ttl 64 drop
              }
            }"""
        self.stage.run("phone", "nft", "-f", "-", text=rules)

    def start_clients(self):
        self.client = self.stage.python_agent("phone", "hostile-phone", "apps/hostile_agent.py",
                                              self.stage.number("hostile"), PHONE[0])

    def versions(self):
        import curl_cffi
        return [f"curl_cffi {curl_cffi.__version__}"]

    def do_trick(self, kind, name, port=443, server_name=HOST):
        self.client.ask("trick", kind=kind, name=name, port=port, server_name=server_name, address=self.host.v4, host=HOST,
                        public=PUBLIC)

    def do_lookup(self, name):
        self.stage.run("phone", "dig", "+short", name, "A")
