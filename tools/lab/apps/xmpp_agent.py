"""An XMPP client: xmpp_agent.py ADDRESS PASSWORD SEED. Verbs: connect, send, arrived, wait, ping, close."""

import asyncio
import os
import random
import sys

import agent
import slixmpp

address, password, seed = sys.argv[1:4]
draw = random.Random(seed)
WORDS = "about after again back been can come could day did down first from get good had has her him into just know like made".split()
state = {"arrived": 0}


class Client(slixmpp.ClientXMPP):
    """Counts what arrives; answers a text with a receipt (XEP-0184)."""

    def __init__(self):
        super().__init__(address + "/lab", password)
        self.ready, self.ended = asyncio.Event(), asyncio.Event()
        self.ca_certs = os.environ["SSL_CERT_FILE"]
        self.whitespace_keepalive = False
        # STARTTLS only; it would try TLS at once first.
        self.enable_direct_tls = False
        self.register_plugin("xep_0085")
        self.register_plugin("xep_0184")
        self.register_plugin("xep_0199")
        self.plugin["xep_0184"].auto_ack = False
        self.add_event_handler("session_start", self.begin)
        self.add_event_handler("disconnected", lambda _: self.ended.set())
        self.register_handler(slixmpp.xmlstream.handler.Callback(
            "all messages", slixmpp.xmlstream.matcher.MatchXPath(f"{{{self.default_ns}}}message"), self.came))

    def get_ssl_context(self):
        context = super().get_ssl_context()
        context.keylog_filename = os.environ["SSLKEYLOGFILE"]
        return context

    async def begin(self, _):
        self.send_presence()
        await self.get_roster()
        self.ready.set()

    def came(self, message):
        state["arrived"] += 1
        if message["body"] and message["type"] == "chat":
            answer = self.make_message(message["from"], mtype="chat")
            answer["receipt"] = message["id"]
            self.tell_and_send(answer, "receipt")

    def tell_and_send(self, stanza, kind, characters=None):
        text = str(stanza)
        sockets = self.transport.get_extra_info("sockname"), self.transport.get_extra_info("peername")
        agent.truth("xmpp", "TCP", *sockets, "to_server", f"xmpp.{kind}", len(text.encode()), text_length=characters,
                    **{"class": "chat"})
        stanza.send()


async def main():
    async def connect():
        state["client"] = client = Client()
        client.connect(host=address.partition("@")[2], port=5222)
        await asyncio.wait_for(client.ready.wait(), 20)

    async def send(to, kind, characters=0):
        client = state["client"]
        message = client.make_message(to + "/lab", mtype="chat")
        message["id"] = f"{draw.getrandbits(64):016x}"
        if kind == "text":
            text = ""
            while len(text) < characters:
                text += draw.choice(WORDS) + " "
            message["body"] = text[:characters]
            message["chat_state"] = "active"
            message["request_receipt"] = True
        elif kind == "displayed":
            message.xml.append(slixmpp.xmlstream.ET.Element("{urn:xmpp:chat-markers:0}displayed", {"id": "0" * 16}))
        else:
            message["chat_state"] = kind
        client.tell_and_send(message, kind, characters or None)

    async def arrived():
        return {"arrived": state["arrived"]}

    async def wait(count):
        for _ in range(200):
            if state["arrived"] >= count:
                return
            await asyncio.sleep(0.05)
        raise TimeoutError(f"{state['arrived']} of {count} messages came")

    async def ping():
        await state["client"].plugin["xep_0199"].ping(address.partition("@")[2])

    async def close():
        client = state.pop("client", None)
        if client:
            client.disconnect()
            await asyncio.wait_for(client.ended.wait(), 5)

    await agent.serve({"connect": connect, "send": send, "arrived": arrived, "wait": wait, "ping": ping, "close": close}, close)


asyncio.run(main())
