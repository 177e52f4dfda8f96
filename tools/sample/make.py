"""Plays the scene in network namespaces, captures it, and writes the capture with its truth and its manifest entry."""

import argparse
import datetime
import os
import pathlib
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(HERE.parent / "lab"))

import scene  # noqa: E402
from network import Lab, LabError, certificate, require, run  # noqa: E402

LIMIT = 300_000
COMMENT = b"Wiretag sample: clients and servers of a lab without a way out, see MANIFEST.md"
# where nginx listens, by kind of service: port and what makes the kind
NGINX = {
    "web": "listen {address}:443 ssl http2; ssl_protocols TLSv1.2 TLSv1.3;",
    "web12": "listen {address}:443 ssl; ssl_protocols TLSv1.2;",
    "retry": "listen {address}:443 ssl; ssl_protocols TLSv1.2 TLSv1.3; ssl_ecdh_curve X25519;",
    "plain": "listen {address}:80;",
}


def say(message):
    print(message, file=sys.stderr, flush=True)


def addresses(service):
    return [a for a in (service.v4, service.v6) if a]


def bracketed(address):
    return f"[{address}]" if ":" in address else address


def nginx_configuration(folder):
    servers = []
    for service in scene.SERVICES:
        if service.kind not in NGINX:
            continue
        listens = " ".join(NGINX[service.kind].split(";")[0].format(address=bracketed(a)) + ";" for a in addresses(service))
        rest = ";".join(NGINX[service.kind].split(";")[1:]).strip()
        secret = "" if service.kind == "plain" else (
            f"ssl_certificate {folder}/{service.name}.pem; ssl_certificate_key {folder}/{service.name}.key;")
        servers.append(f"  server {{ {listens} {rest} {secret} server_name {service.name};\n"
                       f"    location / {{ default_type text/plain; return 200 '{service.name} in a lab\\n'; }} }}")
    return "\n".join([
        "user root; worker_processes 1; daemon off; error_log stderr crit;", f"pid {folder}/nginx.pid;",
        "events { worker_connections 256; }", "http { access_log off; server_tokens on; ssl_session_tickets on;",
        f"  client_body_temp_path {folder}/n1; proxy_temp_path {folder}/n2; fastcgi_temp_path {folder}/n3;",
        f"  uwsgi_temp_path {folder}/n4; scgi_temp_path {folder}/n5;", *servers, "}", ""])


def dnsmasq_configuration():
    lines = ["no-resolv", "no-hosts", "bind-interfaces", "user=root", "local-ttl=120", "no-daemon", "cache-size=0",
             "log-facility=-", "local=/#/", *(f"listen-address={a}" for a in scene.RESOLVER)]
    for service in scene.SERVICES:
        lines.append(f"host-record={service.canonical or service.name},{','.join(addresses(service))}")
        if service.canonical:
            lines.append(f"cname={service.name},{service.canonical}")
    # RFC 9460: priority 1, the same name, alpn h2
    lines.append("dns-rr=www.example.com,65,00010000010003026832")
    lines.append("txt-record=long.example.com," + ",".join(f"{n}-" + "long answers go by TCP " * 8 for n in range(5)))
    return "\n".join(lines) + "\n"


def certificates(folder):
    authority = certificate(folder, "authority", ["Wiretag Lab Authority"])
    for service in scene.SERVICES:
        if service.kind == "plain":
            continue
        names = [service.name]
        if service.kind == "courier":
            names, stem = ["courier.push.apple.com", "courier2.push.apple.com"], "courier"
        else:
            stem = service.name
        key = "rsa" if service.kind == "web12" else "ec"
        pem, _ = certificate(folder, f"{stem}@", names, authority, key)
        for suffix in (".pem", ".key"):
            shutil.copy(pem.with_suffix(suffix), folder / (stem + suffix))
    return authority[0]


