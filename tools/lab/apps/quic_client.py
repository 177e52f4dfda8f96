"""HTTP/3 by aioquic, steered: versions, Retry, resumption and 0-RTT, large hellos, migration to another port."""

import asyncio
import os
import pathlib
import random
import socket
import sys

import aioquic.tls
from aioquic.asyncio import QuicConnectionProtocol
from aioquic.h3.connection import H3Connection
from aioquic.h3.events import DataReceived, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection
from aioquic.quic.events import ConnectionTerminated, HandshakeCompleted
from aioquic.quic.packet import QuicProtocolVersion

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import bodies  # noqa: E402
from agent import serve, truth  # noqa: E402
from network import LabError  # noqa: E402

# 0x?a?a?a?a never exists and makes a server name its versions (RFC 9000, section 15).
VERSIONS = {"1": QuicProtocolVersion.VERSION_1, "2": QuicProtocolVersion.VERSION_2, "reserved": 0x1A2A3A4A}
SECONDS = 15
# X25519MLKEM768 and the length of a client's share (draft-ietf-tls-ecdhe-mlkem)
HYBRID_GROUP, HYBRID_SHARE = 0x11EC, 1216
tickets, connections = {}, {}


class SameHello(QuicConnection):
    """aioquic makes a new hello after a Retry; RFC 9000, section 17.2.5.3, wants the same one again."""

    hello = None

    def _push_crypto_data(self):
        if self.hello is None:
            self.hello = bytes(self._crypto_buffers[aioquic.tls.Epoch.INITIAL].data)
        super()._push_crypto_data()

    def _connect(self, now):
        if not self._retry_count:
            self.hello = None
            return super()._connect(now)
        handshake = self.tls
        self._close_at = now + self._idle_timeout()
        self._initialize(self._peer_cid.cid)
        self.tls = handshake
        self._crypto_buffers[aioquic.tls.Epoch.INITIAL].push_bytes(self.hello)
        self._push_crypto_data()


class Client(QuicConnectionProtocol):
    """One connection with HTTP/3 on it."""

    def __init__(self, *values, **more):
        super().__init__(*values, **more)
        # Before the handshake, so that a request may go out with 0-RTT.
        self.http = H3Connection(self._quic)
        self.waiting, self.received, self.is_early_accepted, self.is_resumed = {}, {}, False, False
        self.transports = []

    def quic_event_received(self, change):
        if isinstance(change, HandshakeCompleted):
            self.is_early_accepted, self.is_resumed = change.early_data_accepted, change.session_resumed
        if isinstance(change, ConnectionTerminated):
            for waiting in self.waiting.values():
                if not waiting.done():
                    waiting.set_exception(LabError(f"the connection ended: {change.reason_phrase or change.error_code}"))
        for said in self.http.handle_event(change):
            if isinstance(said, HeadersReceived):
                self.received[said.stream_id] = [dict(said.headers).get(b":status", b"?").decode(), 0]
            elif isinstance(said, DataReceived):
                self.received[said.stream_id][1] += len(said.data)
            else:
                continue
            if said.stream_ended and not self.waiting[said.stream_id].done():
                self.waiting[said.stream_id].set_result(self.received[said.stream_id])

    def request(self, host, method, path, body):
        stream = self._quic.get_next_available_stream_id()
        self.waiting[stream] = asyncio.get_running_loop().create_future()
        fields = [(b":method", method.encode()), (b":scheme", b"https"), (b":authority", host.encode()),
                  (b":path", path.encode()), (b"user-agent", b"aioquic")]
        if body:
            fields.append((b"content-length", str(len(body)).encode()))
        self.http.send_headers(stream, fields, end_stream=not body)
        if body:
            self.http.send_data(stream, body, end_stream=True)
        return self.waiting[stream]


class Relay(asyncio.DatagramProtocol):
    """The second port of a connection that moves."""

    def __init__(self, protocol):
        self.protocol = protocol

    def datagram_received(self, data, addr):
        self.protocol.datagram_received(data, addr)


async def endpoint_to(address, protocol):
    """A socket on the address that leads there; asyncio's transport."""
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.connect(address)
        own = probe.getsockname()
    transport, made = await asyncio.get_running_loop().create_datagram_endpoint(protocol, local_addr=(own[0], 0))
    return transport, made


