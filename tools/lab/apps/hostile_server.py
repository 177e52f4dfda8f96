"""A web server that answers whatever name a hello has: hostile_server.py ADDRESS CERTIFICATE KEY PORT..."""

import socket
import ssl
import sys
import threading

address, pem, key, *ports = sys.argv[1:]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(pem, key)
context.set_alpn_protocols(["http/1.1"])


def answer(stream, port):
    stream.settimeout(3)
    try:
        if port == 80:
            stream.recv(4_096)
            stream.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        else:
            with context.wrap_socket(stream, server_side=True) as tls:
                tls.recv(4_096)
                tls.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nlab\n")
    except (OSError, ValueError):
        pass
    finally:
        stream.close()


def listen(port):
    listener = socket.create_server((address, port))
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 16)
    while True:
        stream, _ = listener.accept()
        threading.Thread(target=answer, args=(stream, port), daemon=True).start()


for port in map(int, ports[1:]):
    threading.Thread(target=listen, args=(port,), daemon=True).start()
listen(int(ports[0]))
