"""Bodies of HTTP messages with an exact number of bytes; the same seed gives the same body."""

import base64
import plistlib
import random

WORDS = ("about after again along answer before between bridge castle century change city coast country early evening "
         "field first forest garden great harbour history house island journey language large later letter little "
         "market morning mountain music nation never north often order paper people place region river road school "
         "second small south station stone street summer system temple through today town trade under valley village "
         "water where window winter world write year").split()


def make(kind, size, seed):
    """Content type and bytes."""
    rng = random.Random(f"{kind}/{size}/{seed}")
    type_, build = KINDS[kind]
    return type_, build(size, rng)


def noise(size, rng):
    """What cannot be told from ciphertext or from a compressed picture."""
    return rng.randbytes(size)


def jpeg(size, rng):
    # SOI and the JFIF segment; what follows is never looked at.
    head = bytes.fromhex("ffd8ffe000104a46494600010100000100010000")
    return head + rng.randbytes(max(0, size - len(head) - 2)) + b"\xff\xd9"


def sentence(rng):
    return " ".join(rng.choice(WORDS) for _ in range(rng.randint(6, 16))).capitalize() + "."


def text(size, rng, head=b"", tail=b""):
    """Sentences between a head and a tail."""
    out = bytearray(head)
    while len(out) + len(tail) < size:
        out += sentence(rng).encode() + b"\n"
    return bytes(out[: max(0, size - len(tail))]) + tail


def script(size, rng):
    return text(size, rng, b"/* a script of the lab: it does nothing\n", b"*/")


def style(size, rng):
    return text(size, rng, b"/* a style of the lab\n", b"*/body{margin:1em}")


def json_text(size, rng):
    return text(size, rng, b'{"text": "', b'"}').replace(b"\n", b" ")


def plist(size, rng):
    """An XML property list with one value of base64, filled to the size."""
    empty = plistlib.dumps({"data": b"", "fill": "", "status": 0})
    room = max(0, size - len(empty))
    # Each line of plistlib's base64 has 76 characters and a tab; the string takes what is left.
    data = rng.randbytes(int(room * 0.7))
    while True:
        out = plistlib.dumps({"data": data, "fill": "", "status": 0})
        if len(out) <= size or not data:
            break
        data = data[: len(data) - max(1, (len(out) - size) // 2)]
    fill = "".join(rng.choice("0123456789abcdef") for _ in range(max(0, size - len(out))))
    return plistlib.dumps({"data": data, "fill": fill, "status": 0})


def signed_bag(bag, rng):
    """Apple's bags are a property list in a property list, with a signature and its certificates."""
    return plistlib.dumps({"bag": plistlib.dumps(bag), "certs": [rng.randbytes(1100), rng.randbytes(1000)],
                           "signature": rng.randbytes(256)})


def push_bag(size, rng):
    """Keys as public clients read or serve them; what else is in Apple's is not known, so the size is its own."""
    return signed_bag({"APNSCourierHostcount": 50, "APNSCourierHostname": "courier.push.apple.com",
                       "APNSCourierStatus": True, "ClientConnectionRetryAttempts": 100}, rng)


def identity_bag(size, rng):
    """405 entries (`size` of them), of which the known ones are addresses of identity services."""
    hosts = ("identity", "profile", "query", "init", "static")
    bag = {f"id-{rng.choice(WORDS)}-{rng.choice(WORDS)}-{n}":
           f"https://{rng.choice(hosts)}.ess.apple.com/WebObjects/VCProfileService.woa/wa/{rng.choice(WORDS)}"
           if n % 4 == 0 else rng.randint(0, 86_400) for n in range(size)}
    return signed_bag(bag, rng)


KINDS = {
    "binary": ("application/octet-stream", noise),
    "protobuf": ("application/vnd.com.apple.me.ubchunk+protobuf", noise),
    "gzip": ("application/x-apple-plist", noise),
    "plist": ("application/x-apple-plist", plist),
    "push-bag": ("application/x-apple-plist", push_bag),
    "identity-bag": ("application/x-apple-plist", identity_bag),
    "json": ("application/json", json_text),
    "html": ("text/html; charset=utf-8", text),
    "script": ("text/javascript", script),
    "style": ("text/css", style),
    "image": ("image/jpeg", jpeg),
}
