"""Telegram's connection to a data centre: MTProto by the obfuscated transport, to an address that no DNS name gave."""

from apps.framed_app import FramedApp


class App(FramedApp):
    software = "Telegram-shaped chat: TCP of Linux, AES-CTR by OpenSSL"
    modelled = ("Telegram's transport is our own program after core.telegram.org (obfuscated, intermediate framing, padding of "
                "MTProto 2.0), its contents random bytes of assumed lengths")
    transport, host_name, port = "telegram", "dc2.telegram.invalid", 443
    answers = {"text": ("ack", "ack"), "tapback": ("ack", "ack"), "ping": ("ping", None)}

    def place(self):
        # Apps know the data centres' addresses.
        return self.host.v4
