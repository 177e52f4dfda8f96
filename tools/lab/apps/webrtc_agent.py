"""One end of WebRTC calls (aiortc), or the server over which both ends find each other.

  webrtc_agent.py end SEED SIGNALLING TURN USER PASSWORD        verbs: call
  webrtc_agent.py signalling ADDRESS,... CERTIFICATE KEY        verbs: none
"""

import array
import asyncio
import fractions
import json
import math
import os
import random
import ssl
import sys
import time

import agent
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve

APP = "webrtc"
RATE, AUDIO_SAMPLES = 48_000, 960
WIDTH, HEIGHT, FRAMES = 160, 120, 15
OPUS_BITS, VIDEO_BITS = 24_000, 100_000
WEBSOCKET_KINDS = {8: "webrtc.close", 9: "webrtc.ping", 10: "webrtc.pong"}


class Told:
    """A transport that tells of each write; asyncio makes one TLS record of it."""

    def __init__(self, transport, direction):
        self.transport, self.direction, self.records, self.kind = transport, direction, 0, "webrtc.upgrade"

    def __getattr__(self, name):
        return getattr(self.transport, name)

    def write(self, data):
        self.records += 1
        kind = self.kind if self.records == 1 else WEBSOCKET_KINDS.get(data[0] & 15, self.kind)
        agent.truth(APP, "TCP", self.get_extra_info("sockname"), self.get_extra_info("peername"), self.direction, kind,
                    len(data), records=[self.records], **{"class": "signalling"})
        self.transport.write(data)


class Client(ClientConnection):
    def connection_made(self, transport):
        super().connection_made(Told(transport, "to_server"))


class Server(ServerConnection):
    def connection_made(self, transport):
        super().connection_made(Told(transport, "to_client"))


async def say(socket, message):
    socket.transport.kind = f"webrtc.{message['type']}"
    await socket.send(json.dumps(message))


# The server


async def signalling(addresses, pem, key):
    rooms = {}

    async def pass_on(socket):
        """Two in a room: what one says the other hears."""
        room = rooms.setdefault(socket.request.path, [])
        room.append(socket)
        try:
            if len(room) == 2:
                for one in room:
                    await say(one, {"type": "present", "room": socket.request.path})
            async for text in socket:
                for other in room:
                    if other is not socket:
                        await say(other, json.loads(text))
        finally:
            room.remove(socket)
            if not room:
                rooms.pop(socket.request.path, None)

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    # No ALPN is chosen: tshark would read what follows by its name, and prove.py wants the records as they are.
    context.load_cert_chain(pem, key)
    for address in addresses.split(","):
        await serve(pass_on, address, 443, ssl=context, compression=None, ping_interval=None, create_connection=Server)
    await agent.serve({})


# One end


