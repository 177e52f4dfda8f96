"""One end of a FaceTime-shaped call, or its relay: STUN and RTP on one UDP port, packets of random bytes.

  facetime_media_agent.py end SEED        verbs: prepare, send, finish
  facetime_media_agent.py relay ADDRESS     verbs: forget
"""

import asyncio
import random
import sys

import agent
from apps.media import Port, Relay, Stream, open_port, stun

AUDIO_STEP = 0.02


async def main():
    role, rest = sys.argv[1], sys.argv[2:]
    if role == "relay":
        relay = await open_port(Relay, rest[0], 3478)

        async def forget():
            relay.peers.clear()
        await agent.serve({"forget": forget})
        return
    seed = int(rest[0])
    state = {"calls": 0}

    async def prepare(local, port, remote, remote_port):
        """Opens the port and asks by STUN until the other side answers."""
        state["calls"] += 1
        state["random"] = random.Random(f"{seed}/{state['calls']}")
        state["port"] = port = await open_port(Port, local, port)
        state["remote"] = (remote, remote_port)
        # How often it asks depends on when the other end opens its port; the media must not.
        checks = random.Random(f"{seed}/{state['calls']}/checks")
        # FaceTime's attributes are not published. A name as ICE has it, which gives nothing away (RFC 8445, 7.2.2).
        state["user"] = f"{checks.randbytes(4).hex()}:{checks.randbytes(4).hex()}".encode()
        for _ in range(50):
            transaction = checks.randbytes(12)
            port.transport.sendto(stun(0x0001, transaction, [(0x0006, state["user"]), (0x0024, b"\x6e\x7f\x1e\xff")]),
                                  state["remote"])
            await asyncio.sleep(0.1)
            if port.answered:
                return
        raise TimeoutError("nobody answers STUN")

    async def send(seconds, video):
        """Audio every 20 ms, video in bursts; STUN every 2.5 s keeps the path open."""
        port, draw = state["port"], state["random"]
        # Payload type 104: seen by krisk.org in 2013. Sizes: audio at 24 to 32 kbit/s; assumed.
        audio = Stream(draw.getrandbits(64), 104, 24_000, AUDIO_STEP, (62, 92))
        picture = Stream(draw.getrandbits(64), 126, 90_000, 1 / 15, (700, 1100))
        local, remote = port.transport.get_extra_info("sockname"), state["remote"]
        agent.truth("facetime_media", "UDP", local, remote, "to_server" if video.get("opens") else "to_client", "call.start", 0,
                    **{"class": "facetime", "seconds": seconds})
        loop = asyncio.get_running_loop()
        begin, frames = loop.time(), 0
        for step in range(int(seconds / AUDIO_STEP)):
            await asyncio.sleep(max(0, begin + step * AUDIO_STEP - loop.time()))
            port.transport.sendto(audio.packet(marker=step == 0), remote)
            audio.tick()
            if video.get("on") and step * AUDIO_STEP >= frames / 15:
                parts = draw.randint(3, 6) if frames % 30 == 0 else draw.randint(1, 2)
                for part in range(parts):
                    port.transport.sendto(picture.packet(marker=part == parts - 1), remote)
                picture.tick()
                frames += 1
            if step % 125 == 124:
                port.transport.sendto(stun(0x0001, draw.randbytes(12), [(0x0006, state["user"])]), remote)
        agent.truth("facetime_media", "UDP", local, remote, "to_server" if video.get("opens") else "to_client", "call.end", 0,
                    **{"class": "facetime"})
        await asyncio.sleep(0.3)
        return {"received": port.received}

    async def finish():
        state.pop("port").transport.close()

    await agent.serve({"prepare": prepare, "send": send, "finish": finish})


if __name__ == "__main__":
    asyncio.run(main())
