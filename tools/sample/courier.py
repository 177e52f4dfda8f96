"""The modelled courier connection: real TLS by Python's ssl, records of the sizes that the protocol's framing gives.

  courier.py server FOLDER             listens on port 5223 until it is ended
  courier.py client FRAMING NAME CA KEYS

FRAMING is `pack` (apns-pack-v1, TLS 1.3) or `tlv` (apns-security-v3, TLS 1.2). What stands in a record is its command
byte and the words "modelled NAME", filled up to the size; nothing of a real device or service is in it.
"""

import pathlib
import socket
import ssl
import sys
import time

PORT = 5223
ALPN = {"pack": ["apns-pack-v1", "apns-security-v3"], "tlv": ["apns-security-v3", "apns-pack-v1"]}
# the name in the hello differs from the host's: it has no number
SERVER_NAME = {"pack": "courier2.push.apple.com", "tlv": "courier.push.apple.com"}
# (command byte, what it is, from client, plaintext bytes, seconds before it); sizes by framing: one device,
# pair encryption, warm caches. Connect, connected and state have published fields but no published sizes in pack.
SCRIPTS = {
    "pack": [
        (0x07, "connect", True, 1010, 0.0), (0x08, "connected", False, 92, 0.05), (0x14, "state", True, 12, 0.01),
        (0x09, "filter of 50 topics", True, 1190, 0.01), (0x0E, "no storage", False, 38, 0.05),
        (0x0A, "app alert of 100 characters", False, 246, 0.6), (0x0B, "ack", True, 12, 0.01),
        (0x0A, "iMessage text of 100 characters", False, 520, 0.9), (0x0B, "ack", True, 12, 0.01),
        (0x0A, "iMessage delivered", True, 62, 0.03), (0x0B, "ack", False, 10, 0.04),
        (0x0A, "iMessage typing start", True, 64, 0.7), (0x0B, "ack", False, 10, 0.04),
        (0x0A, "iMessage text of 20 characters", True, 443, 0.8), (0x0B, "ack", False, 10, 0.04),
        (0x0A, "iMessage delivered", False, 62, 0.2), (0x0B, "ack", True, 12, 0.01),
        (0x0A, "app alert of 40 characters", False, 185, 0.5), (0x0B, "ack", True, 12, 0.01),
        (0x0D, "keep-alive response", False, 4, 0.6),
    ],
    "tlv": [
        (0x07, "connect", True, 1032, 0.0), (0x08, "connected", False, 120, 0.05), (0x14, "state", True, 16, 0.01),
        (0x09, "filter of 10 topics", True, 270, 0.01), (0x0E, "no storage", False, 40, 0.05),
        (0x0A, "app alert of 40 characters", False, 249, 0.5), (0x0B, "ack", True, 51, 0.01),
        (0x0A, "app alert of 200 characters", False, 409, 0.7), (0x0B, "ack", True, 51, 0.01),
        (0x0C, "keep-alive", True, 5, 0.6), (0x0D, "keep-alive response", False, 9, 0.03),
    ],
}


def plaintext(framing, command, what, size):
    """A record's bytes: the command, its length where the framing has one, and words that say it is a model."""
    head = bytes([command])
    if framing == "tlv" and size >= 5:
        head += (size - 5).to_bytes(4, "big")
    return (head + b" modelled " + what.encode() + b"." * size)[:size]


def play(connection, framing, is_client):
    """Both ends go through the script, and each waits for what the other has to say."""
    connection.do_handshake()
    for command, what, from_client, size, pause in SCRIPTS[framing]:
        if from_client == is_client:
            time.sleep(pause)
            connection.sendall(plaintext(framing, command, what, size))
        else:
            left = size
            while left > 0:
                got = connection.recv(left)
                if not got:
                    raise ConnectionError(f"closed before '{what}'")
                left -= len(got)


def serve(folder):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "courier.pem", folder / "courier.key")
    context.set_alpn_protocols(["apns-pack-v1", "apns-security-v3"])
    context.sni_callback = None
    with socket.create_server(("::", PORT), family=socket.AF_INET6, dualstack_ipv6=True) as listener:
        while True:
            plain, _ = listener.accept()
            try:
                with context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False) as connection:
                    connection.do_handshake()
                    play(connection, "pack" if connection.version() == "TLSv1.3" else "tlv", False)
                    connection.unwrap()
            except (OSError, ssl.SSLError) as error:
                print(f"courier: {error}", file=sys.stderr)


def visit(framing, host, authority, keys):
    context = ssl.create_default_context(cafile=authority)
    context.keylog_filename = keys
    context.set_alpn_protocols(ALPN[framing])
    family = socket.AF_INET6
    if framing == "tlv":
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        family = socket.AF_INET
    address = socket.getaddrinfo(host, PORT, family, socket.SOCK_STREAM)[0][4]
    with socket.socket(family, socket.SOCK_STREAM) as plain:
        plain.settimeout(15)
        plain.connect(address)
        with context.wrap_socket(plain, server_hostname=SERVER_NAME[framing], do_handshake_on_connect=False) as connection:
            play(connection, framing, True)
            connection.unwrap()


def main():
    if len(sys.argv) == 3 and sys.argv[1] == "server":
        serve(pathlib.Path(sys.argv[2]))
    elif len(sys.argv) == 6 and sys.argv[1] == "client" and sys.argv[2] in SCRIPTS:
        visit(*sys.argv[2:])
    else:
        print(__doc__, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
