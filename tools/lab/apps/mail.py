"""Mail: IMAP by Dovecot, submission by aiosmtpd, and Python's imaplib and smtplib on the phone."""

import shutil

from apps import App as Base
from network import run

HOST = "mail.example.net"


class App(Base):
    software = "Mail: Dovecot (IMAP over TLS), aiosmtpd (submission with STARTTLS), Python's imaplib and smtplib"
    modelled = "Mails are random lines of assumed lengths"
    needs = {"dovecot": "dovecot-imapd", "doveadm": "dovecot-core"}

    def __init__(self, stage, settings):
        super().__init__(stage, settings)
        self.host = stage.host(HOST)

    def start_servers(self):
        stage, host = self.stage, self.host
        pem, key = stage.certificate(host)
        folder = stage.folder / "dovecot"
        box = stage.folder / "mailbox"
        folder.mkdir()
        # Dovecot's login processes are another user and have to pass through.
        for place in (stage.folder, folder):
            place.chmod(0o711)
        # Dovecot does not serve the mail of root.
        for part in (box, *(box / name for name in ("cur", "new", "tmp"))):
            part.mkdir()
            shutil.chown(part, "nobody", "nogroup")
        listen = ", ".join(host.addresses)
        configuration = folder / "dovecot.conf"
        configuration.write_text(f"""
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/dovecot.log
protocols = imap
listen = {listen}
ssl = required
ssl_cert = <{pem}
ssl_key = <{key}
ssl_min_protocol = TLSv1.2
disable_plaintext_auth = yes
mail_location = maildir:{box}
mail_uid = nobody
mail_gid = nogroup
first_valid_uid = 1
first_valid_gid = 1
service imap-login {{
  chroot =
  inet_listener imap {{
    port = 0
  }}
  inet_listener imaps {{
    port = 993
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
passdb {{
  driver = static
  args = password=lab
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home={box}
}}
""", encoding="ascii")
        stage.start("internet", "dovecot", "-F", "-c", configuration)
        for address in host.addresses:
            stage.start("internet", stage.python, "-m", "aiosmtpd", "-n", "-l", f"{address}:587", "--tlscert", pem, "--tlskey",
                        key, "-c", "aiosmtpd.handlers.Mailbox", box)
        for port in (993, 587):
            stage.wait_for_port(host, port)

    def start_clients(self):
        self.client = self.stage.python_agent("phone", "mail-phone", "apps/mail_agent.py", HOST,
                                              self.stage.number("mail"))
        self.others = self.stage.python_agent("internet", "mail-others", "apps/mail_agent.py", HOST,
                                              self.stage.number("mail", "others"))

    def do_open(self):
        """Signs in and waits for news (IMAP IDLE)."""
        self.client.ask("open")

    def do_renew(self):
        """Begins IDLE anew, as clients do before 29 minutes are over (RFC 2177)."""
        self.client.ask("renew")

    def do_fetch(self):
        self.client.ask("fetch")

    def do_send(self, bytes):
        self.client.ask("send", size=bytes)

    def do_arrive(self, bytes):
        """Somebody writes; the open IMAP connection says so, and the phone fetches it."""
        self.others.ask("send", size=bytes, quiet=True)
        self.client.ask("news")

    def do_close(self):
        self.client.ask("close")

    def versions(self):
        return ["Dovecot " + run("dovecot", "--version", check=False).split()[0]] if shutil.which("dovecot") else []
