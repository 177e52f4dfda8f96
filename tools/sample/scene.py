"""What happens in the sample capture: who is there, what the servers are called, and which client does what.

The couriers and Telegram stand inside the prefixes that their operators publish, Apple's other hosts elsewhere in
17.0.0.0/8, and everything else in 198.18.0.0/15 (RFC 2544) and 2001:db8::/32 (RFC 3849). The namespaces have no way
out, so nobody is reached there.
"""

CAPTURE = "first-look.pcapng"
PHONE = ("198.18.0.10", "2001:db8::10")
LAPTOP = ("198.18.0.20", "2001:db8::20")
RESOLVER = ("198.18.0.1", "2001:db8::1")


class Service:
    """A server: its name, where it stands, the alias that DNS answers with, and what a flow to it is."""

    def __init__(self, name, v4, v6, port, kind, tag, service, canonical=None):
        self.name, self.v4, self.v6, self.port = name, v4, v6, port
        self.kind, self.tag, self.service, self.canonical = kind, tag, service, canonical


# kind: web = nginx with TLS 1.2 and 1.3, web12 = nginx with TLS 1.2 and an RSA key, retry = nginx that accepts one
# group only, openssl = openssl s_server, gnutls = gnutls-serv, courier = the modelled one, plain = nginx without TLS, mail = aiosmtpd
SERVICES = [
    Service("18-courier2.push.apple.com", "17.57.145.18", "2620:149:a44::18", 5223, "courier", "push", "APNs",
            "courier2-push-apple.com.akadns.net"),
    Service("7-courier.push.apple.com", "17.57.144.84", "2620:149:a44::84", 5223, "courier", "push", "APNs",
            "courier-push-apple.com.akadns.net"),
    Service("init-p01st.push.apple.com", "17.188.143.10", None, 80, "plain", "push", "APNs bag",
            "init-p01st-lb.push-apple.com.akadns.net"),
    Service("mtalk.google.com", "198.19.5.28", "2001:db8:5::28", 5228, "gnutls", "push", "FCM"),
    Service("query.ess.apple.com", "17.32.194.10", None, 443, "web", "messaging", "iMessage identity (IDS)"),
    # A photo, not a message's attachment: the hosts are those of all iCloud content.
    Service("p52-content.icloud-content.com", "17.32.200.52", None, 443, "web", "other", "iCloud content"),
    Service("g.whatsapp.net", "198.19.7.1", "2001:db8:7::1", 443, "web12", "messaging", "WhatsApp"),
    Service("chat.signal.org", "198.19.8.1", "2001:db8:8::1", 443, "retry", "messaging", "Signal"),
    Service("web.telegram.org", "149.154.167.99", "2001:67c:4e8::99", 443, "web", "messaging", "Telegram"),
    Service("en.wikipedia.org", "198.19.9.1", "2001:db8:9::1", 443, "web", "other", "-"),
    Service("www.mozilla.org", "198.19.9.6", "2001:db8:9::6", 443, "openssl", "other", "-"),
    Service("www.example.com", "198.19.9.2", "2001:db8:9::2", 443, "web", "other", "-"),
    Service("old.example.com", "198.19.9.3", None, 443, "web12", "other", "-"),
    Service("deb.example.com", "198.19.9.4", "2001:db8:9::4", 80, "plain", "other", "-"),
    Service("mail.example.net", "198.19.9.25", "2001:db8:9::25", 587, "mail", "other", "-"),
]


def by_name(name):
    return next(s for s in SERVICES if s.name == name)


class Visit:
    """One thing that a client does. The command sees {ca}, {keys}, {cookies} and {python} replaced."""

    def __init__(self, where, stack, shows, *command, text=None, pause=0.3, fails=False):
        self.where, self.stack, self.shows, self.command = where, stack, shows, command
        self.text, self.pause, self.fails = text, pause, fails


CURL = ("curl", "-sS", "-o", "/dev/null", "--max-time", "10", "--cacert", "{ca}")
HTTP = "GET / HTTP/1.1\r\nHost: {0}\r\nConnection: close\r\n\r\n".format
IMPERSONATE = """
import sys
from curl_cffi import requests
print(requests.get(sys.argv[2], impersonate=sys.argv[1], verify=sys.argv[3], timeout=10).status_code)
"""

