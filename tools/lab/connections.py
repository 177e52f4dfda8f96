"""Many TLS connections between two namespaces: `server FOLDER` and `client COUNT SEED FOLDER`.

The client draws name, ALPN, version, cipher, address and port for each connection from its seed.
"""

import asyncio
import json
import pathlib
import random
import ssl
import sys

SERVERS = ["198.18.1.1", "198.18.1.2", "198.18.1.3", "2001:db8:1::1", "2001:db8:1::2"]
CLIENTS = ["198.18.0.11", "198.18.0.12", "198.18.0.13", "2001:db8:1::11", "2001:db8:1::12"]
PORTS = [443, 993, 5223, 5228, 8443]
# name, ALPN offered, certificate of the server
SERVICES = [
    ("courier.push.apple.com", ["apns-security-v3", "apns-pack-v1"], "push"),
    ("mtalk.google.com", [], "push"),
    ("g.whatsapp.net", [], "chat"),
    ("chat.signal.org", ["http/1.1"], "chat"),
    ("query.ess.apple.com", ["h2", "http/1.1"], "chat"),
    ("p52-content.icloud-content.com", ["h2"], "web"),
    ("www.example.com", ["h2", "http/1.1"], "web"),
    ("mail.example.org", [], "web"),
    (None, [], "web"),
]
CIPHERS = [None, "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE+AESGCM:ECDHE+CHACHA20"]


def server_context(folder, name, version):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
    context.set_alpn_protocols(["apns-security-v3", "h2", "http/1.1"])
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if version:
        context.maximum_version = version
    return context


async def answer(reader, writer):
    try:
        size = int.from_bytes(await reader.readexactly(2), "big")
        writer.write(bytes(size))
        await writer.drain()
        await reader.read()
        writer.close()
        await writer.wait_closed()
    except (OSError, ssl.SSLError, asyncio.IncompleteReadError):
        writer.close()


async def serve(folder):
    # Which certificate and version a server has follows from its port.
    plans = {443: ("web", None), 993: ("web", ssl.TLSVersion.TLSv1_2), 5223: ("push", None), 5228: ("push", None),
             8443: ("chat", ssl.TLSVersion.TLSv1_2)}
    running = []
    for port, (name, version) in plans.items():
        context = server_context(folder, name, version)
        running.append(await asyncio.start_server(answer, SERVERS, port, ssl=context, backlog=1024))
    await asyncio.gather(*(s.serve_forever() for s in running))


async def visit(draw, contexts, report):
    server = draw.choice(SERVERS)
    family = ":" in server
    client = draw.choice([c for c in CLIENTS if (":" in c) == family])
    name, alpn, _ = draw.choice(SERVICES)
    version = draw.choice([None, None, ssl.TLSVersion.TLSv1_2])
    cipher = draw.choice(CIPHERS)
    port, size = draw.choice(PORTS), draw.choice([0, 40, 400, 4000, 20000])
    rest = draw.random() < 0.1
    key = (tuple(alpn), version, cipher)
    if key not in contexts:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        if alpn:
            context.set_alpn_protocols(alpn)
        if version:
            context.maximum_version = version
        if cipher:
            context.set_ciphers(cipher)
        contexts[key] = context
    try:
        reader, writer = await asyncio.open_connection(
            server, port, ssl=contexts[key], server_hostname=name or "", local_addr=(client, 0))
        writer.write(size.to_bytes(2, "big"))
        await reader.readexactly(size)
        if rest:
            writer.transport.abort()
        else:
            writer.close()
            await writer.wait_closed()
        report["ok"] += 1
    except (OSError, ssl.SSLError, asyncio.IncompleteReadError) as error:
        report["failed"] += 1
        report["errors"][type(error).__name__ + ": " + str(error)[:80]] = report["errors"].get(
            type(error).__name__ + ": " + str(error)[:80], 0) + 1


async def connect(count, seed):
    draw = random.Random(seed)
    contexts, report = {}, {"ok": 0, "failed": 0, "errors": {}}
    gate = asyncio.Semaphore(24)

    async def one():
        async with gate:
            await visit(draw, contexts, report)

    pending = set()
    for _ in range(count):
        if len(pending) >= 48:
            _, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        pending.add(asyncio.create_task(one()))
    await asyncio.gather(*pending)
    return report


def main():
    if sys.argv[1:2] == ["server"] and len(sys.argv) == 3:
        asyncio.run(serve(pathlib.Path(sys.argv[2])))
    elif sys.argv[1:2] == ["client"] and len(sys.argv) == 4:
        print(json.dumps(asyncio.run(connect(int(sys.argv[2]), int(sys.argv[3])))))
    else:
        print(__doc__, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
