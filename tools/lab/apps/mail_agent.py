"""A mail client: mail_agent.py HOST SEED. Verbs: open, news, renew, fetch, send, close."""

import asyncio
import imaplib
import os
import random
import smtplib
import ssl
import sys

import agent

host, seed = sys.argv[1:3]
draw = random.Random(seed)
state = {}


def context():
    made = ssl.create_default_context(cafile=os.environ["SSL_CERT_FILE"])
    made.keylog_filename = os.environ["SSLKEYLOGFILE"]
    return made


def told(connection, way, kind, size):
    # What was received is told in the name of the server that sent it.
    ends = [connection.getsockname(), connection.getpeername()]
    agent.truth("mail", "TCP", *(ends if way == "to_server" else ends[::-1]), way, kind, size, **{"class": "mail"})


def letter(size):
    lines = [f"From: someone@{host}\r\nTo: phone@{host}\r\nSubject: {draw.randbytes(8).hex()}\r\n\r\n"]
    while sum(map(len, lines)) < size:
        lines.append(draw.randbytes(35).hex() + "\r\n")
    return "".join(lines)


def do_open():
    state["imap"] = imap = imaplib.IMAP4_SSL(host, 993, ssl_context=context(), timeout=15)
    imap.login("phone", "lab")
    imap.select("INBOX")
    idle()


def idle():
    imap = state["imap"]
    imap.send(b"L1 IDLE\r\n")
    imap.readline()


def stop_idling(imap):
    imap.send(b"DONE\r\n")
    while not imap.readline().startswith(b"L1 OK"):
        pass


def do_news():
    """Waits for the server's word of a new mail, then fetches it."""
    imap = state["imap"]
    while b"EXISTS" not in (line := imap.readline()):
        if not line:
            raise ConnectionError("the server closed")
    stop_idling(imap)
    fetch(imap)
    idle()


def fetch(imap):
    _, (numbers,) = imap.search(None, "UNSEEN")
    for number in numbers.split():
        _, parts = imap.fetch(number, "(RFC822)")
        told(imap.sock, "to_client", "mail.message", len(parts[0][1]))


def do_renew():
    """RFC 2177: IDLE is to be begun anew at least every 29 minutes."""
    stop_idling(state["imap"])
    idle()


def do_fetch():
    imap = imaplib.IMAP4_SSL(host, 993, ssl_context=context(), timeout=15)
    imap.login("phone", "lab")
    imap.select("INBOX")
    fetch(imap)
    imap.logout()


def do_send(size, quiet=False):
    text = letter(size)
    with smtplib.SMTP(host, 587, local_hostname="phone.example.net", timeout=15) as smtp:
        smtp.starttls(context=context())
        smtp.ehlo()
        if not quiet:
            told(smtp.sock, "to_server", "mail.message", len(text))
        smtp.sendmail(f"phone@{host}", [f"friend@{host}"], text)


def do_close():
    imap = state.pop("imap", None)
    if imap:
        stop_idling(imap)
        imap.logout()


def verb(function):
    async def run(**fields):
        await asyncio.to_thread(function, **fields)
    return run


asyncio.run(agent.serve({"open": verb(do_open), "news": verb(do_news), "renew": verb(do_renew), "fetch": verb(do_fetch), "send": verb(do_send),
                         "close": verb(do_close)}, verb(do_close)))
