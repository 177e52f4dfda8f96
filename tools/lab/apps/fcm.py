"""Google's push connection (FCM) on port 5228."""

from apps.framed_app import FramedApp


class App(FramedApp):
    software = "FCM-shaped push: TLS by Python's ssl (OpenSSL) at both ends"
    modelled = ("What Google's push connection says inside TLS is our own program after the MCS protocol of Chromium's "
                "sources, its contents random bytes of assumed lengths; the hello is OpenSSL's")
    transport, host_name, port = "fcm", "mtalk.google.com", 5228

    def do_notify(self, characters, **_):
        self.down("notification", characters, "iq")

    def do_heartbeat(self):
        self.up("ping", 0, "ping_ack")
