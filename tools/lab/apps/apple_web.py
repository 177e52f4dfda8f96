"""Apple's web services beside the courier: bags, identity, activation, sign-in, attachments, FaceTime's links."""

import json
import time

from apps import App as Base
from network import LabError

PHONE = "[iPhone OS,26.1,23B85,iPhone17,1]"
IDENTITY = f"com.apple.invitation-registration {PHONE}"
ACTIVATION = "iOS Device Activator (MobileActivation-1015.60.1)"
BAG, PUSH_BAG = "init.ess.apple.com", "init-p01st.push.apple.com"
CONTENT = "p52-content.icloud-content.com"
HOSTS = (BAG, "profile.ess.apple.com", "identity.ess.apple.com", "query.ess.apple.com", "albert.apple.com",
         "gsa.apple.com", "gateway.icloud.com", CONTENT, "facetime.apple.com")
# curl-impersonate's name for Safari of iOS 18
HELLO = "safari184_ios"
# Photos go in pieces of at most so many bytes (beeper/imessage, mmcs_upload.go).
PIECE = 5 * 1024 * 1024


class App(Base):
    software = ("Apple's web services: TCP, TLS 1.3 and HTTP/2 of curl with BoringSSL, which sends the hello of Safari on "
                "iOS (curl-impersonate); the servers are Python's ssl (OpenSSL) with the library h2, and plain HTTP/1.1 for "
                "the courier's bag")
    modelled = ("Hosts and paths of Apple's web services follow public clients. Their bodies are property lists and random "
                "bytes, with lengths that are assumed except for the number of entries in the identity bag (405, as a public "
                "client's test of a captured one says); an iPhone's own daemons send another hello than Safari")
    needs = {"openssl": "openssl"}

    def __init__(self, stage, settings):
        super().__init__(stage, settings)
        self.hosts = {name: stage.host(name) for name in HOSTS}
        self.plain = stage.host(PUSH_BAG)
        self.server = self.client = None
        self.acts = self.told = 0

    def start_servers(self):
        listen = []
        for host in self.hosts.values():
            pem, key = self.stage.certificate(host)
            listen += [{"host": host.name, "address": a, "port": 443, "certificate": str(pem), "key": str(key)}
                       for a in host.addresses]
        listen += [{"host": self.plain.name, "address": a, "port": 80} for a in self.plain.addresses]
        self.server = self.stage.python_agent("internet", "apple-web-server", "apps/apple_web_server.py",
                                              json.dumps({"listen": listen}))

    def start_clients(self):
        self.client = self.stage.python_agent(self.settings.get("phone", "phone"), "apple-web-client",
                                              "apps/apple_web_client.py", self.settings.get("hello", HELLO))

    def versions(self):
        import curl_cffi
        import h2
        return [f"curl_cffi {curl_cffi.__version__}", f"h2 {h2.__version__}"]

    # One request and its answer

    def exchange(self, kind, host, path, asked=None, answered=("plist", 0), method=None, agent=IDENTITY, fields=None,
                 scheme="https", version=2, keep=False):
        """`asked` and `answered` are (kind of body, bytes); both ends make them from the act's number."""
        number = self.stage.number("apple_web", self.acts, kind)
        body, size = asked or (None, 0)
        self.server.ask("expect", host=host, path=path, kind=f"{kind}.answer", body=answered[0], bytes=answered[1],
                        seed=number)
        said = self.client.ask("request", timeout=60, url=f"{scheme}://{host}{path}",
                               method=method or ("POST" if asked else "GET"), fields=fields or {}, body=body, bytes=size,
                               seed=number + 1, agent=agent, version=version, keep=keep)
        if said["status"] != 200:
            raise LabError(f"{host}{path}: status {said['status']}")
        seen = self.request_seen(host, path)
        self.stage.tell("apple_web", f"{kind}.request", real=said["real"], proto="TCP", local=joined(seen["client"]),
                        remote=joined(seen["server"]), direction="to_server", plaintext=seen["plaintext"],
                        body=seen["body"], **({"records": seen["records"]} if seen["records"] else {}))

    def request_seen(self, host, path):
        """What the server read of the request: it was there before the answer, but its line may be on its way."""
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            with self.stage.lock:
                found = [e for e in self.stage.events if e["by"] == "apple-web-server" and e.get("what") == "request"]
            if len(found) > self.told:
                seen = found[self.told]
                self.told += 1
                if (seen["host"], seen["path"]) != (host, path):
                    raise LabError(f"{host}{path}: the server saw {seen['host']}{seen['path']}")
                return seen
            time.sleep(0.01)
        raise LabError(f"{host}{path}: the server did not see the request")

    def act(self, do, **fields):
        self.acts += 1
        return super().act(do, **fields)

    # The verbs

    def do_push_bag(self):
        """Where the couriers are; plain HTTP (rustpush src/util.rs)."""
        self.exchange("push.bag", PUSH_BAG, "/bag", answered=("push-bag", 0), agent=f"apsd {PHONE}", scheme="http", version=1)

    def do_bag(self):
        """Where identity services are."""
        self.exchange("identity.bag", BAG, "/WebObjects/VCInit.woa/wa/getBag?ix=3", answered=("identity-bag", 405))

    def do_register(self, bytes=12_000):
        """Sign-in to identity services and registration of the phone's services; lengths assumed."""
        self.exchange("identity.authenticate", "profile.ess.apple.com", "/WebObjects/VCProfileService.woa/wa/authenticateUser",
                      ("plist", 1_400), ("plist", 1_900), keep=True)
        self.exchange("identity.authenticate_device", "profile.ess.apple.com",
                      "/WebObjects/VCProfileService.woa/wa/authenticateDS", ("plist", 2_600), ("plist", 4_800), keep=True)
        self.exchange("identity.handles", "profile.ess.apple.com", "/WebObjects/VCProfileService.woa/wa/idsGetHandles",
                      None, ("plist", 1_300))
        self.exchange("identity.register", "identity.ess.apple.com", "/WebObjects/TDIdentityService.woa/wa/register",
                      ("plist", bytes), ("plist", 9_000))

    def do_lookup(self, bytes=3_000, keep=False):
        """Keys of a person's devices over HTTPS (most phones ask over the courier); `bytes` is the answer's length."""
        self.exchange("identity.lookup", "query.ess.apple.com", "/WebObjects/QueryService.woa/wa/query",
                      ("gzip", 190), ("gzip", bytes), keep=keep)

    def do_activate(self):
        """What a phone does when it is new or was restored (rustpush src/activation.rs); lengths assumed."""
        self.exchange("activation.handshake", "albert.apple.com", "/deviceservices/drmHandshake", ("plist", 5_200),
                      ("plist", 9_600), agent=ACTIVATION, keep=True)
        self.exchange("activation.activate", "albert.apple.com", "/deviceservices/deviceActivation", ("plist", 14_500),
                      ("plist", 11_800), agent=ACTIVATION)

    def do_sign_in(self):
        """Apple ID: two rounds of SRP, then iCloud's settings; lengths assumed."""
        for name, asked, answered in (("begin", 2_900, 1_200), ("complete", 3_100, 6_400)):
            self.exchange(f"account.{name}", "gsa.apple.com", "/grandslam/GsService2", ("plist", asked),
                          ("plist", answered), agent=f"akd {PHONE}", keep=name == "begin")
        self.exchange("account.icloud", "gateway.icloud.com", "/ckdatabase/api/client/record/sync", ("protobuf", 900),
                      ("protobuf", 2_200), agent=f"CloudKit/2250 {PHONE}")

    def do_upload(self, bytes):
        """A photo that a message will point to: its pieces are named, then sent (mmcs_upload.go)."""
        mmcs = {"x-apple-mmcs-dataclass": "com.apple.Dataclass.Messenger", "x-apple-mmcs-proto-version": "5.0"}
        self.exchange("attachment.authorize", CONTENT, "/authorizePut", ("protobuf", 420), ("protobuf", 1_900), fields=mmcs,
                      agent=f"IMTransferAgent/1000 {PHONE}", keep=True)
        for number, at in enumerate(range(0, bytes, PIECE)):
            self.exchange("attachment.upload", CONTENT, f"/upload/{number}", ("binary", min(PIECE, bytes - at)),
                          ("binary", 64), method="PUT", fields=mmcs, agent=f"IMTransferAgent/1000 {PHONE}", keep=True)
        self.exchange("attachment.complete", CONTENT, "/putComplete", ("protobuf", 700), ("protobuf", 120), fields=mmcs,
                      agent=f"IMTransferAgent/1000 {PHONE}")

    def do_download(self, bytes):
        mmcs = {"x-apple-mmcs-dataclass": "com.apple.Dataclass.Messenger", "x-apple-mmcs-proto-version": "5.0"}
        self.exchange("attachment.authorize", CONTENT, "/authorizeGet", ("protobuf", 260), ("protobuf", 1_500), fields=mmcs,
                      agent=f"IMTransferAgent/1000 {PHONE}", keep=True)
        self.exchange("attachment.download", CONTENT, "/container", answered=("binary", bytes),
                      agent=f"IMTransferAgent/1000 {PHONE}")

    def do_facetime_link(self):
        """A link to a call is opened in Safari; the key stays in the part after #, which is never sent."""
        self.exchange("facetime.link", "facetime.apple.com", "/join", answered=("html", 14_000),
                      agent="Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
                            "Version/26.1 Mobile/15E148 Safari/604.1")


def joined(end):
    return f"[{end[0]}]:{end[1]}" if ":" in end[0] else f"{end[0]}:{end[1]}"
