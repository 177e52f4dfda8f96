"""The control protocol of the lab's programs: JSON lines over standard input and output.

A program that is steered (Python or Swift) first prints {"ready": true}. Then it reads requests
{"id": 7, "do": VERB, ...} and answers {"id": 7, "ok": true, ...} when the act is over, or {"id": 7, "ok": false,
"error": SENTENCE}. At any time it may print {"truth": {...}}, {"flow": {...}} and {"event": {...}}. The end of its
standard input tells it to close its connections and go.
"""

import asyncio
import json
import signal
import subprocess
import sys
import threading
import time

from network import LabError


class Agent:
    """The conductor's end: starts the program, asks it for acts, and collects what it tells."""

    def __init__(self, name, command, tell, log, environment=None):
        self.name, self.tell = name, tell
        self.answers, self.number, self.is_ready = {}, 0, False
        self.change = threading.Condition()
        self.process = subprocess.Popen([str(c) for c in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=log, text=True, bufsize=1, env=environment)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            try:
                said = json.loads(line)
            except ValueError:
                continue
            with self.change:
                if "id" in said:
                    self.answers[said["id"]] = said
                elif "ready" in said:
                    self.is_ready = True
                self.change.notify_all()
            for kind in ("truth", "flow", "event"):
                if kind in said:
                    self.tell(self.name, kind, said[kind])
        with self.change:
            self.change.notify_all()

    def _wait(self, until, seconds, what):
        deadline = time.monotonic() + seconds
        with self.change:
            while not until():
                left = deadline - time.monotonic()
                if left <= 0:
                    raise LabError(f"{self.name}: no answer to '{what}' after {seconds} s")
                if not self.reader.is_alive() and not until():
                    raise LabError(f"{self.name}: ended with status {self.process.wait()} at '{what}'")
                self.change.wait(min(left, 0.5))

    def wait_until_ready(self, seconds=20):
        self._wait(lambda: self.is_ready, seconds, "ready")
        return self

    def ask(self, do, timeout=30, limit=None, **fields):
        """One act, to its end; its error becomes the lab's. `limit` is the act's own limit of time, if it has one."""
        if limit is not None:
            fields["timeout"] = limit
        with self.change:
            self.number += 1
            number = self.number
        try:
            self.process.stdin.write(json.dumps({"id": number, "do": do, **fields}) + "\n")
            self.process.stdin.flush()
        except OSError:
            raise LabError(f"{self.name}: has ended, '{do}' cannot be asked") from None
        self._wait(lambda: number in self.answers, timeout, do)
        answer = self.answers.pop(number)
        if not answer.get("ok"):
            raise LabError(f"{self.name}: {do}: {answer.get('error', 'failed')}")
        return answer

    def close(self, seconds=5):
        """Lets the program close its connections; one that does not is ended."""
        try:
            self.process.stdin.close()
        except OSError:
            pass
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.terminate()
            try:
                self.process.wait(2)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def _print(thing):
    sys.stdout.write(json.dumps(thing) + "\n")
    sys.stdout.flush()


def truth(app, proto, local, remote, direction, kind, plaintext, **more):
    """Tells what this side sends, at the moment it does.

    `local` and `remote` are socket names as Python gives them; `direction` is to_server or to_client; `plaintext`
    counts bytes.
    """
    line = {"real": round(time.time(), 6), "app": app, "local": endpoint(local), "remote": endpoint(remote),
            "proto": proto, "direction": direction, "kind": kind, "plaintext": plaintext}
    _print({"truth": line | {k: v for k, v in more.items() if v is not None}})


def flow(proto, local, remote, tag, service, name):
    """Tells what a flow is where the server's address does not say it."""
    _print({"flow": {"proto": proto, "local": endpoint(local), "remote": endpoint(remote), "tag": tag,
                     "service": service, "name": name}})


def event(**fields):
    _print({"event": {"real": round(time.time(), 6)} | fields})


def endpoint(name):
    host, port = name[0], name[1]
    host = host.removeprefix("::ffff:")
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


async def serve(verbs, at_end=None):
    """The program's end: answers requests with the coroutines in `verbs`, one after the other.

    A verb's result, if it is a dictionary, goes into the answer.
    """
    loop = asyncio.get_running_loop()
    lines = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    loop.add_signal_handler(signal.SIGTERM, lines.feed_eof)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _print({"ready": True})
    while line := await lines.readline():
        request = json.loads(line)
        number, do = request.pop("id"), request.pop("do")
        try:
            if do not in verbs:
                raise LabError(f"there is no '{do}' here")
            answer = await verbs[do](**request)
            _print({"id": number, "ok": True} | (answer if isinstance(answer, dict) else {}))
        except Exception as error:  # whatever it is, the conductor has to hear of it
            _print({"id": number, "ok": False, "error": f"{type(error).__name__}: {error}"})
    if at_end:
        await at_end()
