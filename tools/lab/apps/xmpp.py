"""XMPP: Prosody as the server, slixmpp on the phone and on the friend's."""

import re
import shutil

from apps import App as Base
from network import LabError, run

HOST = "xmpp.example.org"
PASSWORD = "lab"


class App(Base):
    software = "XMPP: Prosody, and slixmpp at both ends (STARTTLS, chat states, receipts)"
    modelled = "Texts are random words"
    needs = {"prosody": "prosody", "prosodyctl": "prosody"}

    def __init__(self, stage, settings):
        super().__init__(stage, settings)
        self.host = stage.host(HOST)
        self.ends = {}

    def start_servers(self):
        stage, folder = self.stage, self.stage.folder / "prosody"
        folder.mkdir()
        pem, key = stage.certificate(self.host)
        listen = ", ".join(f'"{a}"' for a in self.host.addresses)
        configuration = folder / "prosody.cfg.lua"
        configuration.write_text(f"""
run_as_root = true
pidfile = "{folder}/prosody.pid"
data_path = "{folder}"
interfaces = {{ {listen} }}
modules_enabled = {{ "roster", "saslauth", "tls", "disco", "ping", "carbons", "posix" }}
modules_disabled = {{ "s2s" }}
c2s_require_encryption = true
authentication = "internal_hashed"
log = {{ info = "*console" }}
certificates = "{folder}"
VirtualHost "{HOST}"
  ssl = {{ certificate = "{pem}", key = "{key}" }}
""", encoding="ascii")
        for user in ("phone", "friend"):
            stage.run("internet", "prosodyctl", "--root", "--config", configuration, "register", user, HOST, PASSWORD)
        stage.start("internet", "prosody", "-F", "--config", configuration)
        stage.wait_for_port(self.host, 5222)
        self.start("friend")
        self.ends["friend"].ask("connect")

    def start_clients(self):
        self.start("phone")

    def start(self, role):
        self.ends[role] = self.stage.python_agent(role, f"xmpp-{role}", "apps/xmpp_agent.py", f"{role}@{HOST}", PASSWORD,
                                                  self.stage.number("xmpp", role))

    def do_connect(self):
        self.ends["phone"].ask("connect")

    def do_close(self):
        self.ends["phone"].ask("close")

    def passed(self, sender, to, kind, **fields):
        """One message, until the other end has it and, for a text, its receipt has come back."""
        if sender not in self.ends or to not in self.ends:
            raise LabError(f"xmpp knows phone and friend, not '{sender}' and '{to}'")
        before = self.ends[to].ask("arrived")["arrived"], self.ends[sender].ask("arrived")["arrived"]
        self.ends[sender].ask("send", to=f"{to}@{HOST}", kind=kind, **fields)
        self.ends[to].ask("wait", count=before[0] + 1)
        if kind == "text":
            self.ends[sender].ask("wait", count=before[1] + 1)

    def do_text(self, sender, to, characters, **_):
        self.passed(sender, to, "text", characters=characters)

    def do_typing_start(self, sender, to, **_):
        self.passed(sender, to, "composing")

    def do_typing_stop(self, sender, to, **_):
        self.passed(sender, to, "paused")

    def do_read(self, sender, to, **_):
        """A displayed marker (XEP-0333)."""
        self.passed(sender, to, "displayed")

    def do_ping(self):
        self.ends["phone"].ask("ping")

    def versions(self):
        if not shutil.which("prosodyctl"):
            return []
        number = re.search(r"Prosody (\d[\d.]*)", run("prosodyctl", "--root", "about", check=False))
        return [f"Prosody {number[1]}"] if number else []
