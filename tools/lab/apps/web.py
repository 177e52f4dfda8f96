"""Web sites by nginx, visited by Chromium and curl."""

import json
import pathlib
import random
import re
import subprocess
import time

import yaml

from apps import App as Base
from apps import bodies
from network import LabError

HERE = pathlib.Path(__file__).resolve().parent
# The names of Chromium's options change; these are what it is started with for a page over TCP only.
WITHOUT_QUIC = ["--disable-quic"]
# Of each host a page takes one thing first and the others when it has come: a browser that does not know yet that a host
# speaks HTTP/2 would open as many connections as it has requests by then, another number each time.
LOADER = """
const tags = {style: ["link", "href"], script: ["script", "src"], image: ["img", "src"]};
function add([kind, url], then) {
  const [tag, name] = tags[kind], element = document.createElement(tag);
  if (kind == "style") element.rel = "stylesheet";
  if (then) element.onload = element.onerror = then;
  element[name] = url;
  (kind == "image" && document.body || document.head).append(element);
}
function load(hosts) {
  for (const [first, ...others] of hosts) add(first, () => others.forEach(other => add(other)));
}
"""
LOG = ("log_format lab escape=json '{\"msec\":$msec,\"took\":$request_time,\"client\":\"$remote_addr\","
       "\"client_port\":$remote_port,\"server\":\"$server_addr\",\"server_port\":$server_port,\"host\":\"$host\","
       "\"path\":\"$request_uri\",\"protocol\":\"$server_protocol\",\"body\":$body_bytes_sent,\"status\":$status}';")


