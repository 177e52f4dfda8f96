"""Runs baresip at one end and steers it by its control port (JSON in netstrings).

  sip_agent.py FOLDER ADDRESS USER        verbs: start, call, answered
"""

import asyncio
import ctypes
import json
import pathlib
import signal
import sys

import agent

CONTROL = 4444
PR_SET_PDEATHSIG = 1  # linux/prctl.h
MODULES = next((f for f in pathlib.Path("/usr/lib").glob("**/baresip/modules") if f.is_dir()), "/usr/lib/baresip/modules")
# A tone as source, nothing as loudspeaker; no status line each tenth of a second.
CONFIG = """poll_method epoll
sip_listen {address}:5060
call_local_timeout 30
audio_player aubridge,nil
audio_source ausine,440
audio_alert aubridge,nil
ausrc_srate 48000
ausrc_channels 2
auplay_srate 48000
auplay_channels 2
opus_bitrate 24000
rtp_ports {media}-{last}
rtcp_mux no
statmode_default off
module_path {modules}
module opus.so
module g711.so
module ausine.so
module aubridge.so
module_tmp uuid.so
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:{control}
"""
CODECS = {"any": "opus/48000/2,pcmu", "pcmu": "pcmu", "opus": "opus/48000/2"}


def end_with_parent():
    """An interrupted lab may end this program while a call lasts; baresip must not outlive it."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


async def main():
    folder, address, user = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    folder.mkdir()
    state = {"events": asyncio.Queue()}

    async def start(codec, media):
        state["media"] = media
        # baresip takes a pair of ports: media's and, one above, that of its reports.
        (folder / "config").write_text(CONFIG.format(address=address, media=media, last=media + 1, modules=MODULES,
                                                     control=CONTROL), encoding="ascii")
        (folder / "accounts").write_text(f"<sip:{user}@{address}>;regint=0;answermode=auto;audio_codecs={CODECS[codec]}\n",
                                         encoding="ascii")
        (folder / "contacts").write_text("", encoding="ascii")
        state["program"] = await asyncio.create_subprocess_exec(
            "baresip", "-f", str(folder), stdin=asyncio.subprocess.DEVNULL, stdout=sys.stderr, stderr=sys.stderr,
            preexec_fn=end_with_parent)
        for _ in range(100):
            try:
                reader, state["writer"] = await asyncio.open_connection("127.0.0.1", CONTROL)
                break
            except OSError:
                if state["program"].returncode is not None:
                    raise ChildProcessError(f"baresip ended with status {state['program'].returncode}") from None
                await asyncio.sleep(0.1)
        else:
            raise TimeoutError("baresip does not open its control port")
        state["events"] = asyncio.Queue()
        state["task"] = asyncio.create_task(listen(reader))

    async def listen(reader):
        while True:
            try:
                length = int((await reader.readuntil(b":"))[:-1])
                said = json.loads((await reader.readexactly(length + 1))[:-1])
            except (asyncio.IncompleteReadError, ConnectionError):
                return
            if said.get("event"):
                await state["events"].put(said)
            elif not said.get("ok", True):
                await state["events"].put({"type": "REFUSED", "param": said.get("data", "")})

    def command(name, words=""):
        text = json.dumps({"command": name, "params": words})
        state["writer"].write(f"{len(text)}:{text},".encode())

    async def until(kind, seconds):
        end = asyncio.get_running_loop().time() + seconds
        while True:
            event = await asyncio.wait_for(state["events"].get(), end - asyncio.get_running_loop().time())
            if event.get("type") == kind:
                return
            if event.get("type") in ("CALL_CLOSED", "REFUSED"):
                raise ConnectionError(f"the call did not come to {kind}: {event.get('param', '')}")

    async def stop():
        program = state.pop("program", None)
        if program is None:
            return
        command("quit")
        try:
            await asyncio.wait_for(program.wait(), 5)
        except asyncio.TimeoutError:
            program.kill()
            await program.wait()
        state["task"].cancel()
        state["writer"].close()

    async def call(to, seconds, codec, media, remote):
        await start(codec, media)
        try:
            command("dial", to)
            await until("CALL_ESTABLISHED", 15)
            tell("call.start", remote, seconds=seconds, codec=codec)
            await asyncio.sleep(seconds)
            tell("call.end", remote, codec=codec)
            command("hangup")
            # The answer to BYE comes before the program goes.
            await asyncio.sleep(0.5)
        finally:
            await stop()

    def tell(kind, remote, **more):
        agent.truth("sip", "UDP", (address, state["media"]), tuple(remote), "to_server", kind, 0, **{"class": "call"}, **more)

    async def answered():
        await until("CALL_ESTABLISHED", 25)
        await until("CALL_CLOSED", 60)

    await agent.serve({"start": start, "call": call, "answered": answered}, stop)


if __name__ == "__main__":
    asyncio.run(main())