def speech(draw, seconds=8):
    """Something that an encoder treats like speech: syllables of a few harmonics, with pauses between words."""
    samples, total = array.array("h"), seconds * RATE
    while len(samples) < total:
        pitch, length = draw.uniform(95, 220), int(RATE * draw.uniform(0.09, 0.26))
        harmonics = [(n * pitch * 2 * math.pi / RATE, draw.uniform(0.2, 1) / n) for n in range(1, 6)]
        for at in range(length):
            loud = 6_000 * math.sin(math.pi * at / length)
            samples.append(int(loud * sum(part * math.sin(step * at) for step, part in harmonics)) // 2)
        if draw.random() < 0.3:
            samples.extend([0] * int(RATE * draw.uniform(0.05, 0.5)))
    return samples[:total]


def prepare_aiortc():
    """Bit rates that keep a sample small, and the DTLS secrets in the key log."""
    from aiortc import rtcdtlstransport
    from aiortc.codecs import opus, vpx
    vpx.DEFAULT_BITRATE = vpx.MIN_BITRATE = vpx.MAX_BITRATE = VIDEO_BITS
    make_encoder = opus.OpusEncoder.__init__

    def make_small(self):
        make_encoder(self)
        self.codec.bit_rate = OPUS_BITS
    opus.OpusEncoder.__init__ = make_small
    make_context = rtcdtlstransport.RTCCertificate._create_ssl_context

    def make_telling(self, *arguments, **named):
        context = make_context(self, *arguments, **named)
        context.set_keylog_callback(write_secret)
        return context
    rtcdtlstransport.RTCCertificate._create_ssl_context = make_telling


def write_secret(_, line):
    with open(os.environ["SSLKEYLOGFILE"], "ab") as file:
        file.write(line + b"\n")


def tracks(draw, video):
    from aiortc import MediaStreamTrack
    from av import AudioFrame, VideoFrame

    class Paced(MediaStreamTrack):
        """Gives one frame each `step` seconds."""

        def __init__(self):
            super().__init__()
            self.number, self.begin = 0, None

        async def recv(self):
            self.begin = self.begin if self.begin is not None else time.monotonic()
            await asyncio.sleep(max(0, self.begin + self.number * self.step - time.monotonic()))
            frame = self.frame(self.number)
            self.number += 1
            return frame

    class Speech(Paced):
        kind, step = "audio", AUDIO_SAMPLES / RATE

        def __init__(self):
            super().__init__()
            self.samples = speech(draw)

        def frame(self, number):
            at = number * AUDIO_SAMPLES % len(self.samples)
            frame = AudioFrame(format="s16", layout="mono", samples=AUDIO_SAMPLES)
            frame.planes[0].update(self.samples[at:at + AUDIO_SAMPLES].tobytes())
            frame.pts, frame.sample_rate, frame.time_base = number * AUDIO_SAMPLES, RATE, fractions.Fraction(1, RATE)
            return frame

    class Picture(Paced):
        kind, step = "video", 1 / FRAMES

        def __init__(self):
            super().__init__()
            self.grain = [draw.randbytes(WIDTH) for _ in range(HEIGHT)]

        def frame(self, number):
            """A slope that moves, with a band of noise that moves the other way."""
            frame = VideoFrame(width=WIDTH, height=HEIGHT, format="yuv420p")
            for plane in frame.planes:
                rows, line = plane.height, plane.line_size
                data = bytearray()
                for row in range(rows):
                    value = bytes((column + row + 2 * number) & 0xFF for column in range(plane.width))
                    if plane.width == WIDTH and (row - number) % rows < 12:
                        value = self.grain[(row + 7 * number) % HEIGHT]
                    data += value + bytes(line - plane.width)
                plane.update(bytes(data))
            frame.pts, frame.time_base = number * 90_000 // FRAMES, fractions.Fraction(1, 90_000)
            return frame

    return [Speech()] + ([Picture()] if video else [])


def number_of_ten_digits(draw):
    """Of the same length in an offer whatever is drawn."""
    return draw.randint(1_000_000_000, 0xFFFF_FFFF)


def way_of(connection):
    """Protocol and the names of both ends of the socket that media takes: to the peer, or to the relay."""
    pair = connection._nominated[1]
    inner = getattr(pair.protocol.transport, "_TurnTransport__inner_protocol", None)
    if inner is None:
        return "UDP", pair.local_addr, pair.remote_addr
    transport = inner.transport
    protocol = "UDP" if transport.get_extra_info("socket").type.name == "SOCK_DGRAM" else "TCP"
    return protocol, transport.get_extra_info("sockname"), transport.get_extra_info("peername")


def tell_direct_flows(connection):
    """Checks go to every address of the other end; that these are its own no table of servers says."""
    for local in connection.local_candidates:
        for remote in connection.remote_candidates:
            if (":" in local.host) == (":" in remote.host) and local.type == "host":
                agent.flow("UDP", (local.host, local.port), (remote.host, remote.port), "calling", None,
                           "WebRTC media, direct")


async def end(seed, server, turn, user, password):
    prepare_aiortc()
    from aiortc import (RTCBundlePolicy, RTCConfiguration, RTCIceServer, RTCIceTransportPolicy, RTCPeerConnection,
                        RTCSessionDescription)
    calls = 0
    turn_url = {"relay": f"turn:{turn}:3478?transport=udp", "relay-tls": f"turns:{turn}:443?transport=tcp"}

    async def call(room, opens, path, video, seconds):
        nonlocal calls
        calls += 1
        draw = random.Random(f"{seed}/{calls}")
        servers = ([RTCIceServer(turn_url[path], user, password)] if path in turn_url else
                   [RTCIceServer(f"stun:{turn}:3478")])
        policy = RTCIceTransportPolicy.RELAY if path in turn_url else RTCIceTransportPolicy.ALL
        peer = RTCPeerConnection(RTCConfiguration(iceServers=servers, iceTransportPolicy=policy,
                                                  bundlePolicy=RTCBundlePolicy.MAX_BUNDLE))
        received, readers, up = {"audio": 0, "video": 0}, [], asyncio.Event()

        async def count(track):
            while True:
                await track.recv()
                received[track.kind] += 1
        peer.on("track", lambda track: readers.append(asyncio.ensure_future(count(track))))

        def changed():
            if peer.connectionState in ("connected", "failed", "closed"):
                up.set()
        peer.on("connectionstatechange", changed)

        context = ssl.create_default_context(cafile=os.environ["SSL_CERT_FILE"])
        context.set_alpn_protocols(["http/1.1"])
        socket = await connect(f"wss://{server}/{room}", ssl=context, compression=None, ping_interval=None, open_timeout=15,
                               create_connection=Client)
        try:
            await hear(socket, "present")
            media = tracks(draw, video)

            def add_media():
                for track in media:
                    sender = peer.addTrack(track)
                    sender._ssrc, sender._rtx_ssrc = number_of_ten_digits(draw), number_of_ten_digits(draw)
            if opens:
                add_media()
                await peer.setLocalDescription(await peer.createOffer())
                await say(socket, {"type": "offer", "sdp": peer.localDescription.sdp})
                answer = await hear(socket, "answer")
                await peer.setRemoteDescription(RTCSessionDescription(answer["sdp"], "answer"))
            else:
                offer = await hear(socket, "offer")
                await peer.setRemoteDescription(RTCSessionDescription(offer["sdp"], "offer"))
                add_media()
                await peer.setLocalDescription(await peer.createAnswer())
                await say(socket, {"type": "answer", "sdp": peer.localDescription.sdp})
            connection = peer.getTransceivers()[0].sender.transport.transport._connection
            if path == "direct" and opens:
                tell_direct_flows(connection)
            await asyncio.wait_for(up.wait(), 20)
            if peer.connectionState != "connected":
                raise ConnectionError(f"the call's transport is {peer.connectionState}")
            if opens:
                way, names = way_of(connection)[0], way_of(connection)[1:]
                words = {"class": "call", "path": path, "media": "audio and video" if video else "audio"}
                agent.truth(APP, way, *names, "to_server", "call.start", 0, seconds=seconds, **words)
                await asyncio.sleep(seconds)
                agent.truth(APP, way, *names, "to_server", "call.end", 0, **words)
                await say(socket, {"type": "bye"})
            else:
                await hear(socket, "bye", seconds + 20)
            # What is under way arrives before its port is closed.
            for sender in peer.getSenders():
                await sender.stop()
            await asyncio.sleep(0.4)
        finally:
            await peer.close()
            for reader in readers:
                reader.cancel()
            await socket.close()
        return received

    await agent.serve({"call": call})


async def hear(socket, kind, seconds=20):
    message = json.loads(await asyncio.wait_for(socket.recv(), seconds))
    if message["type"] != kind:
        raise ConnectionError(f"'{message['type']}' came where '{kind}' was due")
    return message


if __name__ == "__main__":
    asyncio.run({"end": end, "signalling": signalling}[sys.argv[1]](*sys.argv[2:]))
