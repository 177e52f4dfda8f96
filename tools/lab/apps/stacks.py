"""Many TLS stacks, one visit each: what their hellos look like side by side, and the corners of TLS and DNS."""

import re
import shutil

from apps import App as Base
from network import LabError

# Host: how it is served. nginx with what stands here, or another server by name.
SERVERS = {
    "query.ess.apple.com": {"protocols": "TLSv1.2 TLSv1.3", "http2": True},
    "gateway.icloud.com": {"protocols": "TLSv1.2 TLSv1.3", "http2": True},
    "g.whatsapp.net": {"protocols": "TLSv1.2", "key": "rsa"},
    "web.telegram.org": {"protocols": "TLSv1.2 TLSv1.3", "http2": True},
    "en.wikipedia.org": {"protocols": "TLSv1.2 TLSv1.3", "http2": True},
    "www.example.com": {"protocols": "TLSv1.2 TLSv1.3", "http2": True},
    "old.example.com": {"protocols": "TLSv1.2", "key": "rsa"},
    # Takes one group only, for which clients send no share at first.
    "chat.signal.org": {"protocols": "TLSv1.2 TLSv1.3", "more": "ssl_ecdh_curve X25519;"},
    "deb.example.com": {"plain": True},
    "init-p01st.push.apple.com": {"plain": True},
    "www.mozilla.org": "openssl",
    "mtalk.google.com": "gnutls",
    "mail.example.net": "mail",
}
CURL = ("curl", "-sS", "-o", "/dev/null", "--max-time", "10", "--cacert", "{ca}")
REQUEST = "GET / HTTP/1.1\r\nHost: {0}\r\nConnection: close\r\n\r\n".format
IMPERSONATE = """
import sys
from curl_cffi import requests
print(requests.get(sys.argv[2], impersonate=sys.argv[1], verify=sys.argv[3], timeout=10).status_code)
"""
OPENSSL = ("openssl", "s_client", "-CAfile", "{ca}", "-keylogfile", "{keys}", "-ign_eof")
# Name: (command, standard input). What it shows stands beside it in the scenario.
VISITS = {
    "dig": (("dig", "+short", "www.example.com", "A", "www.example.com", "AAAA", "www.example.com", "HTTPS"), ""),
    "dig over TCP": (("dig", "+short", "+bufsize=512", "+noedns", "long.example.com", "TXT"), ""),
    "dig, no such name": (("dig", "+short", "nowhere.example.com", "A"), ""),
    "bag": ((*CURL, "-4", "-A", "apsd", "http://init-p01st.push.apple.com/bag"), ""),
    "Safari": (("{python}", "-c", IMPERSONATE, "safari18_0_ios", "https://query.ess.apple.com/", "{ca}"), ""),
    "Safari, another host": (
        ("{python}", "-c", IMPERSONATE, "safari18_0_ios", "https://gateway.icloud.com/", "{ca}"), ""),
    "Chrome": (("{python}", "-c", IMPERSONATE, "chrome131", "https://en.wikipedia.org/wiki/Packet", "{ca}"), ""),
    "Chrome again": (("{python}", "-c", IMPERSONATE, "chrome131", "https://web.telegram.org/", "{ca}"), ""),
    "GnuTLS": (("gnutls-cli", "--x509cafile", "{ca}", "--port", "5228", "mtalk.google.com"), REQUEST("mtalk.google.com")),
    "GnuTLS, TLS 1.2": (
        ("gnutls-cli", "--x509cafile", "{ca}", "--priority", "NORMAL:-VERS-TLS1.3", "g.whatsapp.net"),
        REQUEST("g.whatsapp.net")),
    "OpenSSL, HelloRetryRequest": (
        (*OPENSSL, "-connect", "chat.signal.org:443", "-groups", "P-256:X25519", "-servername", "chat.signal.org", "-alpn",
         "http/1.1"), REQUEST("chat.signal.org")),
    "OpenSSL, a session kept": (
        (*OPENSSL, "-connect", "www.example.com:443", "-servername", "www.example.com", "-sess_out", "{folder}/session.pem"),
        REQUEST("www.example.com")),
    "OpenSSL, the session resumed": (
        (*OPENSSL, "-connect", "www.example.com:443", "-servername", "www.example.com", "-sess_in", "{folder}/session.pem"),
        REQUEST("www.example.com")),
    "OpenSSL, no server name": ((*OPENSSL, "-connect", "{old.example.com}:443", "-noservername"), REQUEST("old.example.com")),
    "NSS": (("tstclnt", "-h", "www.mozilla.org", "-p", "443", "-o", "-D", "-Q", "-V", "tls1.2:tls1.3", "-a",
             "www.mozilla.org"), ""),
    "curl, HTTP/2": ((*CURL, "https://www.example.com/"), ""),
    "curl, TLS 1.2": ((*CURL, "-4", "--tls-max", "1.2", "https://www.example.com/"), ""),
    "Node.js": (("node", "--tls-keylog={keys}", "-e",
                 "require('https').get('https://web.telegram.org/k/', r => r.resume())"), ""),
    "curl, STARTTLS": (
        ("curl", "-sS", "--max-time", "10", "--cacert", "{ca}", "--ssl-reqd", "--mail-from", "alice@example.net",
         "--mail-rcpt", "bob@example.net", "-T", "-", "smtp://mail.example.net:587/phone.example.net"),
        "Subject: hello\r\n\r\nA first look.\r\n"),
    "curl, HTTP": ((*CURL, "-6", "http://deb.example.com/debian/dists/stable/InRelease"), ""),
    "curl, nobody listens": ((*CURL, "-4", "https://deb.example.com/"), ""),
    # Within the handshake, and as the host speaks TLS 1.2 in clear; curl with OpenSSL looks at the name only after it.
    "OpenSSL, a wrong certificate": (
        (*OPENSSL, "-connect", "{old.example.com}:443", "-servername", "wrong.example.org", "-verify_hostname",
         "wrong.example.org", "-verify_return_error"), ""),
}
VERSIONS = (("OpenSSL", "openssl", "version"), ("GnuTLS", "gnutls-cli", "--version"), ("Node.js", "node", "--version"),
            ("curl", "curl", "--version"), ("BIND dig", "dig", "-v"), ("nginx", "nginx", "-v"))


