"""Chromium without a window, steered over DevTools by a pipe.

  web_browser.py FOLDER [CHROMIUM'S OWN OPTIONS...]

The lab's authority is in FOLDER/.pki/nssdb, where Chromium on Linux looks for authorities of the user ($HOME is FOLDER).
"""

import asyncio
import json
import os
import subprocess
import sys
import time

from agent import serve
from network import LabError

# Everything that a browser says without being asked goes off: it would only ask the lab's DNS for names it does not have.
OPTIONS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--no-default-browser-check",
    "--disable-background-networking", "--disable-component-update", "--disable-default-apps", "--disable-sync",
    "--disable-extensions", "--disable-client-side-phishing-detection", "--disable-domain-reliability", "--disable-breakpad",
    "--disable-search-engine-choice-screen", "--metrics-recording-only", "--no-pings", "--password-store=basic",
    "--mute-audio", "--disable-features=OptimizationHints,MediaRouter,Translate,AutofillServerCommunication,"
    "InterestFeedContentSuggestions,PrefetchPrivacyChanges,DialMediaRouteProvider,NetworkTimeServiceQuerying",
    # What it asks for nevertheless when it starts: signed-in accounts and updates.
    "--host-resolver-rules=MAP *.google.com ~NOTFOUND, MAP *.googleapis.com ~NOTFOUND",
]
SECONDS = 30
# A page counts as loaded when nothing came for so long after its load event.
QUIET_SECONDS = 0.3


class Browser:
    """One Chromium; each visit has a profile of its own unless it is told to keep it."""

    def __init__(self):
        self.number, self.answers, self.events = 0, {}, asyncio.Queue()
        self.context, self.process = None, None

    async def start(self, folder, options):
        to_browser, from_browser = os.pipe(), os.pipe()
        command = ["bash", "-c", f'exec chromium "$@" 3<&{to_browser[0]} 4>&{from_browser[1]}', "chromium", *OPTIONS,
                   "--remote-debugging-pipe", f"--user-data-dir={folder}/chromium-{os.getpid()}",
                   f"--ssl-key-log-file={os.environ['SSLKEYLOGFILE']}", *options, "about:blank"]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=sys.stderr, stderr=sys.stderr,
                                        pass_fds=(to_browser[0], from_browser[1]))
        os.close(to_browser[0])
        os.close(from_browser[1])
        self.output = os.fdopen(to_browser[1], "wb", buffering=0)
        # A picture or a page may come as one message.
        reader = asyncio.StreamReader(limit=64 * 1024 * 1024)
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader),
                                                           os.fdopen(from_browser[0], "rb", buffering=0))
        self.task = asyncio.create_task(self.listen(reader))
        await self.ask("Browser.getVersion")

    async def listen(self, reader):
        try:
            while True:
                said = json.loads((await reader.readuntil(b"\0"))[:-1])
                if "id" in said:
                    self.answers.pop(said["id"]).set_result(said)
                else:
                    self.events.put_nowait(said)
        except asyncio.IncompleteReadError:
            for waiting in self.answers.values():
                waiting.set_exception(LabError("Chromium has ended"))

    async def ask(self, method, session=None, **parameters):
        self.number += 1
        waiting = self.answers[self.number] = asyncio.get_running_loop().create_future()
        message = {"id": self.number, "method": method, "params": parameters} | ({"sessionId": session} if session else {})
        self.output.write(json.dumps(message).encode() + b"\0")
        said = await asyncio.wait_for(waiting, SECONDS)
        if "error" in said:
            raise LabError(f"{method}: {said['error'].get('message')}")
        return said["result"]

    async def visit(self, url, keep=False):
        """Opens a page in a new tab, waits until all of it is there, and closes it. Without `keep` its connections go too."""
        if self.context is None:
            self.context = (await self.ask("Target.createBrowserContext"))["browserContextId"]
        tab = (await self.ask("Target.createTarget", url="about:blank", browserContextId=self.context))["targetId"]
        session = (await self.ask("Target.attachToTarget", targetId=tab, flatten=True))["sessionId"]
        while not self.events.empty():
            self.events.get_nowait()
        await self.ask("Network.enable", session)
        await self.ask("Page.enable", session)
        said = await self.ask("Page.navigate", session, url=url)
        if said.get("errorText"):
            raise LabError(f"{url}: {said['errorText']}")
        loaded, requests, failed = await self.wait_for(session)
        if not loaded:
            raise LabError(f"{url}: not loaded after {SECONDS} s")
        if failed:
            raise LabError(f"{url}: {failed[0]}")
        await self.ask("Target.closeTarget", targetId=tab)
        if not keep:
            await self.ask("Target.disposeBrowserContext", browserContextId=self.context)
            self.context = None
        protocols = sorted({r["protocol"] for r in requests.values()})
        return {"requests": len(requests), "protocols": protocols,
                "bytes": sum(r["bytes"] for r in requests.values())}

    async def wait_for(self, session):
        """Until the load event has come and no request is open."""
        requests, open_, failed, loaded, deadline = {}, set(), [], False, time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            try:
                event = await asyncio.wait_for(self.events.get(), QUIET_SECONDS)
            except asyncio.TimeoutError:
                if loaded and not open_:
                    return True, requests, failed
                continue
            if event.get("sessionId") != session:
                continue
            method, what = event["method"], event["params"]
            if method == "Page.loadEventFired":
                loaded = True
            elif method == "Network.requestWillBeSent" and what["request"]["url"].startswith("http"):
                open_.add(what["requestId"])
            elif method == "Network.responseReceived" and what["requestId"] in open_:
                requests[what["requestId"]] = {"url": what["response"]["url"], "bytes": 0,
                                               "protocol": what["response"].get("protocol", "?")}
            elif method == "Network.loadingFinished":
                open_.discard(what["requestId"])
                if what["requestId"] in requests:
                    requests[what["requestId"]]["bytes"] = round(what["encodedDataLength"])
            elif method == "Network.loadingFailed":
                open_.discard(what["requestId"])
                failed.append(what.get("errorText", "failed"))
        return False, requests, failed

    async def close(self):
        try:
            await self.ask("Browser.close")
        except (LabError, OSError, asyncio.TimeoutError):
            pass
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


async def main():
    browser = Browser()
    await browser.start(sys.argv[1], sys.argv[2:])
    await serve({"visit": browser.visit}, browser.close)


asyncio.run(main())
