"""A WebSocket over TLS: a client, or a server that plays the service.

Whatever either end writes, from the handshake on, is told as truth: one write is one TLS record.

  websocket_agent.py server APP SEED ADDRESS,... CERTIFICATE KEY    verbs: send, wait
  websocket_agent.py client APP SEED                                verbs: connect, send, wait, arrived, ping, close
"""

import asyncio
import json
import os
import random
import ssl
import sys

import agent
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as open_client
from websockets.asyncio.server import ServerConnection
from websockets.asyncio.server import serve as open_server

role, app, seed, *rest = sys.argv[1:]
draw = random.Random(f"{seed}/{role}")
state = {"arrived": 0, "socket": None}
WORDS = "about after again back been can could day did down first from get good had has her him into just know like make".split()
# RFC 6455, section 5.2
OPCODES = {0x8: "close", 0x9: "ping", 0xA: "pong"}


class Told:
    """A transport that tells what is written to it; otherwise it is the one inside."""

    def __init__(self, transport, connection):
        self.transport, self.connection, self.records = transport, connection, 0

    def __getattr__(self, name):
        return getattr(self.transport, name)

    def write(self, data):
        self.records += 1
        kind = "handshake" if self.records == 1 else OPCODES.get(data[0] & 0x0F)
        kind, characters = (kind, None) if kind else self.connection.said
        agent.truth(app, "TCP", self.get_extra_info("sockname"), self.get_extra_info("peername"),
                    "to_server" if role == "client" else "to_client", f"{app}.{kind}", len(data), records=[self.records],
                    text_length=characters, **{"class": "work chat"})
        self.transport.write(data)


class Telling:
    """A connection whose writes are told; `said` is kind and length of the message that it writes next."""

    said = ("message", None)

    def connection_made(self, transport):
        super().connection_made(transport)
        self.transport = Told(transport, self)


class Client(Telling, ClientConnection):
    pass


class Server(Telling, ServerConnection):
    pass


def message(kind, characters):
    """JSON as such services send it: identifiers, times, and for a message its text."""
    text = ""
    while len(text) < characters:
        text += draw.choice(WORDS) + " "
    body = {"type": kind, "id": draw.randbytes(6).hex(), "ts": f"{draw.randint(10**9, 2 * 10**9)}.{draw.randint(100000, 999999)}"}
    if kind == "message":
        body |= {"channel": "C" + draw.randbytes(5).hex().upper(), "user": "U" + draw.randbytes(5).hex().upper(),
                 "text": text[:characters], "client_msg_id": draw.randbytes(16).hex(), "team": "T" + draw.randbytes(5).hex().upper()}
    elif kind == "typing":
        body |= {"channel": "C" + draw.randbytes(5).hex().upper(), "user": "U" + draw.randbytes(5).hex().upper()}
    return json.dumps(body)


async def send(kind="message", characters=0):
    for _ in range(50):
        if state["socket"]:
            break
        await asyncio.sleep(0.1)
    socket, text = state["socket"], message(kind, characters)
    socket.said = (kind, characters or None)
    await socket.send(text)


async def wait(count):
    for _ in range(100):
        if state["arrived"] >= count:
            return
        await asyncio.sleep(0.1)
    raise TimeoutError(f"{state['arrived']} of {count} messages came")


async def arrived():
    return {"arrived": state["arrived"]}


async def listen(socket):
    state["socket"] = socket
    async for _ in socket:
        state["arrived"] += 1


async def client():
    async def connect(url):
        context = ssl.create_default_context(cafile=os.environ["SSL_CERT_FILE"])
        context.keylog_filename = os.environ["SSLKEYLOGFILE"]
        context.set_alpn_protocols(["http/1.1"])
        # No name of the library in the handshake: its version would change the truth.
        socket = await open_client(url, ssl=context, compression=None, ping_interval=None, open_timeout=15,
                                   user_agent_header=None, create_connection=Client)
        state["socket"] = socket
        state["task"] = asyncio.create_task(listen(socket))

    async def ping():
        await (await state["socket"].ping(draw.randbytes(4)))

    async def close():
        socket, state["socket"] = state["socket"], None
        if socket:
            await socket.close()

    await agent.serve({"connect": connect, "send": send, "wait": wait, "arrived": arrived, "ping": ping, "close": close}, close)


async def server():
    addresses, pem, key = rest
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, key)
    for address in addresses.split(","):
        await open_server(listen, address, 443, ssl=context, compression=None, ping_interval=None, server_header=None,
                          create_connection=Server)
    await agent.serve({"send": send, "wait": wait, "arrived": arrived})


asyncio.run(client() if role == "client" else server())
