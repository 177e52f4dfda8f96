"""Either end of connections by OpenSSL: cipher_suites_agent.py server ADDRESS... | client NAME.

Both ends are given the same steps of a conversation and play them in turn: each step is a record of one side, or a
KeyUpdate. What arrives has to be what was said.
"""

import asyncio
import json
import os
import socket
import struct
import sys

import agent
from apps.libssl import Context, Library, Stream, TLSError

role, *names = sys.argv[1:]
SIDE = "to_server" if role == "client" else "to_client"
LONGEST_TOLD = 300
PATIENCE = struct.pack("ll", 10, 0)
library, contexts, sessions, listeners, tasks = Library(), {}, {}, [], []


def context(**settings):
    """One for all connections with the same settings, as tickets are only good where they were given."""
    key = json.dumps(settings, sort_keys=True)
    if key not in contexts:
        contexts[key] = Context(library, role == "server", keys=os.environ["SSLKEYLOGFILE"] if role == "client" else None,
                                **settings)
    return contexts[key]


class Talk:
    """One side of a conversation on an open connection."""

    def __init__(self, stream, connection, tls, suite):
        self.stream, self.records, self.tls, self.suite = stream, 0, tls, suite
        self.ends = connection.getsockname(), connection.getpeername()

    def play(self, steps):
        for step in steps:
            if "update" in step:
                if step["update"] == SIDE:
                    self.stream.update_key(step["requested"])
            elif step["direction"] == SIDE:
                self.say(step)
            else:
                self.hear(step, self.stream.read())

    def say(self, step, early=False):
        data = step["text"].encode("ascii")
        self.records += 1
        # A long text is known from its rule (cipher_suites.py).
        agent.truth("cipher_suites", "TCP", *self.ends, SIDE, "tls.early_data" if early else "tls.record", len(data),
                    records=[self.records], tls=self.tls, cipher_suite=self.suite, **{"class": "tls"},
                    text=step["text"] if len(data) <= LONGEST_TOLD else None)
        self.stream.write(data, early)

    @staticmethod
    def hear(step, data):
        if data != step["text"].encode("ascii"):
            raise TLSError(f"a record of {len(data)} bytes came where {len(step['text'])} were sent")


def talk(stream, connection, steps, early, tls, suite, is_resumed):
    spoken = Talk(stream, connection, tls, suite)
    if role == "client":
        for step in early:
            spoken.say(step, early=True)
        stream.handshake()
    else:
        if early:
            heard = stream.read_early()
            if len(heard) != len(early):
                raise TLSError(f"{len(heard)} records of early data came, {len(early)} were sent")
            for step, data in zip(early, heard):
                spoken.hear(step, data)
        stream.handshake()
    spoken.play(steps)
    if stream.suite != suite or stream.is_resumed != is_resumed:
        raise TLSError(f"{stream.suite}, {'resumed' if stream.is_resumed else 'new'}: not as was asked for")


async def do_connection(address, settings, steps, early, resume=None, keep=None):
    def work():
        with socket.create_connection((address, 443)) as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, PATIENCE)
            stream = Stream(context(**settings), connection, names[0], sessions[resume] if resume else None)
            talk(stream, connection, steps, early, settings["tls"], settings["suite"], resume is not None)
            if keep:
                sessions[keep] = stream.session
            stream.end()
    await asyncio.to_thread(work)


async def do_expect(settings, steps, early, resumed):
    """Takes the next connection, in the background."""
    def work():
        connection, _ = listeners[0].accept()
        with connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, PATIENCE)
            stream = Stream(context(**settings), connection)
            talk(stream, connection, steps, early, settings["tls"], settings["suite"], resumed)
            stream.read()
            stream.end()
    tasks.append(asyncio.create_task(asyncio.to_thread(work)))


async def do_over():
    """Waits until the connection that was expected has ended."""
    await tasks.pop()


async def do_version():
    return {"version": library.version()}


if role == "server":
    for place in names:
        listener = socket.create_server((place, 443), family=socket.AF_INET6 if ":" in place else socket.AF_INET)
        # Who has been promised a connection does not wait for it without end.
        listener.settimeout(20)
        listeners.append(listener)
    asyncio.run(agent.serve({"expect": do_expect, "over": do_over, "version": do_version}))
else:
    asyncio.run(agent.serve({"connection": do_connection, "version": do_version}))