def set_up(lab, folder):
    phone, laptop, world = lab.namespace("phone"), lab.namespace("laptop"), lab.namespace("world")
    lab.inside(world, "ip", "link", "add", "lab0", "type", "bridge")
    for who, namespace, own in (("phone", phone, scene.PHONE), ("laptop", laptop, scene.LAPTOP)):
        lab.link(namespace, "eth0", world, who)
        lab.inside(world, "ip", "link", "set", who, "master", "lab0")
        lab.addresses(namespace, "eth0", f"{own[0]}/24", f"{own[1]}/64")
    lab.addresses(world, "lab0", f"{scene.RESOLVER[0]}/24", f"{scene.RESOLVER[1]}/64")
    for service in scene.SERVICES:
        lab.addresses(world, "lab0", *(f"{a}/{128 if ':' in a else 32}" for a in addresses(service)))
    lab.inside(world, "ip", "link", "set", "lab0", "up")
    lab.inside(world, sys.executable, HERE.parent / "lab/network.py", "lab0")
    for namespace in (phone, laptop):
        lab.wait_until_up(namespace, "eth0")
        # This route ends at the servers; they have none.
        lab.inside(namespace, "ip", "route", "add", "default", "via", scene.RESOLVER[0])
        lab.inside(namespace, "ip", "-6", "route", "add", "default", "via", scene.RESOLVER[1])
        lab.resolver(namespace, scene.RESOLVER[0])
    lab.wait_until_up(world, "lab0")
    for warning in lab.warnings:
        say(f"warning: {warning}")
    return {"phone": phone, "laptop": laptop, "world": world}


def start_servers(lab, world, folder, keys):
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": open(folder / "servers.log", "ab")}
    (folder / "dnsmasq.conf").write_text(dnsmasq_configuration(), encoding="ascii")
    (folder / "nginx.conf").write_text(nginx_configuration(folder), encoding="ascii")
    lab.start(world, "dnsmasq", f"--conf-file={folder}/dnsmasq.conf", f"--pid-file={folder}/dnsmasq.pid", **quiet)
    lab.start(world, "nginx", "-p", folder, "-c", folder / "nginx.conf", "-e", "stderr", **quiet)
    lab.start(world, sys.executable, HERE / "courier.py", "server", folder, **quiet)
    push = scene.by_name("mtalk.google.com")
    lab.start(world, "gnutls-serv", "--quiet", "--http", "--port", push.port, "--x509certfile", folder / f"{push.name}.pem",
              "--x509keyfile", folder / f"{push.name}.key", **quiet)
    mozilla = scene.by_name("www.mozilla.org")
    for address in addresses(mozilla):
        lab.start(world, "openssl", "s_server", "-accept", f"{bracketed(address)}:{mozilla.port}", "-www", "-quiet",
                  "-cert", folder / f"{mozilla.name}.pem", "-key", folder / f"{mozilla.name}.key", "-keylogfile", keys, **quiet)
    mail = scene.by_name("mail.example.net")
    for address in addresses(mail):
        lab.start(world, sys.executable, "-m", "aiosmtpd", "-n", "-l", f"{address}:{mail.port}",
                  "--tlscert", folder / f"{mail.name}.pem", "--tlskey", folder / f"{mail.name}.key", "--no-requiretls",
                  "-c", "aiosmtpd.handlers.Sink", **quiet)
    for port in (53, 80, 443, 5223, push.port, mail.port):
        try:
            lab.wait_for_port(world, "", port)
        except LabError as error:
            raise LabError(f"{error}: {(folder / 'servers.log').read_text(errors='replace')[-600:]}") from None


def visit_all(lab, names, folder, authority, keys, venv):
    """Runs every visit in turn; what cannot run here is said and left out."""
    environment = dict(os.environ, SSLKEYLOGFILE=str(keys), NODE_EXTRA_CA_CERTS=str(authority), HOME=str(folder),
                       LC_ALL="C")
    words = {"ca": authority, "keys": keys, "cookies": folder / "session.pem", "python": sys.executable, "here": HERE,
             "venv": venv or ""}
    done, left_out = [], []
    for visit in scene.VISITS:
        command = [part if part is scene.IMPERSONATE else
                   re.sub(r"\{(\w+)\}", lambda m: str(words[m[1]]), part) for part in visit.command]
        if not command[0] or not shutil.which(command[0]):
            left_out.append(f"{visit.stack}: {visit.shows}")
            say(f"left out, {visit.stack} is not here: {visit.shows}")
            continue
        say(f"{visit.where}: {visit.stack}: {visit.shows}")
        result = subprocess.run(["ip", "netns", "exec", names[visit.where], *command], input=(visit.text or "").encode(),
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, timeout=60)
        if (result.returncode != 0) != visit.fails:
            text = (result.stderr or result.stdout).decode(errors="replace").strip().splitlines()
            raise LabError(f"'{' '.join(command)[:120]}' ended with status {result.returncode}: {text[-1] if text else ''}")
        done.append(visit)
        time.sleep(visit.pause)
    return done, left_out