def configuration_of(host, version, offers, resume, hello):
    protocols = ["h3"]
    if hello == "alpn":
        protocols += [f"a-protocol-with-a-long-name-{n:02}" for n in range(40)]
    made = QuicConfiguration(
        is_client=True, alpn_protocols=protocols, server_name=host, original_version=VERSIONS[version],
        supported_versions=[VERSIONS[v] for v in offers], cafile=os.environ["SSL_CERT_FILE"],
        secrets_log_file=open(os.environ["SSLKEYLOGFILE"], "a", buffering=1, encoding="ascii"))
    if hello == "parameter":
        made.quantum_readiness_test = True
    if resume:
        if host not in tickets:
            raise LabError(f"{host} gave no ticket to resume with")
        made.session_ticket = tickets.pop(host)
    return made


push_hello = aioquic.tls.push_client_hello


def push_hello_with_hybrid_share(buffer, hello, seed):
    share = random.Random(f"share/{seed}").randbytes(HYBRID_SHARE)
    hello.key_share = [(HYBRID_GROUP, share), *hello.key_share]
    hello.supported_groups = [HYBRID_GROUP, *hello.supported_groups]
    push_hello(buffer, hello)


async def open_(host, family, version, offers, resume, early, hello, seed):
    loop = asyncio.get_running_loop()
    families = {4: socket.AF_INET, 6: socket.AF_INET6, None: socket.AF_UNSPEC}
    found = await loop.getaddrinfo(host, 443, family=families[family], type=socket.SOCK_DGRAM)
    address = found[0][4]
    quic = SameHello(configuration=configuration_of(host, version, offers, resume, hello),
                     session_ticket_handler=lambda ticket: tickets.__setitem__(host, ticket))
    aioquic.tls.push_client_hello = push_hello
    if hello == "share":
        aioquic.tls.push_client_hello = lambda buffer, what: push_hello_with_hybrid_share(buffer, what, seed)
    transport, protocol = await endpoint_to(address, lambda: Client(quic))
    protocol.transports.append(transport)
    protocol.address = address
    protocol.connect(address, transmit=not early)
    if not early:
        await asyncio.wait_for(protocol.wait_connected(), SECONDS)
    return protocol


async def migrate(protocol):
    """The same connection from another port, with another connection ID (RFC 9000, section 9)."""
    transport, _ = await endpoint_to(protocol.address, lambda: Relay(protocol))
    protocol.transports.append(transport)
    protocol._transport = transport
    protocol._quic.change_connection_id()
    await asyncio.wait_for(protocol.ping(), SECONDS)


async def request(host, path, method="GET", upload=0, family=None, version="1", offers=("1", "2"), resume=False, early=False,
                  hello=None, move=False, keep=False, seed=0, kind="http3"):
    protocol = connections.pop(host, None)
    if protocol is None:
        protocol = await open_(host, family, version, offers, resume, early, hello, seed)
    elif move:
        await migrate(protocol)
    body = bodies.make("binary", upload, seed)[1] if upload else b""
    local = protocol.transports[-1].get_extra_info("sockname")
    answer = protocol.request(host, method, path, body)
    truth("quic", "UDP", local, protocol.address, "to_server", f"{kind}.request", len(body), method=method, path=path)
    protocol.transmit()
    status, size = await asyncio.wait_for(answer, SECONDS)
    if not early or protocol._quic._handshake_confirmed:
        await asyncio.wait_for(protocol.ping(), SECONDS)
    said = {"status": int(status), "bytes": size, "version": f"{protocol._quic._version:#x}", "early": protocol.is_early_accepted,
            "resumed": protocol.is_resumed}
    if keep:
        connections[host] = protocol
    else:
        await close(protocol)
    return said


async def close(protocol):
    protocol.close()
    # The closing period is three times the probe timeout (RFC 9000, section 10.2); nothing more is sent in it.
    try:
        await asyncio.wait_for(protocol.wait_closed(), 2)
    except asyncio.TimeoutError:
        pass
    for transport in protocol.transports:
        transport.close()


async def at_end():
    for protocol in connections.values():
        await close(protocol)


asyncio.run(serve({"request": request}, at_end))
