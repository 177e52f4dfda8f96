"""HTTP/2 and HTTP/1.1 by Python's ssl and the library h2, one thread a connection, with an account of every TLS record.

  apple_web_server.py JSON     {"listen": [{"host", "address", "port", "certificate", "key"}, ...]}

Where `certificate` is absent it speaks plain HTTP. The verb `expect` says what the next request for a path is answered
with. One write is one TLS record here, and one read never gives more than one: so this end knows the records of both.
What the client sent goes out as an event, since only the client knows when it did.
"""

import asyncio
import json
import os
import pathlib
import queue
import socket
import ssl
import sys
import threading

import h2.config
import h2.connection
import h2.events
import h2.settings

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import bodies  # noqa: E402
from agent import event, serve, truth  # noqa: E402

# RFC 8446, section 5.1
LARGEST_RECORD = 16_384
SECONDS = 60
# Flow control of HTTP/2: so wide that no upload of a sample has to wait for room, and its records are always the same.
WINDOW = 8 * 1024 * 1024


class Answers:
    """What the next request for a host and path gets; asked for by many threads."""

    def __init__(self):
        self.lock, self.queues = threading.Lock(), {}

    def add(self, host, path, answer):
        with self.lock:
            self.queues.setdefault((host, path), queue.SimpleQueue()).put(answer)

    def take(self, host, path):
        with self.lock:
            waiting = self.queues.get((host, path))
        try:
            return waiting.get_nowait() if waiting else {"status": 404, "kind": "plain", "type": "text/plain", "body": b""}
        except queue.Empty:
            return {"status": 404, "kind": "plain", "type": "text/plain", "body": b""}