def tshark(capture, *arguments):
    return run("tshark", "-n", "-r", capture, *arguments)


def options(*pairs):
    """Options of a pcapng block (draft-ietf-opsawg-pcapng, section 3.5), closed by their end mark."""
    out = b""
    for code, value in pairs:
        out += struct.pack("<HH", code, len(value)) + value + bytes(-len(value) % 4)
    return out + bytes(4)


def describe(data):
    """The capture with words of its own in the section's and the interface's header, instead of the machine's."""
    out, at = [], 0
    while at < len(data):
        kind, length = struct.unpack_from("<II", data, at)
        body = data[at + 8 : at + length - 4]
        if kind == 0x0A0D0D0A:
            body = body[:16] + options((1, COMMENT), (4, b"tools/make-sample"))
        elif kind == 1:
            body = body[:8] + options((2, b"lab0"), (3, b"the bridge between phone, laptop and the servers"),
                                      (9, bytes([precision(body)])))
        out.append(struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12))
        at += length
    # The section's length is that of its old blocks: unknown is a legal answer.
    first = bytearray(out[0])
    first[16:24] = b"\xff" * 8
    return bytes(first) + b"".join(out[1:])


def precision(body):
    """if_tsresol of an interface's header; microseconds where it is absent."""
    at = 8
    while at + 4 <= len(body):
        code, length = struct.unpack_from("<HH", body, at)
        if code == 9 and length == 1:
            return body[at + 4]
        if code == 0:
            break
        at += 4 + length + (-length % 4)
    return 6


def flows_with_truth(capture):
    """One row a flow, told by the address and port of the server, which the scene knows."""
    plan = {(a, s.port): s for s in scene.SERVICES for a in addresses(s)}
    rows = {}
    text = tshark(capture, "-Y", "tcp or udp", "-T", "fields", "-E", "separator=\t", "-e", "ip.src", "-e", "ipv6.src",
                  "-e", "ip.dst", "-e", "ipv6.dst", "-e", "tcp.srcport", "-e", "udp.srcport", "-e", "tcp.dstport", "-e",
                  "udp.dstport", "-e", "tcp.stream", "-e", "udp.stream")
    for line in text.splitlines():
        v4, v6, to4, to6, tcp_from, udp_from, tcp_to, udp_to, tcp_stream, udp_stream = line.split("\t")
        key = ("TCP", tcp_stream) if tcp_stream else ("UDP", udp_stream)
        source, target = v4 or v6, to4 or to6
        source_port, target_port = int(tcp_from or udp_from), int(tcp_to or udp_to)
        rows.setdefault(key, (key[0], source, source_port, target, target_port))
    out = ["proto\tsrc_ip\tsrc_port\tdest_ip\tdest_port\ttag\tservice\tname"]
    for proto, source, source_port, target, target_port in rows.values():
        service = plan.get((target, target_port))
        if service:
            tag, label, name = service.tag, service.service, service.name
        elif target_port == 53:
            tag, label, name = "?", "DNS", "-"
        else:
            tag, label, name = "other", "-", "-"
        out.append("\t".join(map(str, (proto, source, source_port, target, target_port, tag, label, name))))
    return "\n".join(out) + "\n"


