"""HTTP/3 over QUIC: aioquic at both ends, and Chromium against aioquic."""

import ipaddress
import json
import time

from apps import App as Base
from apps.web import joined, start_browser, trust, version
from network import LabError

# What each host does: versions in the order of its preference, and whether it wants the client's address proved first.
HOSTS = {
    "www.example.com": {"versions": ["1", "2"], "retry": False},
    "static.example.net": {"versions": ["1", "2"], "retry": False},
    "retry.example.org": {"versions": ["1"], "retry": True},
    # It moves a client that began with version 1 but likes 2 better within the handshake (RFC 9368, section 2.3).
    "upgrade.example.org": {"versions": ["2", "1"], "retry": False},
    # It sends those who begin with version 1 a Version Negotiation packet.
    "only-v2.example.org": {"versions": ["2"], "retry": False},
}
# Those that Chromium visits: sites of the app `web`, whose files this server has too.
BROWSED = ("www.example.com", "static.example.net")
# DNS, RFC 9460
HTTPS, ALPN, IPV4_HINT, IPV6_HINT = 65, 1, 4, 6


class App(Base):
    software = ("QUIC: aioquic at both ends (TLS 1.3, HTTP/3, QPACK), and Chromium against aioquic; names from dnsmasq, with "
                "HTTPS records")
    modelled = ("QUIC: pages and files are words and random bytes; Chromium is told which origins speak QUIC "
                "(--origin-to-force-quic-on), because it believes Alt-Svc and DNS only for publicly known authorities; the "
                "large key share of aioquic's hello is random bytes of the length of X25519MLKEM768, Chromium's is a real one")
    needs = {"chromium": "chromium", "certutil": "libnss3-tools"}

    def __init__(self, stage, settings):
        super().__init__(stage, settings)
        self.hosts = {name: stage.host(name) for name in HOSTS}
        # Its browser is only there where it is used: it takes seconds to start.
        self.has_browser = self.settings.get("browser", True)
        lines = [record(host, ["h3", "h2"] if host.name in BROWSED else ["h3"]) for host in self.hosts.values()]
        stage.resolver_lines += lines
        self.server = self.client = self.browser = None
        self.acts = self.read = 0

    def start_servers(self):
        rows = []
        for name, host in self.hosts.items():
            pem, key = self.stage.certificate(host)
            rows.append({"name": name, "addresses": host.addresses, "certificate": str(pem), "key": str(key)} | HOSTS[name])
        self.server = self.stage.python_agent("internet", "quic-server", "apps/quic_server.py",
                                              json.dumps({"root": str(self.stage.folder / "web"), "hosts": rows}))

    def start_clients(self):
        role = self.settings.get("phone", "phone")
        self.client = self.stage.python_agent(role, "quic-client", "apps/quic_client.py")
        if self.has_browser:
            trust(self.stage)
            origins = ",".join(f"{name}:443" for name in BROWSED)
            self.browser = start_browser(self.stage, "quic-browser", role,
                                         ["--enable-quic", f"--origin-to-force-quic-on={origins}"])

    def versions(self):
        import aioquic
        return [f"aioquic {aioquic.__version__}"] + ([version("chromium", "--version")] if self.has_browser else [])

    # The verbs

    def do_get(self, host, bytes=0, upload=0, path=None, expect=None, **fields):
        """One request by aioquic: `bytes` come back, or `upload` bytes go there.

        `version` 1, 2 or reserved to begin with, `offers` the versions it knows, `family` 4 or 6, `hello` alpn, share or
        parameter for one that needs two datagrams, `resume` with the last ticket, `early` as 0-RTT, `keep` the
        connection for the next request, `move` a kept one to another port first. `expect` names what the connection must
        have become: version, early, resumed.
        """
        if host not in self.hosts:
            raise LabError(f"no host of this app is called '{host}'")
        self.acts += 1
        if "version" in fields:
            fields["version"] = str(fields["version"])
        if "offers" in fields:
            fields["offers"] = [str(v) for v in fields["offers"]]
        said = self.client.ask("request", timeout=60, host=host, path=path or f"/bytes/{bytes}",
                               method="POST" if upload else "GET", upload=upload, seed=self.stage.number("quic", self.acts),
                               **fields)
        if said["status"] != 200:
            raise LabError(f"{host}: status {said['status']}")
        for key, value in (expect or {}).items():
            found = int(said[key], 16) if key == "version" else said[key]
            if found != ({1: 0x1, 2: 0x6B3343CF}[value] if key == "version" else value):
                raise LabError(f"{host}: {key} is {said[key]}, not {value}")
        self.tell("http3.answer", 1)

    def do_browse(self, site="news", keep=False):
        """Chromium opens a page of the app `web` over QUIC."""
        if self.browser is None or not hasattr(self.stage, "web"):
            raise LabError("quic.browse needs the app 'web' in the scenario, and the setting 'browser' of 'quic' on")
        said = self.browser.ask("visit", timeout=60, url=f"https://{BROWSED[0]}/", keep=keep)
        over_quic = self.tell("http3.page", said["requests"], message=site, hosts=BROWSED)
        if said["requests"] > over_quic:
            # Third parties that speak HTTP/1.1 or HTTP/2 only.
            self.stage.web.tell("page", said["requests"] - over_quic, site)

    def tell(self, kind, requests, message=None, hosts=()):
        """What the server answered, one line a connection; gives how many answers there were.

        With `hosts`, `requests` are those of a page, and what others than these hosts answered is not waited for.
        """
        rows, deadline = [], time.monotonic() + (0.3 if hosts else 2)
        while time.monotonic() < deadline and len(rows) < requests:
            with self.stage.lock:
                rows = [e for e in self.stage.events if e["by"] == "quic-server" and e.get("what") == "answer"][self.read :]
            time.sleep(0.02)
        if not rows or (len(rows) != requests and not hosts) or any(h not in {r["host"] for r in rows} for h in hosts):
            raise LabError(f"QUIC's server gave {len(rows)} answers, {requests} requests were made")
        self.read += len(rows)
        connections = {}
        for row in rows:
            if row["status"] != 200:
                raise LabError(f"{row['host']}{row['path']}: status {row['status']}")
            connections.setdefault((*row["client"], *row["server"]), []).append(row)
        for (client, client_port, server, server_port), found in connections.items():
            self.stage.tell("quic", kind, real=min(r["sent"] for r in found), proto="UDP", local=joined(server, server_port),
                            remote=joined(client, client_port), direction="to_client", requests=len(found),
                            plaintext=sum(r["body"] for r in found), protocol="HTTP/3", version=found[0]["version"],
                            **({"message": message} if message else {}))
        return len(rows)


def record(host, protocols):
    """dnsmasq's line for an HTTPS record: the same name, these protocols, and hints of its addresses."""
    names = b"".join(bytes([len(p)]) + p.encode() for p in protocols)
    v4 = b"".join(ipaddress.ip_address(a).packed for a in host.addresses if ":" not in a)
    v6 = b"".join(ipaddress.ip_address(a).packed for a in host.addresses if ":" in a)
    data = b"\x00\x01\x00" + b"".join(key.to_bytes(2, "big") + len(value).to_bytes(2, "big") + value
                                      for key, value in ((ALPN, names), (IPV4_HINT, v4), (IPV6_HINT, v6)) if value)
    return f"dns-rr={host.alias or host.name},{HTTPS},{data.hex()}"