VISITS = [
    Visit("phone", "BIND dig", "A, AAAA, and an HTTPS record, over UDP",
          "dig", "+short", "www.example.com", "A", "www.example.com", "AAAA", "www.example.com", "HTTPS"),
    Visit("phone", "curl", "HTTP/1: the bag that names the couriers, with Host and User-Agent",
          *CURL, "-4", "-A", "apsd", "http://init-p01st.push.apple.com/bag"),
    Visit("phone", "Python ssl", "courier, TLS 1.3 over IPv6: SNI courier2, both ALPN names; alerts, a text received and one sent",
          "{python}", "{here}/courier.py", "client", "pack", "18-courier2.push.apple.com", "{ca}", "{keys}", pause=0.1),
    Visit("laptop", "Python ssl", "courier, TLS 1.2 over IPv4 in the older framing: the certificate is in clear",
          "{python}", "{here}/courier.py", "client", "tlv", "7-courier.push.apple.com", "{ca}", "{keys}", pause=0.1),
    Visit("phone", "Safari (curl-impersonate)", "TLS 1.3 with GREASE", "{venv}", "-c", IMPERSONATE, "safari18_0_ios",
          "https://query.ess.apple.com/", "{ca}"),
    Visit("phone", "Safari (curl-impersonate)", "the same hello to another host", "{venv}", "-c", IMPERSONATE, "safari18_0_ios",
          "https://p52-content.icloud-content.com/photo", "{ca}"),
    Visit("laptop", "Chrome (curl-impersonate)", "a post-quantum ClientHello in two segments, extensions shuffled, ECH GREASE",
          "{venv}", "-c", IMPERSONATE, "chrome131", "https://en.wikipedia.org/wiki/Packet", "{ca}"),
    Visit("laptop", "Chrome (curl-impersonate)", "the same stack again: another order of extensions, the same JA4",
          "{venv}", "-c", IMPERSONATE, "chrome131", "https://web.telegram.org/", "{ca}"),
    Visit("phone", "GnuTLS", "TLS on port 5228", "gnutls-cli", "--x509cafile", "{ca}", "--port", "5228", "mtalk.google.com",
          text=HTTP("mtalk.google.com")),
    Visit("laptop", "GnuTLS", "TLS 1.2, server with an RSA certificate in clear", "gnutls-cli", "--x509cafile", "{ca}",
          "--priority", "NORMAL:-VERS-TLS1.3", "g.whatsapp.net", text=HTTP("g.whatsapp.net")),
    Visit("laptop", "OpenSSL", "HelloRetryRequest: the server takes only a group that the client had sent no share for",
          "openssl", "s_client", "-connect", "chat.signal.org:443", "-groups", "P-256:X25519", "-CAfile", "{ca}",
          "-keylogfile", "{keys}", "-servername", "chat.signal.org", "-alpn", "http/1.1", "-ign_eof",
          text=HTTP("chat.signal.org")),
    Visit("laptop", "NSS", "TLS 1.3 by Firefox's library; the secrets are the server's", "tstclnt", "-h",
          "www.mozilla.org", "-p", "443", "-o", "-D", "-Q", "-V", "tls1.2:tls1.3", "-a", "www.mozilla.org"),
    Visit("laptop", "curl", "TLS 1.3, HTTP/2", *CURL, "https://www.example.com/"),
    Visit("laptop", "curl", "TLS 1.2 over IPv4", *CURL, "-4", "--tls-max", "1.2", "https://www.example.com/"),
    Visit("laptop", "OpenSSL", "a session kept for later, TLS 1.3", "openssl", "s_client", "-connect", "www.example.com:443",
          "-CAfile", "{ca}", "-keylogfile", "{keys}", "-servername", "www.example.com", "-sess_out", "{cookies}",
          "-ign_eof", text=HTTP("www.example.com")),
    Visit("laptop", "OpenSSL", "the session resumed: a pre-shared key in the hello", "openssl", "s_client", "-connect",
          "www.example.com:443", "-CAfile", "{ca}", "-keylogfile", "{keys}", "-servername", "www.example.com", "-sess_in",
          "{cookies}", "-ign_eof", text=HTTP("www.example.com")),
    Visit("laptop", "OpenSSL", "no server name at all; TLS 1.2, RSA", "openssl", "s_client", "-connect", "198.19.9.3:443",
          "-noservername", "-CAfile", "{ca}", "-keylogfile", "{keys}", "-ign_eof", text=HTTP("old.example.com")),
    Visit("laptop", "Node.js", "TLS 1.3, HTTP/1.1 in its ALPN", "node", "--tls-keylog={keys}", "-e",
          "require('https').get('https://web.telegram.org/k/', r => r.resume())"),
    Visit("laptop", "curl", "SMTP that turns into TLS by STARTTLS", "curl", "-sS", "--max-time", "10", "--cacert", "{ca}",
          "--ssl-reqd", "--mail-from", "alice@example.net", "--mail-rcpt", "bob@example.net", "-T", "-",
          "smtp://mail.example.net:587/laptop.example.net", text="Subject: hello\r\n\r\nA first look.\r\n"),
    Visit("laptop", "curl", "HTTP/1 over IPv6", *CURL, "-6", "http://deb.example.com/debian/dists/stable/InRelease"),
    Visit("laptop", "BIND dig", "an answer too large for UDP: cut, then asked again over TCP",
          "dig", "+short", "+bufsize=512", "+noedns", "long.example.com", "TXT"),
    Visit("laptop", "BIND dig", "a name that does not exist", "dig", "+short", "nowhere.example.com", "A"),
    Visit("laptop", "curl", "a port where nobody listens: SYN and RST", *CURL, "-4", "https://deb.example.com/", fails=True),
    Visit("phone", "curl", "a name that the certificate does not carry: the client ends the handshake with an alert",
          *CURL, "-4", "--resolve", "wrong.example.org:443:198.19.9.1", "https://wrong.example.org/", fails=True),
]