class App(Base):
    software = "Web: nginx with OpenSSL, visited by Chromium without a window (its own DNS, TLS and HTTP) and by curl"
    modelled = ("Web: sites and their pages are made up of words and random bytes; what a page consists of follows the Web "
                "Almanac's medians, smaller (apps/web-sites.yaml says by how much); what a browser says without being "
                "asked is switched off")
    needs = {"nginx": "nginx", "chromium": "chromium", "certutil": "libnss3-tools", "curl": "curl"}

    def __init__(self, stage, settings):
        super().__init__(stage, settings)
        data = yaml.safe_load((HERE / "web-sites.yaml").read_text(encoding="utf-8"))
        self.kinds, self.sites, self.files = data["hosts"], data["sites"], data["files"]
        self.only = self.settings.get("sites", list(self.sites))
        unknown = [name for name in self.only if name not in self.sites]
        if unknown:
            raise LabError(f"web-sites.yaml has no site '{unknown[0]}'")
        wanted = {row["host"] for row in self.files}
        for site in (self.sites[name] for name in self.only):
            wanted |= {site["page"]["host"], *(part["host"] for part in site["parts"])}
        self.hosts = {name: stage.host(name) for name in self.kinds if name in wanted}
        self.root, self.log = stage.folder / "web", stage.folder / "web-access.log"
        self.browser, self.read = None, 0
        # A page over QUIC may have parts that come from here (apps/quic.py).
        stage.web = self

    # What the sites hold

    def put(self, host, path, kind, size):
        file = self.root / host / path.lstrip("/")
        if path.endswith("/"):
            file = file / "index.html"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(kind if isinstance(kind, bytes) else bodies.make(kind, size, self.stage.number("web", host, path))[1])

    def make_site(self, name, site):
        rng, hosts, page = random.Random(self.stage.number("web", name)), {}, site["page"]
        suffixes = {"style": "css", "script": "js", "image": "jpg"}
        for part in site["parts"]:
            for number in range(part["count"]):
                path = f"/{name}/{part['kind']}-{number}.{suffixes[part['kind']]}"
                self.put(part["host"], path, part["kind"], rng.randint(*part["bytes"]))
                hosts.setdefault(part["host"], []).append([part["kind"], f"https://{part['host']}{path}"])
        # An icon that needs no request.
        head = (f'<!doctype html><html><head><title>{name}</title><link rel="icon" href="data:,">\n'
                f"<script>{LOADER}load({json.dumps(list(hosts.values()))})</script></head><body><p>")
        self.put(page["host"], page["path"],
                 bodies.text(page["bytes"], rng, head.encode(), b"</p></body></html>"), 0)

    # The servers

    def start_servers(self):
        for name in self.only:
            self.make_site(name, self.sites[name])
        for row in self.files:
            self.put(row["host"], row["path"], row["kind"], row["bytes"])
        folder, servers = self.stage.folder, []
        for name, host in self.hosts.items():
            kind = self.kinds[name]
            listens = " ".join(f"listen {f'[{a}]' if ':' in a else a}:{'80' if kind.get('plain') else '443 ssl'}"
                               f"{' http2' if kind.get('h2') else ''};" for a in host.addresses)
            secret = ""
            if not kind.get("plain"):
                pem, key = self.stage.certificate(host, kind.get("key", "ec"))
                secret = f"ssl_certificate {pem}; ssl_certificate_key {key}; ssl_protocols {' '.join(kind['tls'])};"
            header = "add_header Alt-Svc 'h3=\":443\"; ma=86400';" if kind.get("h3") else ""
            servers.append(f"  server {{ {listens} {secret} {header} server_name {name}; root {self.root}/{name}; }}")
        configuration = folder / "web-nginx.conf"
        temporary = " ".join(f"{n}_temp_path {folder}/web-{n};" for n in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        configuration.write_text("\n".join([
            "user root; worker_processes 1; daemon off; error_log stderr crit;", f"pid {folder}/web-nginx.pid;",
            "events { worker_connections 256; }", f"http {{ {LOG} access_log {self.log} lab; {temporary}",
            "  types { text/html html; text/css css; text/javascript js; image/jpeg jpg; application/xml xml; text/plain txt; }",
            "  default_type text/html; etag off; ssl_session_tickets on;", *servers, "}", ""]), encoding="ascii")
        self.stage.start("internet", "nginx", "-p", folder, "-c", configuration, "-e", "stderr")
        for host in self.hosts.values():
            self.stage.wait_for_port(host, 80 if self.kinds[host.name].get("plain") else 443)

    def start_clients(self):
        trust(self.stage)
        self.browser = start_browser(self.stage, "web-browser", self.settings.get("phone", "phone"), WITHOUT_QUIC)

    def versions(self):
        return [version("nginx", "-v"), version("chromium", "--version"), version("curl", "--version")]

    # The verbs

    def do_browse(self, site, keep=False):
        """Chromium opens a site's page with all it consists of; without `keep` nothing of the visit stays open."""
        if site not in self.only:
            raise LabError(f"there is no site '{site}' in this scenario: {', '.join(self.only)}")
        page = self.sites[site]["page"]
        said = self.browser.ask("visit", timeout=60, url=f"https://{page['host']}{page['path']}", keep=keep)
        self.tell("page", said["requests"], site)

    def do_fetch(self, url, tls=None, http=None, family=None):
        """curl fetches one address; `tls` "1.2", `http` "1.1", `family` 4 or 6 where it shall not choose itself."""
        more = (["--tls-max", str(tls)] if tls else []) + ([f"--http{http}"] if http else []) + ([f"-{family}"] if family else [])
        self.stage.run(self.settings.get("phone", "phone"), "curl", "-sS", "--fail", "-o", "/dev/null", "--max-time", "20",
                       "--cacert", self.stage.authority, *more, url, keys=self.stage.keys("curl"))
        self.tell("fetch", 1, url)

    def tell(self, kind, requests, message):
        """What nginx answered, one line a connection: within it a browser's order of asking is its own."""
        rows, deadline = [], time.monotonic() + 3
        while time.monotonic() < deadline:
            text = self.log.read_text(encoding="utf-8") if self.log.exists() else ""
            rows = [json.loads(line) for line in text[self.read :].splitlines() if line.endswith("}")]
            if len(rows) >= requests:
                break
            time.sleep(0.02)
        if len(rows) != requests:
            raise LabError(f"{message}: nginx saw {len(rows)} requests, the browser {requests}")
        self.read += len(text[self.read :])
        wrong = [row for row in rows if row["status"] != 200]
        if wrong:
            raise LabError(f"{wrong[0]['host']}{wrong[0]['path']}: status {wrong[0]['status']}")
        connections = {}
        for row in rows:
            connections.setdefault((row["client"], row["client_port"], row["server"], row["server_port"]), []).append(row)
        for (client, client_port, server, server_port), found in connections.items():
            self.stage.tell("web", f"web.{kind}", real=round(min(r["msec"] - r["took"] for r in found), 6), proto="TCP",
                            local=joined(server, server_port), remote=joined(client, client_port), direction="to_client",
                            plaintext=sum(r["body"] for r in found), requests=len(found), protocol=found[0]["protocol"],
                            message=message)


def joined(host, port):
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def trust(stage):
    """Makes the user's NSS database with the lab's authority in it, once."""
    folder = stage.folder / ".pki/nssdb"
    if folder.exists():
        return
    folder.mkdir(parents=True)
    for command in (["-N", "--empty-password"], ["-A", "-n", "lab", "-t", "C,,", "-i", str(stage.authority)]):
        done = subprocess.run(["certutil", "-d", f"sql:{folder}", *command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True)
        if done.returncode:
            raise LabError(f"certutil: {done.stdout.strip() or done.returncode}")


def start_browser(stage, name, role, options):
    return stage.python_agent(role, name, "apps/web_browser.py", stage.folder, *options)


def version(program, option):
    done = subprocess.run([program, option], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    found = re.search(r"(?:nginx/|Chromium |curl )[\d.]+", done.stdout)
    return found[0].replace("/", " ") if found else program
