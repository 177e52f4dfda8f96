"""Slack's Web API, a request and its answer over HTTPS (docs.slack.dev/apis/web-api): each write is one TLS record.

  slack_api_agent.py server SEED HOST ADDRESS,... CERTIFICATE KEY    no verbs
  slack_api_agent.py client SEED HOST                                verbs: call
"""

import asyncio
import json
import os
import random
import ssl
import sys

import agent

role, seed, host, *rest = sys.argv[1:]
draw = random.Random(f"{seed}/{role}")
WORDS = "about after again back been can could day did down first from get good had has her him into just know".split()


def tell(writer, kind, data, characters=None):
    agent.truth("slack", "TCP", writer.get_extra_info("sockname"), writer.get_extra_info("peername"),
                "to_server" if role == "client" else "to_client", f"slack.{kind}", len(data), records=[1],
                text_length=characters, **{"class": "work chat"})
    writer.write(data)


async def message(reader):
    """Head and body of an HTTP message with a Content-Length."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
    return head, await reader.readexactly(length)


def text(characters):
    words = ""
    while len(words) < characters:
        words += draw.choice(WORDS) + " "
    return words[:characters]


async def answer(reader, writer):
    """What the method gives: `ok`, the channel, the time that names the message, and the message itself."""
    try:
        _, body = await message(reader)
        asked = json.loads(body)
        time = f"{draw.randint(10**9, 2 * 10**9)}.{draw.randint(100000, 999999)}"
        user = "U" + draw.randbytes(5).hex().upper()
        said = json.dumps({"ok": True, "channel": asked["channel"], "ts": time,
                           "message": {"type": "message", "user": user, "text": asked["text"]}})
        tell(writer, "api_answer", (f"HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\n"
                                    f"Content-Length: {len(said)}\r\nConnection: close\r\n\r\n{said}").encode())
        await writer.drain()
    except (OSError, ValueError, KeyError, StopIteration, asyncio.IncompleteReadError) as error:
        print(f"slack API: {type(error).__name__}: {error}", file=sys.stderr)
    finally:
        writer.close()


async def call(characters):
    """chat.postMessage, on a connection of its own."""
    context = ssl.create_default_context(cafile=os.environ["SSL_CERT_FILE"])
    context.keylog_filename = os.environ["SSLKEYLOGFILE"]
    context.set_alpn_protocols(["http/1.1"])
    reader, writer = await asyncio.wait_for(asyncio.open_connection(host, 443, ssl=context), 15)
    body = json.dumps({"channel": "C" + draw.randbytes(5).hex().upper(), "text": text(characters)})
    tell(writer, "api_request", (f"POST /api/chat.postMessage HTTP/1.1\r\nHost: {host}\r\n"
                                 f"Authorization: Bearer xoxp-{draw.randbytes(32).hex()}\r\n"
                                 f"Content-Type: application/json; charset=utf-8\r\nContent-Length: {len(body)}\r\n"
                                 f"Connection: close\r\n\r\n{body}").encode(), characters)
    head, _ = await asyncio.wait_for(message(reader), 15)
    writer.close()
    await writer.wait_closed()
    if not head.startswith(b"HTTP/1.1 200 "):
        raise ConnectionError(f"the API answered {head.split(bytes((13, 10)))[0].decode()}")


async def server():
    addresses, pem, key = rest
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, key)
    context.set_alpn_protocols(["http/1.1"])
    for address in addresses.split(","):
        await asyncio.start_server(answer, address, 443, ssl=context)
    await agent.serve({})


asyncio.run(agent.serve({"call": call}) if role == "client" else server())
