"""WhatsApp's chat connection: a Noise handshake and frames, no TLS."""

from apps.framed_app import FramedApp


class App(FramedApp):
    software = "WhatsApp-shaped chat: TCP of Linux"
    modelled = ("WhatsApp's transport is our own program after whatsmeow's sources (Noise XX handshake behind WA 6 3, frames "
                "with 3 bytes of length), its contents random bytes of assumed lengths")
    transport, host_name, port = "whatsapp", "g.whatsapp.net", 443
    answers = {"text": ("ack", "receipt"), "read": ("ack", None), "tapback": ("ack", "receipt"), "ping": ("ping", None), "call": ("ack", "receipt")}

    def do_call_signal(self, sender, to, **_):
        """Offer, accept or end of a call: a message of the chat connection."""
        self.exchange(sender, "call")
