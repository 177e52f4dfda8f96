"""HTTP/3 by aioquic for several hosts, each at its own addresses.

  quic_server.py JSON    {"root": FOLDER, "hosts": [{"name", "addresses", "certificate", "key", "versions", "retry"}, ...]}

A path is a file of FOLDER/HOST, or /bytes/N for N bytes. Each answer goes out as an event with its connection's ends.
"""

import asyncio
import json
import pathlib
import sys
import time

from aioquic.asyncio import QuicConnectionProtocol, serve as serve_quic
from aioquic.h3.connection import H3Connection
from aioquic.h3.events import DataReceived, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import ProtocolNegotiated
from aioquic.quic.packet import QuicProtocolVersion

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import bodies  # noqa: E402
from agent import event, serve  # noqa: E402

VERSIONS = {"1": QuicProtocolVersion.VERSION_1, "2": QuicProtocolVersion.VERSION_2}
TYPES = {".html": "text/html; charset=utf-8", ".css": "text/css", ".js": "text/javascript", ".jpg": "image/jpeg"}
ARGUMENTS = json.loads(sys.argv[1])
# Tickets by their number, which a client shows again (RFC 8446, section 4.2.11).
tickets, servers = {}, []


class Connection(QuicConnectionProtocol):
    """One client's connection: HTTP/3 requests and their answers."""

    host = None

    def __init__(self, *values, **more):
        super().__init__(*values, **more)
        self.http, self.asked, self.bodies = None, {}, {}

    def quic_event_received(self, change):
        if isinstance(change, ProtocolNegotiated):
            self.http = H3Connection(self._quic)
        if self.http is None:
            return
        for said in self.http.handle_event(change):
            if isinstance(said, HeadersReceived):
                self.asked[said.stream_id] = {k.decode(): v.decode() for k, v in said.headers}
            elif isinstance(said, DataReceived):
                self.bodies[said.stream_id] = self.bodies.get(said.stream_id, 0) + len(said.data)
            else:
                continue
            if said.stream_ended:
                self.answer(said.stream_id)

    def answer(self, stream):
        asked = self.asked.pop(stream, {})
        path = asked.get(":path", "/")
        kind, body = found(asked.get(":authority", "").split(":")[0], path)
        status = 200 if body is not None else 404
        event(what="answer", host=self.host, path=path, status=status, body=len(body or b""),
              asked=self.bodies.pop(stream, 0), client=list(self._quic._network_paths[0].addr[:2]),
              server=list(self._transport.get_extra_info("sockname")[:2]), version=f"{self._quic._version:#x}",
              sent=round(time.time(), 6))
        self.http.send_headers(stream, [(b":status", str(status).encode()), (b"content-type", kind.encode()),
                                        (b"content-length", str(len(body or b"")).encode())], end_stream=not body)
        if body:
            self.http.send_data(stream, body, end_stream=True)
        self.transmit()


def found(host, path):
    """Content type and bytes; no bytes where there is no such file."""
    if path.startswith("/bytes/") and path[7:].isdigit():
        return bodies.make("binary", int(path[7:]), path)
    folder = pathlib.Path(ARGUMENTS["root"], host)
    file = (folder / path.lstrip("/")).resolve()
    if path.endswith("/"):
        file = file / "index.html"
    if not file.is_file() or not file.is_relative_to(folder):
        return "text/plain", None
    return TYPES.get(file.suffix, "text/html; charset=utf-8"), file.read_bytes()


def keep(ticket):
    tickets[ticket.ticket] = ticket


async def main():
    for host in ARGUMENTS["hosts"]:
        configuration = QuicConfiguration(is_client=False, alpn_protocols=["h3"], max_datagram_size=1350,
                                          supported_versions=[VERSIONS[v] for v in host["versions"]])
        configuration.load_cert_chain(host["certificate"], host["key"])
        protocol = type("Connection", (Connection,), {"host": host["name"]})
        for address in host["addresses"]:
            servers.append(await serve_quic(
                address, 443, configuration=configuration, create_protocol=protocol, retry=host["retry"],
                session_ticket_handler=keep, session_ticket_fetcher=tickets.get))

    async def end():
        for server in servers:
            server.close()
        await asyncio.sleep(0.1)
    await serve({}, end)


asyncio.run(main())