class App(Base):
    software = ("TLS stacks: OpenSSL, GnuTLS, NSS, Node.js, curl, and curl-impersonate (BoringSSL configured as Safari and "
                "Chrome do it); nginx, openssl s_server, gnutls-serv and aiosmtpd answer")
    modelled = "The answers of the web servers are a line of text"
    needs = {"gnutls-cli": "gnutls-bin", "tstclnt": "libnss3-tools", "node": "nodejs", "nginx": "nginx-light", "curl": "curl"}

    def __init__(self, stage, settings):
        super().__init__(stage, settings)
        self.hosts = {name: stage.host(name) for name in SERVERS}
        # An HTTPS record (RFC 9460): priority 1, the same name, alpn h2; and a text too long for UDP.
        stage.resolver_lines += [
            "dns-rr=www.example.com,65,00010000010003026832",
            "txt-record=long.example.com," + ",".join(f"{n}-" + "long answers go by TCP " * 8 for n in range(5))]

    def start_servers(self):
        stage, folder, servers = self.stage, self.stage.folder, []
        for name, kind in SERVERS.items():
            host = self.hosts[name]
            if isinstance(kind, str):
                getattr(self, f"start_{kind}")(host, *stage.certificate(host))
                continue
            listens = " ".join(f"listen {f'[{a}]' if ':' in a else a}:{80 if kind.get('plain') else 443}"
                               f"{'' if kind.get('plain') else ' ssl'}{' http2' if kind.get('http2') else ''};"
                               for a in host.addresses)
            secret = ""
            if not kind.get("plain"):
                pem, key = stage.certificate(host, kind.get("key", "ec"))
                secret = f"ssl_certificate {pem}; ssl_certificate_key {key}; ssl_protocols {kind['protocols']}; {kind.get('more', '')}"
            servers.append(f"  server {{ {listens} {secret} server_name {name};\n"
                           f"    location / {{ default_type text/plain; return 200 '{name} in a lab\\n'; }} }}")
        configuration = folder / "stacks-nginx.conf"
        temporary = " ".join(f"{n}_temp_path {folder}/stacks-{n};" for n in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        configuration.write_text("\n".join([
            "user root; worker_processes 1; daemon off; error_log stderr crit;", f"pid {folder}/stacks-nginx.pid;",
            "events { worker_connections 256; }", f"http {{ access_log off; ssl_session_tickets on; {temporary}", *servers, "}", ""]),
            encoding="ascii")
        stage.start("internet", "nginx", "-p", folder, "-c", configuration, "-e", "stderr")
        for name, port in (("www.example.com", 443), ("deb.example.com", 80), ("mtalk.google.com", 5228),
                           ("mail.example.net", 587), ("www.mozilla.org", 443)):
            stage.wait_for_port(self.hosts[name], port)

    def start_openssl(self, host, pem, key):
        for address in host.addresses:
            # NSS's test client keeps no secrets, so its server does.
            self.stage.start("internet", "openssl", "s_server", "-accept", f"[{address}]:443" if ":" in address else
                             f"{address}:443", "-www", "-quiet", "-cert", pem, "-key", key, "-keylogfile",
                             self.stage.keys("s_server"))

    def start_gnutls(self, host, pem, key):
        self.stage.start("internet", "gnutls-serv", "--quiet", "--http", "--port", "5228", "--x509certfile", pem,
                         "--x509keyfile", key)

    def start_mail(self, host, pem, key):
        for address in host.addresses:
            self.stage.start("internet", self.stage.python, "-m", "aiosmtpd", "-n", "-l", f"{address}:587", "--tlscert", pem,
                             "--tlskey", key, "--no-requiretls", "-c", "aiosmtpd.handlers.Sink")

    def do_visit(self, name):
        if name not in VISITS:
            raise LabError(f"there is no visit '{name}'")
        command, text = VISITS[name]
        keys = self.stage.keys("stacks")
        words = {"ca": self.stage.authority, "keys": keys, "folder": self.stage.folder, "python": self.stage.python}
        words |= {host: at.v4 for host, at in self.hosts.items()}
        done = [part if part is IMPERSONATE else re.sub(r"\{([\w.-]+)\}", lambda m: str(words[m[1]]), part) for part in command]
        self.stage.run("phone", *done, keys=keys, text=text)

    def versions(self):
        from network import run
        found = []
        for name, program, option in VERSIONS:
            if shutil.which(program):
                number = re.search(r"\d+(?:\.\d+)+\w*", run("sh", "-c", f"{program} {option} 2>&1", check=False))
                found.append(f"{name} {number[0] if number else '?'}")
        return found
