"""One end of a WhatsApp-shaped call (whatsapp_call.py), or its relay.

  whatsapp_call_agent.py end SEED         verbs: prepare, send, finish
  whatsapp_call_agent.py relay ADDRESS    verbs: forget
"""

import asyncio
import random
import sys

import agent
from apps.media import Port, Relay, Stream, open_port, stun, xor_address

ALLOCATE, ALLOCATED, PING = 0x0003, 0x0103, 0x0801


class CallRelay(Relay):
    """Answers an allocation and the calls' own pings; passes on all else."""

    def datagram_received(self, data, address):
        if len(data) >= 20 and data[:2] == b"\x00\x03":
            self.peers[address] = True
            answer = [(0x0016, xor_address(address, data[8:20])), (0x4002, data[8:20] + bytes(4))]
            self.transport.sendto(stun(ALLOCATED, data[8:20], answer), address)
        elif len(data) >= 20 and data[:2] == b"\x08\x01":
            self.transport.sendto(stun(0x0802, data[8:20], [(0x4001, bytes(4))]), address)
        else:
            super().datagram_received(data, address)


class CallPort(Port):
    def datagram_received(self, data, address):
        if data[:2] in (b"\x01\x03", b"\x08\x02"):
            self.answered += 1
        else:
            super().datagram_received(data, address)


async def main():
    role, value = sys.argv[1:3]
    if role == "relay":
        relay = await open_port(CallRelay, value, 3478)

        async def forget():
            relay.peers.clear()
        await agent.serve({"forget": forget})
        return
    state = {"calls": 0}

    async def prepare(local, remote):
        state["calls"] += 1
        state["random"] = draw = random.Random(f"{value}/{state['calls']}")
        state["port"] = port = await open_port(CallPort, local, 0)
        state["remote"] = (remote, 3478)
        # The token of the call and the user's number in it: lengths assumed.
        attributes = [(0x4000, draw.randbytes(120)), (0x4003, draw.randbytes(4)), (0x4004, draw.randbytes(16)),
                      (0x4007, draw.randbytes(8))]
        # How often it asks must not change what comes after.
        key, asks = draw.randbytes(16), random.Random(f"{value}/{state['calls']}/asks")
        for _ in range(50):
            port.transport.sendto(stun(ALLOCATE, asks.randbytes(12), attributes, key=key), state["remote"])
            await asyncio.sleep(0.15)
            if port.answered:
                return
        raise TimeoutError("the relay does not answer")

    async def send(seconds, opens):
        port, draw, remote = state["port"], state["random"], state["remote"]
        # Opus in packets of 60 ms: assumed.
        step = 0.06
        audio = Stream(draw.getrandbits(64), 120, 16_000, step, (90, 190))
        local = port.transport.get_extra_info("sockname")
        way = "to_server" if opens else "to_client"
        loop = asyncio.get_running_loop()
        if opens:
            agent.truth("whatsapp_call", "UDP", local, remote, way, "call.start", 0, **{"class": "call", "seconds": seconds})
        begin = loop.time()
        for number in range(int(seconds / step)):
            await asyncio.sleep(max(0, begin + number * step - loop.time()))
            port.transport.sendto(audio.packet(marker=number == 0), remote)
            audio.tick()
            if number % 16 == 15:
                port.transport.sendto(stun(PING, draw.randbytes(12), [(0x4001, draw.randbytes(4))]), remote)
        if opens:
            agent.truth("whatsapp_call", "UDP", local, remote, way, "call.end", 0, **{"class": "call"})
        await asyncio.sleep(0.3)
        return {"received": port.received}

    async def finish():
        state.pop("port").transport.close()

    await agent.serve({"prepare": prepare, "send": send, "finish": finish})


if __name__ == "__main__":
    asyncio.run(main())