class Connection:
    """One connection: counts what it reads and writes, and tells it from the main thread."""

    def __init__(self, plain, listen, context, tell, answers):
        self.plain, self.listen, self.context, self.tell, self.answers = plain, listen, context, tell, answers
        self.read = self.written = 0
        # (ordinal or None, bytes) of what was read and belongs to the request that is not complete yet
        self.request = []
        self.socket = plain
        self.client, self.server = plain.getpeername(), plain.getsockname()

    def run(self):
        try:
            self.plain.settimeout(SECONDS)
            self.plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.context:
                self.socket = self.context.wrap_socket(self.plain, server_side=True)
            is_h2 = self.context and self.socket.selected_alpn_protocol() == "h2"
            self.serve_h2() if is_h2 else self.serve_h1()
            if self.context:
                self.socket.unwrap()
        except (OSError, ssl.SSLError) as error:
            print(f"apple-web-server: {self.listen['host']}: {error}", file=sys.stderr)
        finally:
            self.socket.close()

    # Reading and writing, record by record

    def receive(self):
        data = self.socket.recv(2 * LARGEST_RECORD)
        if data:
            self.read += 1
        return data

    def send(self, kind, data, **more):
        """Writes, and tells it as one message."""
        records = []
        for at in range(0, len(data), LARGEST_RECORD):
            self.socket.sendall(data[at : at + LARGEST_RECORD])
            self.written += 1
            records.append(self.written)
        if data:
            self.tell(truth, "apple_web", "TCP", self.server, self.client, "to_client", kind, len(data),
                      records=records if self.context else None, **more)

    def received(self, kind, parts, **more):
        records = [number for number, _ in parts]
        self.tell(truth, "apple_web", "TCP", self.client, self.server, "to_server", kind, sum(n for _, n in parts),
                  records=records if self.context else None, **more)

    def complete(self, path, body):
        """A request has been read to its end; its time is the client's to say."""
        parts, self.request = self.request, []
        self.tell(event, what="request", host=self.listen["host"], path=path, client=list(self.client[:2]),
                  server=list(self.server[:2]), plaintext=sum(n for _, n in parts), body=body,
                  records=[number for number, _ in parts] if self.context else None)
        return self.answers.take(self.listen["host"], path)

    # HTTP/2, RFC 9113

    def serve_h2(self):
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
        self.h2.local_settings = h2.settings.Settings(client=False, initial_values={
            h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: WINDOW, h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: 100})
        self.h2.initiate_connection()
        self.h2.increment_flow_control_window(WINDOW)
        self.send("http2.control", self.h2.data_to_send())
        paths, lengths, is_open = {}, {}, set()
        while data := self.receive():
            changes = self.h2.receive_data(data)
            # A record in the middle of a frame changes nothing yet.
            ended, is_request = [], bool(is_open) and not changes
            for change in changes:
                if isinstance(change, h2.events.RequestReceived):
                    is_request = True
                    paths[change.stream_id] = dict(change.headers)[":path"]
                    is_open.add(change.stream_id)
                elif isinstance(change, h2.events.DataReceived):
                    is_request = True
                    lengths[change.stream_id] = lengths.get(change.stream_id, 0) + len(change.data)
                    self.h2.acknowledge_received_data(change.flow_controlled_length, change.stream_id)
                elif isinstance(change, h2.events.StreamEnded):
                    is_request = True
                    ended.append(change.stream_id)
                    is_open.discard(change.stream_id)
            if is_request:
                self.request.append((self.read, len(data)))
            else:
                self.received("http2.control", [(self.read, len(data))])
            answers = [(stream, self.complete(paths[stream], lengths.get(stream, 0))) for stream in ended]
            self.send("http2.control", self.h2.data_to_send())
            for stream, answer in answers:
                self.answer_h2(stream, answer)

    def answer_h2(self, stream, answer):
        body = answer["body"]
        self.h2.send_headers(stream, [(":status", str(answer["status"])), ("content-type", answer["type"]),
                                      ("content-length", str(len(body)))], end_stream=not body)
        at = 0
        while at < len(body):
            room = min(self.h2.local_flow_control_window(stream), self.h2.max_outbound_frame_size)
            if room <= 0:
                # Nothing else is asked for meanwhile: what comes is room.
                data = self.receive()
                if not data:
                    raise ConnectionError("closed in the middle of an answer")
                self.h2.receive_data(data)
                self.received("http2.control", [(self.read, len(data))])
                continue
            part = body[at : at + room]
            at += len(part)
            self.h2.send_data(stream, part, end_stream=at == len(body))
        self.send(answer["kind"], self.h2.data_to_send(), body=len(body))

    # HTTP/1.1, RFC 9112

    def serve_h1(self):
        waiting = b""
        while True:
            while b"\r\n\r\n" not in waiting:
                data = self.receive()
                if not data:
                    return
                self.request.append((self.read, len(data)))
                waiting += data
            head, _, waiting = waiting.partition(b"\r\n\r\n")
            lines = head.decode("latin-1").split("\r\n")
            fields = {k.strip().lower(): v.strip() for k, _, v in (line.partition(":") for line in lines[1:])}
            length = int(fields.get("content-length", 0))
            while len(waiting) < length:
                data = self.receive()
                if not data:
                    raise ConnectionError("closed in the middle of a request")
                self.request.append((self.read, len(data)))
                waiting += data
            waiting = waiting[length:]
            answer = self.complete(lines[0].split(" ")[1], length)
            body = answer["body"]
            head = (f"HTTP/1.1 {answer['status']} OK\r\nContent-Type: {answer['type']}\r\n"
                    f"Content-Length: {len(body)}\r\nConnection: keep-alive\r\n\r\n")
            self.send(answer["kind"], head.encode() + body, body=len(body))


def context_of(listen):
    if "certificate" not in listen:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(listen["certificate"], listen["key"])
    context.set_alpn_protocols(["h2", "http/1.1"])
    context.keylog_filename = os.environ["SSLKEYLOGFILE"]
    return context


def accept(listen, tell, answers):
    context = context_of(listen)
    family = socket.AF_INET6 if ":" in listen["address"] else socket.AF_INET
    listener = socket.create_server((listen["address"], listen["port"]), family=family, backlog=32)

    def loop():
        while True:
            plain, _ = listener.accept()
            connection = Connection(plain, listen, context, tell, answers)
            threading.Thread(target=connection.run, daemon=True).start()
    threading.Thread(target=loop, daemon=True).start()


async def main():
    loop, answers = asyncio.get_running_loop(), Answers()

    def tell(function, *values, **more):
        # Lines of several threads must not mix; and what is told keeps the order in which it happened.
        loop.call_soon_threadsafe(lambda: function(*values, **more))

    for listen in json.loads(sys.argv[1])["listen"]:
        accept(listen, tell, answers)

    async def expect(host, path, kind, status=200, body="binary", bytes=0, seed=0):
        type_, made = bodies.make(body, bytes, seed)
        answers.add(host, path, {"status": status, "kind": kind, "type": type_, "body": made})

    await serve({"expect": expect})


asyncio.run(main())