def verify(capture):
    """What a reader may rely on: hellos, names, an HelloRetryRequest, a split hello, and secrets that open the records."""
    names = sorted(set(tshark(capture, "-Y", "tls.handshake.type==1", "-T", "fields", "-e",
                              "tls.handshake.extensions_server_name").split()))
    streams = set(tshark(capture, "-Y", "tls.handshake.type==1", "-T", "fields", "-e", "tcp.stream").split())
    # Finished travels encrypted: a stream where tshark shows one was opened with the secrets inside the file.
    opened = set(tshark(capture, "-Y", "tls.handshake.type==20", "-T", "fields", "-e", "tcp.stream").split())
    retries = tshark(capture, "-Y", "tls.handshake.random == cf:21:ad:74:e5:9a:61:11:be:1d:8c:02:1e:65:b8:91:"
                     "c2:a2:11:16:7a:bb:8c:5e:07:9e:09:e2:c8:a8:33:9c", "-T", "fields", "-e", "frame.number").split()
    split = tshark(capture, "-Y", "tls.handshake.type==1 and tcp.segment.count > 1", "-T", "fields", "-e",
                   "frame.number").split()
    counts = {"flows with a ClientHello": len(streams), "of these opened with the embedded secrets": len(streams & opened),
              "server names": len(names), "HelloRetryRequests": len(retries), "hellos over several segments": len(split)}
    for what, number in counts.items():
        print(f"{number:5} {what}")
    missing = {"courier.push.apple.com", "courier2.push.apple.com", "mtalk.google.com", "chat.signal.org"} - set(names)
    if missing:
        raise LabError(f"the capture lacks {', '.join(sorted(missing))}")
    unopened = sorted(streams - opened, key=int)
    if unopened:
        raise LabError(f"the secrets do not open TCP stream {', '.join(unopened)}: a program did not log its keys")
    if not retries:
        raise LabError("no HelloRetryRequest in the capture")
    return counts


