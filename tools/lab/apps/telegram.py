"""Telegram's connection to a data centre: MTProto by the obfuscated transport, to an address that no DNS name gave."""

from apps.framed_app import FramedApp
from network import LabError

# The setting `framing` of a scenario: the transport of framed.py.
FRAMINGS = {"intermediate": "telegram", "abridged": "telegram-abridged"}


class App(FramedApp):
    software = "Telegram-shaped chat: TCP of Linux, AES-CTR by OpenSSL"
    modelled = ("Telegram's transport is our own program after core.telegram.org (obfuscated, intermediate or abridged framing, "
                "padding of MTProto 2.0), its contents random bytes of assumed lengths")
    transport, host_name, port = "telegram", "dc2.telegram.invalid", 443
    answers = {"text": ("ack", "ack"), "tapback": ("ack", "ack"), "ping": ("ping", None)}

    def __init__(self, stage, settings):
        super().__init__(stage, settings)
        framing = self.settings.get("framing", "intermediate")
        if framing not in FRAMINGS:
            raise LabError(f"telegram: 'framing' is {' or '.join(FRAMINGS)}, not '{framing}'")
        self.transport = FRAMINGS[framing]

    def place(self):
        # Apps know the data centres' addresses.
        return self.host.v4
