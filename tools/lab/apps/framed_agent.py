"""An end of a connection with frames of its own (framed.py).

  framed_agent.py TRANSPORT client SEED          verbs: connect, send, wait, close
  framed_agent.py TRANSPORT server SEED ADDRESS,... PORT [CERTIFICATE KEY]    verbs: send, wait

Every frame that arrives is counted; `wait` waits for a number of them. A received "ack me" is answered by the client
itself where the act says so, so that one act is one exchange.
"""

import asyncio
import os
import socket
import ssl
import sys
import threading
import time

import agent
from apps.framed import TRANSPORTS, generator

# Longer than any greeting in the lab takes; what is cut off in the middle of it is given up.
GREETING_SECONDS = 15


class End:
    """A connection and the frames that came over it."""

    def __init__(self, transport, stream, is_client):
        self.transport, self.stream, self.is_client = transport, stream, is_client
        self.arrived, self.sent, self.change = 0, 0, threading.Condition()
        self.is_open = True

    def begin(self):
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        try:
            while True:
                self.transport.read(self.stream)
                with self.change:
                    self.arrived += 1
                    self.change.notify_all()
        except (OSError, ConnectionError, ValueError):
            with self.change:
                self.is_open = False
                self.change.notify_all()

    def send(self, kind, characters=0, told=None, **more):
        data = self.transport.frame(kind, characters)
        self.tell(told or kind, len(data), text_length=characters or None, **more)
        self.stream.sendall(data)

    def tell(self, kind, size, **more):
        self.sent += 1
        records = [self.sent] if self.transport.tls else None
        agent.truth(self.transport.name, "TCP", self.stream.getsockname(), self.stream.getpeername(),
                    "to_server" if self.is_client else "to_client", f"{self.transport.name}.{kind}", size, records=records,
                    **more)

    def wait(self, count, seconds=10):
        deadline = time.monotonic() + seconds
        with self.change:
            while self.arrived < count:
                left = deadline - time.monotonic()
                if left <= 0 or not self.is_open:
                    raise TimeoutError(f"{self.arrived} of {count} frames came")
                self.change.wait(min(left, 0.5))


class Counted:
    """Counts what the handshake writes, so that the numbers of later records are right, and tells it as truth."""

    def __init__(self, end, before_first=None):
        self.end, self.stream, self.before_first = end, end.stream, before_first

    def sendall(self, data):
        if self.before_first:
            self.before_first()
            self.before_first = None
        self.end.tell("handshake", len(data))
        self.stream.sendall(data)

    def recv(self, count):
        return self.stream.recv(count)


def talk(state):
    """The verbs of both ends, on the connection that is open."""
    async def send(kind, characters=0):
        if state["end"] is None:
            raise ConnectionError("nobody is connected")
        state["end"].send(kind, characters)

    async def wait(count):
        """Until so many frames have come in all."""
        await asyncio.to_thread(state["end"].wait, count)

    async def arrived():
        return {"arrived": state["end"].arrived if state["end"] else 0}

    return {"send": send, "wait": wait, "arrived": arrived}


def client(kind, seed):
    state = {"connections": 0, "end": None}

    async def connect(host, port, patience=10):
        state["connections"] += 1
        transport = TRANSPORTS[kind](generator(seed, "client", state["connections"]), True)
        stream = await asyncio.to_thread(socket.create_connection, (host, port), patience)
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if transport.tls:
            context = ssl.create_default_context(cafile=os.environ["SSL_CERT_FILE"])
            context.keylog_filename = os.environ["SSLKEYLOGFILE"]
            stream = await asyncio.to_thread(context.wrap_socket, stream, server_hostname=transport.tls)
        state["end"] = end = End(transport, stream, True)
        await asyncio.to_thread(transport.greet, Counted(end))
        stream.settimeout(None)
        end.begin()

    async def close():
        end, state["end"] = state["end"], None
        if end:
            hang_up(end.stream)

    return talk(state) | {"connect": connect, "close": close}, close


def server(kind, seed, addresses, port, *secrets):
    state = {"connections": 0, "end": None}
    context = None
    if secrets:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*secrets)
        # No tickets: a ticket's record would come between the handshake and the first message.
        context.num_tickets = 0

    def accept(listener):
        while True:
            stream, _ = listener.accept()
            state["connections"] += 1
            # A thread each: one who connects and says nothing must not keep the others out.
            threading.Thread(target=welcome, args=(stream, state["connections"]), daemon=True).start()

    def welcome(stream, number):
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        stream.settimeout(GREETING_SECONDS)
        transport = TRANSPORTS[kind](generator(seed, "server", number), False)
        try:
            if context:
                stream = context.wrap_socket(stream, server_side=True)
            end = End(transport, stream, False)
            if hasattr(transport, "accept"):
                transport.accept(stream)
            # From the first answer on: the phone may act at once on the last one.
            transport.greet(Counted(end, lambda: state.update(end=end)))
            stream.settimeout(None)
            end.begin()
        except (OSError, ValueError) as error:
            print(f"{kind}: {error}", file=sys.stderr)
            stream.close()
    for address in addresses.split(","):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        listener = socket.create_server((address, int(port)), family=family)
        threading.Thread(target=accept, args=(listener,), daemon=True).start()

    return talk(state), None


def hang_up(stream):
    """close_notify where there is TLS, then FIN."""
    try:
        if isinstance(stream, ssl.SSLSocket):
            stream.settimeout(1)
            stream = stream.unwrap()
        stream.shutdown(socket.SHUT_RDWR)
    except (OSError, ValueError):
        pass
    stream.close()


def main():
    kind, role, seed, *rest = sys.argv[1:]
    verbs, at_end = client(kind, seed) if role == "client" else server(kind, seed, *rest)
    asyncio.run(agent.serve(verbs, at_end))


if __name__ == "__main__":
    main()