def versions(venv):
    """Name and version of every program that took part."""
    asked = [
        ("curl", "curl", "--version"), ("OpenSSL", "openssl", "version"), ("GnuTLS", "gnutls-cli", "--version"),
        ("Node.js", "node", "--version"), ("nginx", "nginx", "-v"), ("dnsmasq", "dnsmasq", "--version"),
        ("BIND dig", "dig", "-v"), ("Python", sys.executable, "--version"), ("dumpcap", "dumpcap", "--version"),
    ]
    found = []
    for name, program, option in asked:
        if not shutil.which(program):
            continue
        done = subprocess.run([program, option], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        number = re.search(r"\d+(?:\.\d+)+\w*", done.stdout)
        found.append(f"{name} {number[0] if number else '?'}")
    python_ssl = subprocess.run([sys.executable, "-c", "import ssl; print(ssl.OPENSSL_VERSION.split()[1])"],
                                stdout=subprocess.PIPE, text=True).stdout.strip()
    found.append(f"OpenSSL {python_ssl} under Python's ssl")
    for name, package in (("NSS", "libnss3"), ("aiosmtpd", "python3-aiosmtpd")):
        done = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", package], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True) if shutil.which("dpkg-query") else None
        if done and done.returncode == 0:
            found.append(f"{name} {re.sub(r'^[0-9]+:', '', done.stdout)}")
    if venv:
        number = run(venv, "-c", "import curl_cffi; print(curl_cffi.__version__)", check=False).strip()
        found.append(f"curl-impersonate by curl_cffi {number} (BoringSSL)")
    return found


def manifest_entry(capture, packets, counts, done, left_out, venv):
    rows = "\n".join(f"| {v.where} | {v.stack} | {v.shows} |" for v in done)
    missing = "".join(f"\nLeft out, because the program was not there: {text}." for text in left_out)
    return f"""## {capture.name}

- **made by** `tools/make-sample` on {datetime.date.today().isoformat()}; {packets} packets, {capture.stat().st_size:,} bytes. Licence: this project's. No random seed: keys, ports and times are new in every run, the flows and their truth are the same.
- **where**: three network namespaces (phone, laptop, and a world of servers) around one bridge, with no way out. Captured on the bridge, segmentation offloads off. The couriers and Telegram stand inside the prefixes that their operators publish, Apple's other hosts elsewhere in 17.0.0.0/8, everything else in 198.18.0.0/15 and 2001:db8::/32; nobody outside was reached.
- **real**: every TLS, DNS, HTTP and SMTP endpoint: {', '.join(versions(venv))}. The browsers' hellos are those of curl-impersonate, which configures BoringSSL as these browsers do. Certificates are signed by a lab authority.
- **modelled**: what the couriers and their clients say inside TLS. Records have the sizes that the published framing gives, their bytes are a command number and the words "modelled ..."; the hello is that of Python's ssl with the courier's names and ALPN, not that of an Apple device; a real courier answers `apns-pack-v1:4096:4096`, which no stock TLS server can. The answers of all web servers are one line of text.
- **truth**: `{capture.stem}.truth.tsv`, one line a flow, known from the server's place in the scene and not from the packets. `?` means that the flow is not to be judged (DNS).
- **secrets**: the TLS secrets are inside the file (Decryption Secrets Block): Wireshark shows the plaintext of all {counts['flows with a ClientHello']} TLS flows.

| client | stack | what it shows |
| --- | --- | --- |
{rows}
{missing}
"""


def write_manifest(folder, name, entry):
    file = folder / "MANIFEST.md"
    head = ("# Sample captures\n\nEach capture was made for this project, by the command named with it; none holds the traffic "
            "of a person.\n\n")
    text = file.read_text(encoding="utf-8") if file.exists() else head
    pattern = re.compile(rf"^## {re.escape(name)}\n.*?(?=^## |\Z)", re.M | re.S)
    text = pattern.sub(lambda _: entry.rstrip("\n") + "\n\n", text) if pattern.search(text) else text + entry
    file.write_text(text.rstrip("\n") + "\n", encoding="utf-8")


def make(arguments, lab, folder):
    target = arguments.output.resolve()
    authority = certificates(folder)
    keys, raw = folder / "keys.txt", folder / "raw.pcapng"
    keys.touch()
    names = set_up(lab, folder)
    start_servers(lab, names["world"], folder, keys)

    dumpcap = lab.start(names["world"], "dumpcap", "-q", "-i", "lab0", "-w", raw, "-f", "ip or ip6",
                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    lab.wait_for_captures(names["world"], 1, (dumpcap,))
    done, left_out = visit_all(lab, names, folder, authority, keys, arguments.venv)
    time.sleep(1)
    dumpcap.send_signal(signal.SIGINT)
    dumpcap.wait(10)

    target.mkdir(parents=True, exist_ok=True)
    capture = target / scene.CAPTURE
    finished = folder / scene.CAPTURE
    opened = folder / "opened.pcapng"
    run("editcap", "--inject-secrets", f"tls,{keys}", raw, opened)
    finished.write_bytes(describe(opened.read_bytes()))
    counts = verify(finished)
    if finished.stat().st_size > LIMIT:
        raise LabError(f"the capture has {finished.stat().st_size} bytes, more than {LIMIT}")
    packets = len(tshark(finished, "-T", "fields", "-e", "frame.number").split())
    truth = flows_with_truth(finished)
    shutil.copyfile(finished, capture)
    (target / f"{capture.stem}.truth.tsv").write_text(truth, encoding="utf-8")
    write_manifest(target, capture.name, manifest_entry(capture, packets, counts, done, left_out, arguments.venv))
    print(f"{capture}: {packets} packets, {truth.count(chr(10)) - 1} flows, {capture.stat().st_size} bytes")


def main():
    parser = argparse.ArgumentParser(prog="tools/make-sample")
    parser.add_argument("--output", type=pathlib.Path, default=ROOT / "captures")
    parser.add_argument("--venv", help="a Python that has curl_cffi")
    arguments = parser.parse_args()
    try:
        require("ip", "openssl", "nginx", "dnsmasq", "gnutls-serv", "dumpcap", "editcap", "tshark")
        with Lab("wtmake") as lab, tempfile.TemporaryDirectory(prefix="wiretag-sample.") as folder:
            make(arguments, lab, pathlib.Path(folder))
            return 0
    except (LabError, subprocess.TimeoutExpired) as error:
        say(f"tools/make-sample: {error}")
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
